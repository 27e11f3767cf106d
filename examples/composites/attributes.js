/** The set "attributes": one to three animals on a photograph, each tinted red or not, striped or not. */

import { paste, scaled, scene, visibleBoxes } from "./scene.js";

/** @typedef {import("../support/random.js").Random} Random */
/** @typedef {import("./cut-outs.js").CutOut} CutOut */
/** @typedef {import("./cut-outs.js").Material} Material */
/** @typedef {import("./drawing.js").Drawing} Drawing */

const LONG_SIDE = /** @type {const} */ ([48, 80]);
const ATTRIBUTE_CHANCE = 0.35;
/** Added up to an animal's value in the mask: every combination has its own. */
const BITS = { pet: 1, red: 2, striped: 4 };

/** What each aspect's pixels are in the masks that `drawAttributes` gives. */
export const ATTRIBUTE_VALUES = {
  red: valuesWith(BITS.red),
  striped: valuesWith(BITS.striped),
  pet: valuesWith(BITS.pet),
};

/**
 * @param {Material} material
 * @param {Random} random
 * @returns {Promise<Drawing>}
 */
export async function drawAttributes(material, random) {
  const drawn = scene(material.backgrounds[random.integer(material.backgrounds.length)]);
  /** @type {number[]} by object number less one */
  const values = [];
  const count = 1 + random.integer(3);
  for (let n = 0; n < count; n++) {
    const cuts = random.next() < 0.5 ? material.cat : material.dog;
    const longSide = LONG_SIDE[0] + random.integer(LONG_SIDE[1] - LONG_SIDE[0]);
    const cut = await scaled(cuts[random.integer(cuts.length)], { longSide, isMirrored: random.next() < 0.5 });
    const isRed = random.next() < ATTRIBUTE_CHANCE;
    const isStriped = random.next() < ATTRIBUTE_CHANCE;
    if (isRed) tint(cut);
    if (isStriped) stripe(cut, { angle: random.uniform(0, Math.PI), radiansPerPixel: 1 / random.uniform(2.2, 3.2) });
    if (paste(drawn, cut, random) > 0) values.push(BITS.pet + (isRed ? BITS.red : 0) + (isStriped ? BITS.striped : 0));
  }
  /** @param {number} bit */
  const boxesOf = (bit) => values.flatMap((value, index) => (value & bit ? visibleBoxes(drawn, index + 1) : []));
  return {
    pixels: drawn.pixels,
    mask: drawn.owners.map((owner) => (owner === 0 ? 0 : values[owner - 1])),
    boxes: { red: boxesOf(BITS.red), striped: boxesOf(BITS.striped), pet: boxesOf(BITS.pet) },
  };
}

/**
 * Half the colour stays, half becomes the pixel's grey in red.
 *
 * @param {CutOut} cut changed in place.
 */
export function tint({ pixels }) {
  for (let i = 0; i < pixels.length; i += 4) {
    const grey = (pixels[i] + pixels[i + 1] + pixels[i + 2]) / 3;
    [1.5, 0.6, 0.6].forEach((gain, k) => {
      pixels[i + k] = Math.min(255, Math.round(0.5 * pixels[i + k] + 0.5 * gain * grey));
    });
  }
}

/**
 * Dark and light bands of equal width; the colour keeps its hue.
 *
 * @param {CutOut} cut changed in place.
 * @param {{ angle: number, radiansPerPixel: number }} options direction across the stripes, and how fast their phase runs.
 */
export function stripe({ pixels, width }, { angle, radiansPerPixel }) {
  for (let i = 0; i < pixels.length; i += 4) {
    const x = (i / 4) % width;
    const y = Math.floor(i / 4 / width);
    const isDark = Math.sin((x * Math.cos(angle) + y * Math.sin(angle)) * radiansPerPixel) > 0;
    for (let k = 0; k < 3; k++) {
      const level = pixels[i + k];
      pixels[i + k] = Math.min(255, Math.round(isDark ? 0.45 * level : 1.15 * level + 20));
    }
  }
}

/** @param {number} bit */
function valuesWith(bit) {
  return [1, 3, 5, 7].filter((value) => value & bit);
}
