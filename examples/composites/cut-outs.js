/**
 * The material of the composites: photographs as backgrounds, and animals and blood cells cut out along their masks.
 */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { random, shuffled } from "../support/random.js";

/** @typedef {"train" | "validation" | "test"} Split */

/**
 * @typedef {object} CutOut
 * @property {Uint8Array} pixels `[height, width, 4]` RGBA, cropped to the object; alpha is 0 or 255
 * @property {number} width pixels
 * @property {number} height pixels
 */

/**
 * @typedef {object} Material what may be drawn in one split; no two splits share a photograph, an animal or a cell
 * @property {readonly Uint8Array[]} backgrounds `[size, size, 3]` RGB
 * @property {readonly CutOut[]} cat
 * @property {readonly CutOut[]} dog
 * @property {readonly CutOut[]} cell
 */

/** One in so many training animals, cells and photographs is used for validation. */
const VALIDATION_SHARE = 1 / 8;
/**
 * ImageNet's dogs, wolves, foxes and cats, as places in Keras' order: as backgrounds they would show an animal that the
 * masks and labels deny.
 */
const DOGS_AND_CATS = { first: 151, last: 293 };
/**
 * Smaller animals are a few pixels once they are scaled with their surroundings, and their outlines are no longer
 * accurate.
 */
const FEWEST_PIXELS = 200;

/**
 * @param {string} folder with `imagenet_sample_1000`, `pets3` and `wbc` unpacked.
 * @param {{ size: number, seed: number }} options `size`: side of the composites, pixels.
 * @returns {Promise<Record<Split, Material>>}
 */
export async function loadMaterial(folder, { size, seed }) {
  const backgrounds = await loadBackgrounds(join(folder, "imagenet_sample_1000"), { size, seed });
  const animals = await loadAnimals(join(folder, "pets3"), seed);
  const cells = await loadCells(join(folder, "wbc"), seed);
  /** @param {Split} split */
  const of = (split) => ({
    backgrounds: backgrounds[split],
    cat: animals.cat[split],
    dog: animals.dog[split],
    cell: cells[split],
  });
  return { train: of("train"), validation: of("validation"), test: of("test") };
}

/**
 * Half of the photographs, chosen at random (in the given order the first half shows animals), are for training.
 *
 * @param {string} folder
 * @param {{ size: number, seed: number }} options
 */
async function loadBackgrounds(folder, { size, seed }) {
  /** @type {{ image: string }[]} */
  const index = await readIndex(folder);
  const usable = index.filter((_, place) => place < DOGS_AND_CATS.first || place > DOGS_AND_CATS.last);
  const drawn = shuffled(usable, random(seed, "backgrounds"));
  const half = Math.floor(drawn.length / 2);
  /** @param {readonly { image: string }[]} items */
  const decode = (items) =>
    Promise.all(
      items.map(async ({ image: path }) => {
        const image = sharp(join(folder, path)).resize(size, size, { fit: "fill" }).removeAlpha().toColourspace("srgb");
        return new Uint8Array(await image.raw().toBuffer());
      }),
    );
  return { ...(await share(drawn.slice(0, half), decode)), test: await decode(drawn.slice(half)) };
}

/**
 * The animals of the set's trainval list are for training, those of its test list for testing.
 *
 * @param {string} folder
 * @param {number} seed
 */
async function loadAnimals(folder, seed) {
  /** @type {{ image: string, trimap: string, species: "cat" | "dog", split: string | null }[]} */
  const index = await readIndex(folder);
  /** @param {"cat" | "dog"} species */
  const load = async (species) => {
    const items = index.filter((item) => item.species === species);
    /** @param {typeof items} chosen Pet and border band (trimap 1 and 3): thin parts lie in the band altogether. */
    const decode = (chosen) =>
      cutAll(
        folder,
        chosen.map(({ image, trimap }) => ({ image, mask: trimap, values: [1, 3] })),
      );
    const learning = shuffled(
      items.filter((item) => item.split === "trainval"),
      random(seed, species),
    );
    return { ...(await share(learning, decode)), test: await decode(items.filter((item) => item.split === "test")) };
  };
  return { cat: await load("cat"), dog: await load("dog") };
}

/**
 * Cells of both stains; every second one is for training.
 *
 * @param {string} folder
 * @param {number} seed
 */
async function loadCells(folder, seed) {
  /** @type {{ items: { image: string, mask: string }[] }} */
  const { items } = await readIndex(folder);
  /** @param {typeof items} chosen Cytoplasm and nucleus. */
  const decode = (chosen) =>
    cutAll(
      folder,
      chosen.map(({ image, mask }) => ({ image, mask, values: [1, 2] })),
    );
  const learning = shuffled(
    items.filter((_, place) => place % 2 === 1),
    random(seed, "cell"),
  );
  return { ...(await share(learning, decode)), test: await decode(items.filter((_, place) => place % 2 === 0)) };
}

/**
 * @template T, U
 * @param {readonly T[]} learning
 * @param {(items: T[]) => Promise<U[]>} decode
 */
async function share(learning, decode) {
  const count = Math.round(learning.length * VALIDATION_SHARE);
  return { validation: await decode(learning.slice(0, count)), train: await decode(learning.slice(count)) };
}

/**
 * @param {string} folder
 * @param {readonly { image: string, mask: string, values: readonly number[] }[]} items
 */
async function cutAll(folder, items) {
  const cuts = await Promise.all(
    items.map(async ({ image, mask, values }) => {
      const colour = sharp(join(folder, image)).removeAlpha().toColourspace("srgb");
      const { data, info } = await colour.raw().toBuffer({ resolveWithObject: true });
      const raw = await sharp(join(folder, mask)).toColourspace("b-w").raw().toBuffer();
      return cutOut({ pixels: data, width: info.width, height: info.height }, { mask: raw, values });
    }),
  );
  return cuts.filter((cut) => cut !== undefined);
}

/**
 * @param {{ pixels: Uint8Array, width: number, height: number }} image `[height, width, 3]` RGB.
 * @param {{ mask: Uint8Array, values: readonly number[] }} options `[height, width]`, and the values that mean the object.
 * @returns {CutOut | undefined} cropped to the object; none where it is too small to be told.
 */
export function cutOut({ pixels, width, height }, { mask, values }) {
  let [top, left, bottom, right, count] = [height, width, -1, -1, 0];
  for (let i = 0; i < mask.length; i++) {
    if (!values.includes(mask[i])) continue;
    const y = Math.floor(i / width);
    const x = i % width;
    [top, left, bottom, right] = [Math.min(top, y), Math.min(left, x), Math.max(bottom, y), Math.max(right, x)];
    count++;
  }
  if (count < FEWEST_PIXELS) return undefined;
  const cut = { width: right - left + 1, height: bottom - top + 1 };
  const rgba = new Uint8Array(cut.width * cut.height * 4);
  for (let y = 0; y < cut.height; y++) {
    for (let x = 0; x < cut.width; x++) {
      const from = (y + top) * width + x + left;
      const to = (y * cut.width + x) * 4;
      rgba.set(pixels.subarray(from * 3, from * 3 + 3), to);
      rgba[to + 3] = values.includes(mask[from]) ? 255 : 0;
    }
  }
  return { pixels: rgba, ...cut };
}

/** @param {string} folder */
async function readIndex(folder) {
  return JSON.parse(await readFile(join(folder, "index.json"), "utf8"));
}
