/**
 * The set "objects": a photograph onto which a cat, a dog and a blood cell are pasted, each with probability one half.
 */

import { shuffled } from "../support/random.js";
import { paste, scaled, scene, visibleBoxes } from "./scene.js";

/** @typedef {import("../support/random.js").Random} Random */
/** @typedef {import("./cut-outs.js").Material} Material */
/** @typedef {import("./drawing.js").Drawing} Drawing */

/** Long side, pixels: low, high. */
const LONG_SIDES = /** @type {const} */ ({ cat: [40, 72], dog: [40, 72], cell: [28, 44] });
const KINDS = /** @type {const} */ (["cat", "dog", "cell"]);
/** Value in the mask of each kind's pixels. */
const VALUES = /** @type {const} */ ({ cat: 1, dog: 2, cell: 3 });

/**
 * What each aspect's pixels are in the masks that `drawObjects` gives.
 *
 * @type {Readonly<Record<"cat" | "dog" | "cell", readonly number[]>>}
 */
export const OBJECT_VALUES = { cat: [VALUES.cat], dog: [VALUES.dog], cell: [VALUES.cell] };

/**
 * @param {Material} material
 * @param {Random} random
 * @returns {Promise<Drawing>}
 */
export async function drawObjects(material, random) {
  const drawn = scene(material.backgrounds[random.integer(material.backgrounds.length)]);
  /** @type {(typeof KINDS)[number][]} by object number less one */
  const kinds = [];
  for (const kind of shuffled(KINDS, random)) {
    if (random.next() < 0.5) continue;
    const cuts = material[kind];
    const [low, high] = LONG_SIDES[kind];
    const options = { longSide: low + random.integer(high - low), isMirrored: random.next() < 0.5 };
    const cut = await scaled(cuts[random.integer(cuts.length)], options);
    if (paste(drawn, cut, random) > 0) kinds.push(kind);
  }
  /** @param {(typeof KINDS)[number]} kind */
  const boxesOf = (kind) => kinds.flatMap((k, index) => (k === kind ? visibleBoxes(drawn, index + 1) : []));
  return {
    pixels: drawn.pixels,
    mask: drawn.owners.map((owner) => (owner === 0 ? 0 : VALUES[kinds[owner - 1]])),
    boxes: Object.fromEntries(KINDS.map((kind) => [kind, boxesOf(kind)])),
  };
}
