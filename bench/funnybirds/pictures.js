/** Which pictures the set has, each by its file, and what every image of a split shows. */

import { random } from "../../examples/support/random.js";
import { PARTS } from "./birds.js";
import { drawScene } from "./scene.js";

/** @import { Bird, Part } from "./birds.js" */
/** @import { Picture } from "./renderer.js" */
/** @import { Scene } from "./scene.js" */

/** @typedef {"train" | "validation" | "test"} Split */

/**
 * One image of a split.
 *
 * @typedef {object} Shot
 * @property {Split} split
 * @property {number} index
 * @property {number} label index of the class.
 * @property {readonly Part[]} kept all five, but for half of the training images.
 * @property {Scene} scene
 */

/**
 * The same whatever else is drawn, so that a set can grow.
 *
 * @param {Split} split @param {number} index @param {{ seed: number, classCount: number }} options
 * @returns {Shot}
 */
export function shotOf(split, index, { seed, classCount }) {
  const source = random(seed, split, index);
  const scene = drawScene(source);
  const kept = split === "train" && source.next() < 0.5 ? someParts(source) : PARTS;
  return { split, index, label: index % classCount, kept, scene };
}

/** All but 0 to 5 random ones. @param {import("../../examples/support/random.js").Random} source */
function someParts(source) {
  const ranked = PARTS.map((part) => ({ part, rank: source.next() })).sort((a, b) => a.rank - b.rank);
  const removed = ranked.slice(0, source.integer(PARTS.length + 1)).map(({ part }) => part);
  return PARTS.filter((part) => !removed.includes(part));
}

/** @param {Shot} shot @returns {string} of the image, relative to the set's folder. */
export function imagePath(shot) {
  return `images/${stemOf(shot)}.png`;
}

/** @param {Shot} shot */
export function mapPath(shot) {
  return `maps/${stemOf(shot)}.png`;
}

/** @param {Shot} shot @param {readonly Part[]} kept the parts that are still there. */
export function partsPath(shot, kept) {
  return kept.length === PARTS.length
    ? imagePath(shot)
    : `removals/${stemOf(shot)}/parts-${kept.map((part) => PARTS.indexOf(part) + 1).join("") || "0"}.png`;
}

/** @param {Shot} shot @param {number} object the one that is left out. */
export function objectPath(shot, object) {
  return `removals/${stemOf(shot)}/object-${object}.png`;
}

/** Validation images a class of which removals are drawn, to choose a level on. */
export const VALIDATION_REMOVALS = 2;

/** Every choice of parts, from none to all: place k keeps part i where bit i of k is set. */
export const SUBSETS = Array.from({ length: 2 ** PARTS.length }, (_, bits) =>
  PARTS.filter((_, part) => (bits >> part) & 1),
);

/**
 * @param {Shot} shot @param {readonly Bird[]} classes
 * @param {{ kept?: readonly Part[], without?: number, kind?: Picture["kind"] }} [options]
 * @returns {Picture}
 */
export function pictureOf(
  { label, scene, kept: ownParts },
  classes,
  { kept = ownParts, without, kind = "image" } = {},
) {
  const bird = Object.fromEntries(kept.map((part) => [part, classes[label][part]]));
  return { scene, bird, without, kind };
}

/** @param {Shot} shot */
function stemOf({ split, index }) {
  return `${split}/${String(index).padStart(5, "0")}`;
}
