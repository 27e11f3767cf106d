/** A scene in the making: where a cut-out may go, how it is pasted, and which of its pixels stay visible. */

import sharp from "sharp";

/** @typedef {import("../support/random.js").Random} Random */
/** @typedef {import("../support/dataset.js").Box} Box */
/** @typedef {import("./cut-outs.js").CutOut} CutOut */

/**
 * @typedef {object} Scene
 * @property {number} size side, pixels
 * @property {Uint8Array} pixels `[size, size, 3]` RGB
 * @property {Uint8Array} owners `[size, size]`, 0 for the background, else the number of the pasted object, from 1
 * @property {number} objectCount
 */

/** Share of a new object that may cover earlier ones. */
const MOST_OVERLAP = 0.1;
const PLACE_TRIALS = 20;

/**
 * @param {Uint8Array} background `[size, size, 3]` RGB; copied.
 * @returns {Scene}
 */
export function scene(background) {
  const size = Math.sqrt(background.length / 3);
  return { size, pixels: background.slice(), owners: new Uint8Array(size * size), objectCount: 0 };
}

/**
 * @param {CutOut} cut
 * @param {{ longSide: number, isMirrored: boolean }} options
 * @returns {Promise<CutOut>} scaled to that long side, with an anti-aliased edge.
 */
export async function scaled({ pixels, width, height }, { longSide, isMirrored }) {
  const scale = longSide / Math.max(width, height);
  const target = { width: Math.max(4, Math.round(width * scale)), height: Math.max(4, Math.round(height * scale)) };
  // sharp resizes colours weighted by alpha, so that nothing of the old background bleeds in at the edge.
  const image = sharp(pixels, { raw: { width, height, channels: 4 } }).resize({ ...target, fit: "fill" });
  return { pixels: new Uint8Array(await image.flop(isMirrored).raw().toBuffer()), ...target };
}

/**
 * Pastes at a random free place; later objects may hide up to a tenth of themselves' area of earlier ones.
 *
 * @param {Scene} target changed in place.
 * @param {CutOut} cut fits into the scene.
 * @param {Random} random
 * @returns {number} the object's number, or 0 where no free place was found.
 */
export function paste(target, cut, random) {
  for (let trial = 0; trial < PLACE_TRIALS; trial++) {
    const top = random.integer(target.size - cut.height + 1);
    const left = random.integer(target.size - cut.width + 1);
    if (overlap(target, cut, { top, left }) < MOST_OVERLAP) return pasteAt(target, cut, { top, left });
  }
  return 0;
}

/**
 * @param {Scene} target
 * @param {CutOut} cut
 * @param {{ top: number, left: number }} place pixels
 * @returns {number} the new object's number. A pixel belongs to the object that makes up more than half of it.
 */
export function pasteAt(target, cut, { top, left }) {
  target.objectCount++;
  for (let y = 0; y < cut.height; y++) {
    for (let x = 0; x < cut.width; x++) {
      const from = (y * cut.width + x) * 4;
      const to = (y + top) * target.size + x + left;
      const alpha = cut.pixels[from + 3] / 255;
      for (let k = 0; k < 3; k++) {
        const under = target.pixels[to * 3 + k];
        target.pixels[to * 3 + k] = Math.round(under + alpha * (cut.pixels[from + k] - under));
      }
      if (alpha > 0.5) target.owners[to] = target.objectCount;
    }
  }
  return target.objectCount;
}

/**
 * @param {Scene} target
 * @param {CutOut} cut
 * @param {{ top: number, left: number }} place
 */
function overlap(target, cut, { top, left }) {
  let area = 0;
  let taken = 0;
  for (let y = 0; y < cut.height; y++) {
    for (let x = 0; x < cut.width; x++) {
      const alpha = cut.pixels[(y * cut.width + x) * 4 + 3];
      area += alpha;
      if (target.owners[(y + top) * target.size + x + left] > 0) taken += alpha;
    }
  }
  return taken / area;
}

/**
 * @param {Scene} drawn
 * @param {number} owner an object's number.
 * @returns {Box[]} the box around its visible pixels; none where it is hidden.
 */
export function visibleBoxes({ size, owners }, owner) {
  let [top, left, bottom, right] = [size, size, -1, -1];
  owners.forEach((value, i) => {
    if (value !== owner) return;
    const y = Math.floor(i / size);
    const x = i % size;
    [top, left, bottom, right] = [Math.min(top, y), Math.min(left, x), Math.max(bottom, y), Math.max(right, x)];
  });
  return bottom < 0 ? [] : [[top / size, left / size, (bottom + 1) / size, (right + 1) / size]];
}
