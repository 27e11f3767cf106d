/** The birds: parts, their variants, and the classes, each a unique choice of one variant a part. */

import { random } from "../../examples/support/random.js";

/** @typedef {"beak" | "eye" | "foot" | "tail" | "wing"} Part */
/** @typedef {Readonly<Record<Part, number>>} Bird index of each part's variant. */
/** @typedef {{ model: string, colour?: string }} Variant of a part: its file, and its colour where it has a choice. */

/** In the order of the protocols and of the values 1, 2, ... of a part map. @type {readonly Part[]} */
export const PARTS = ["beak", "eye", "foot", "tail", "wing"];

const COLOURS = ["red", "green", "blue"];

/** @type {Readonly<Record<Part, readonly Variant[]>>} */
export const VARIANTS = {
  beak: models("beak", 4),
  eye: models("eye", 3),
  foot: models("foot", 4),
  tail: COLOURS.flatMap((colour) => models("tail", 3).map((variant) => ({ ...variant, colour }))),
  wing: COLOURS.flatMap((colour) => models("wing", 2).map((variant) => ({ ...variant, colour }))),
};

/**
 * Draws classes until each has a pair as target sensitivity needs it.
 *
 * @param {{ count: number, seed: number }} options
 * @returns {readonly Bird[]}
 */
export function drawClasses({ count, seed }) {
  const source = random(seed, "classes");
  for (let attempt = 0; attempt < 10_000; attempt++) {
    /** @type {Map<string, Bird>} */
    const unique = new Map();
    while (unique.size < count) {
      const drawn = PARTS.map((part) => [part, source.integer(VARIANTS[part].length)]);
      unique.set(drawn.join(), /** @type {Bird} */ (Object.fromEntries(drawn)));
    }
    const classes = [...unique.values()];
    if (classes.every((_, index) => contrastPair(classes, index))) return classes;
  }
  throw new Error(`no ${count} classes with a pair each: draw more classes`);
}

/**
 * The first two classes that differ from one in three parts each and share two other parts each with it.
 *
 * @param {readonly Bird[]} classes @param {number} index
 * @returns {{ a: number, b: number, sharedWithA: Part[], sharedWithB: Part[] } | undefined}
 */
export function contrastPair(classes, index) {
  const near = classes
    .map((bird, other) => ({ other, shared: PARTS.filter((part) => bird[part] === classes[index][part]) }))
    .filter(({ shared }) => shared.length === 2);
  for (const [at, a] of near.entries()) {
    const b = near.slice(at + 1).find(({ shared }) => shared.every((part) => !a.shared.includes(part)));
    if (b) return { a: a.other, b: b.other, sharedWithA: a.shared, sharedWithB: b.shared };
  }
  return undefined;
}

/** @param {number} index */
export function className(index) {
  return `bird-${String(index + 1).padStart(2, "0")}`;
}

/** @param {Part} part @param {number} count @returns {Variant[]} */
function models(part, count) {
  return Array.from({ length: count }, (_, at) => ({ model: `${part}/${part}0${at + 1}.glb` }));
}
