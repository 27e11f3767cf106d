/** Part maps: what lies where in an image, and what an attribution map gives each part and background object. */

import sharp from "sharp";
import { PARTS } from "./birds.js";

/** Value of the first background object; the parts have 1 to 5, the rest 0. */
export const FIRST_OBJECT = 10;
/** Half of the side by which a part is dilated, 5 x 5 pixels: edges count. */
const REACH = 2;

/** @typedef {{ data: Uint8Array, width: number, height: number }} PartMap of values, row by row. */

/** @param {string} path @param {number} [size] another side for it. @returns {Promise<PartMap>} */
export async function readMap(path, size) {
  const file = sharp(path).extractChannel(0);
  const image = size === undefined ? file : file.resize(size, size, { kernel: "nearest" });
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** @param {PartMap} map */
export function visibleParts({ data }) {
  return PARTS.filter((_, index) => data.includes(index + 1));
}

/** @param {PartMap} map @returns {number[]} indices of the background objects that are seen. */
export function visibleObjects({ data }) {
  return [...new Set(data)].filter((value) => value >= FIRST_OBJECT).map((value) => value - FIRST_OBJECT);
}

/**
 * The pixels of each thing, dilated: one at the border of two things belongs to both.
 *
 * @param {PartMap} map
 * @returns {Map<number, Set<number>>} by the map's values, 0 left out: places of pixels.
 */
export function dilatedThings({ data, width, height }) {
  /** @type {Map<number, Set<number>>} */
  const things = new Map();
  for (const [at, value] of data.entries()) {
    if (value === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    const pixels = things.get(value) ?? new Set();
    things.set(value, pixels);
    for (let row = Math.max(0, y - REACH); row <= Math.min(height - 1, y + REACH); row++)
      for (let column = Math.max(0, x - REACH); column <= Math.min(width - 1, x + REACH); column++)
        pixels.add(row * width + column);
  }
  return things;
}

/**
 * @param {ArrayLike<number>} attribution of the map's size, signed.
 * @param {ReadonlyMap<number, Iterable<number>>} things from `dilatedThings`.
 * @returns {Map<number, number>} by the map's values, what the attribution gives to each thing.
 */
export function sumsOverThings(attribution, things) {
  const sums = new Map();
  for (const [value, pixels] of things) {
    let sum = 0;
    for (const at of pixels) sum += attribution[at];
    sums.set(value, sum);
  }
  return sums;
}
