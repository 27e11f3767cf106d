/** Draws a set of composites to disk: images and masks are stored once, however many datasets label them. */

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { random } from "../support/random.js";

/** @typedef {import("../support/dataset.js").Box} Box */
/** @typedef {import("../support/random.js").Random} Random */
/** @typedef {import("./cut-outs.js").Material} Material */
/** @typedef {import("./cut-outs.js").Split} Split */

/**
 * @typedef {object} Drawing
 * @property {Uint8Array} pixels `[size, size, 3]` RGB
 * @property {Uint8Array} mask `[size, size]`, values of the set
 * @property {Readonly<Record<string, readonly Box[]>>} boxes of each aspect's visible instances
 */

/**
 * @typedef {object} DrawnSample
 * @property {string} image
 * @property {string} mask
 * @property {Split} split
 * @property {Drawing["boxes"]} boxes
 */

/** Images drawn at a time: enough to decode and encode during compositing. */
const AT_A_TIME = 8;

/**
 * Draws a set into `<folder>/images` and `<folder>/masks`. Every image has its own random numbers.
 *
 * @param {string} folder
 * @param {object} options
 * @param {string} options.name of the set, part of the seed.
 * @param {Readonly<Record<Split, Material>>} options.material
 * @param {Readonly<Record<Split, number>>} options.counts
 * @param {number} options.seed
 * @param {(material: Material, random: Random) => Promise<Drawing>} options.draw
 * @returns {Promise<DrawnSample[]>}
 */
export async function drawSet(folder, { name, material, counts, seed, draw }) {
  for (const part of ["images", "masks"]) await mkdir(join(folder, part), { recursive: true });
  /** @param {Split} split @param {number} index @returns {Promise<DrawnSample>} */
  const drawOne = async (split, index) => {
    const { pixels, mask, boxes } = await draw(material[split], random(seed, name, split, index));
    const file = `${split}-${String(index).padStart(4, "0")}.png`;
    await writePng(join(folder, "images", file), pixels, 3);
    await writePng(join(folder, "masks", file), mask, 1);
    return { image: `images/${file}`, mask: `masks/${file}`, split, boxes };
  };
  /** @type {DrawnSample[]} */
  const samples = [];
  for (const split of /** @type {const} */ (["train", "validation", "test"])) {
    for (let start = 0; start < counts[split]; start += AT_A_TIME) {
      const length = Math.min(AT_A_TIME, counts[split] - start);
      samples.push(...(await Promise.all(Array.from({ length }, (_, k) => drawOne(split, start + k)))));
    }
  }
  return samples;
}

/**
 * @param {string} path
 * @param {Uint8Array} pixels `[size, size, channels]`
 * @param {1 | 3} channels
 */
async function writePng(path, pixels, channels) {
  const size = Math.sqrt(pixels.length / channels);
  const image = sharp(pixels, { raw: { width: size, height: size, channels } });
  const png = channels === 1 ? image.toColourspace("b-w") : image;
  await writeFile(path, await png.png({ compressionLevel: 3 }).toBuffer());
}
