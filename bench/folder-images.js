/** A folder of JPEGs with smooth shapes, as photographs have, at the size that photographs of datasets have. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { random } from "../examples/support/random.js";

export const [WIDTH, HEIGHT] = [500, 375];

/**
 * @param {string} folder
 * @param {number} count
 * @returns {Promise<string[]>} paths of the files
 */
export async function writeFolderImages(folder, count) {
  await mkdir(folder, { recursive: true });
  /** @type {string[]} */
  const files = [];
  const stream = random("bench", "folder");
  for (let index = 0; index < count; index++) {
    const file = join(folder, `${index}.jpg`);
    const small = Uint8Array.from({ length: 16 * 12 * 3 }, () => stream.integer(256));
    const image = sharp(small, { raw: { width: 16, height: 12, channels: 3 } }).resize(WIDTH, HEIGHT);
    await image.jpeg({ quality: 90 }).toFile(file);
    files.push(file);
  }
  return files;
}
