/** Masks and amount maps of a sample, from a file's raw values to the model's square by nearest neighbour. */

import { ImageError } from "../core/errors.js";
import type { Crop } from "../core/view.js";
import type { Raster } from "./raster.js";

/** JPEG smears edges over all small values; half of 255 is where an edge was. */
const LOSSY_THRESHOLD = 128;

export interface SquareOptions {
  /** Side of the square, pixels. */
  readonly size: number;
  /** In upright original pixels. */
  readonly crop: Crop;
  readonly flip: boolean;
}

/**
 * @param image width and height of the upright image that it belongs to.
 * @throws ImageError naming both sizes where they differ.
 */
export function checkRasterSize(raster: Raster, image: { width: number; height: number }, path: string): void {
  if (raster.width === image.width && raster.height === image.height) return;
  throw new ImageError(
    `${path}: ${raster.width} x ${raster.height} pixels, its image has ${image.width} x ${image.height} upright. Save it in the image's size (EXIF orientation applied).`,
  );
}

/**
 * @param values the pixel values that mean the aspect; any but zero by default (from 128 on in a JPEG).
 * @returns `[size * size]` of 0 and 1.
 * @throws ImageError where `values` is given for a mask whose values are colours.
 */
export function toMask(
  raster: Raster,
  options: SquareOptions & { values?: readonly number[]; path: string },
): Uint8Array {
  const { values, path } = options;
  if (values && raster.meaning === "colours") {
    throw new ImageError(
      `${path}: its pixels are colours, but "values" picks numbers. Save it as an indexed or grey PNG.`,
    );
  }
  const least = raster.isLossy ? LOSSY_THRESHOLD : 1;
  const wanted = values && new Set(values);
  return toSquare(
    raster,
    options,
    wanted ? (value) => (wanted.has(value) ? 1 : 0) : (value) => (value >= least ? 1 : 0),
  );
}

/**
 * @returns `[size * size]` 0..255 for amounts of 0..1.
 * @throws ImageError where the file's values are no levels.
 */
export function toMap(raster: Raster, options: SquareOptions & { path: string }): Uint8Array {
  if (raster.meaning !== "levels") {
    throw new ImageError(
      `${options.path}: its pixels are ${raster.meaning === "indices" ? "palette indices" : "colours"}, not amounts. Save it as a grey PNG.`,
    );
  }
  const scale = 255 / raster.maximum;
  return toSquare(raster, options, (value) => Math.round(value * scale));
}

/** @param convert of each value that the file can hold; looked up, since a mask has few values and many pixels. */
function toSquare(raster: Raster, { size, crop, flip }: SquareOptions, convert: (value: number) => number): Uint8Array {
  const table = new Int16Array(raster.maximum + 1).fill(-1);
  const out = new Uint8Array(size * size);
  // The middle of each output pixel, in source pixels.
  const columns = new Int32Array(size);
  for (let x = 0; x < size; x++) {
    columns[flip ? size - 1 - x : x] = crop.left + Math.floor(((x + 0.5) * crop.width) / size);
  }
  for (let y = 0; y < size; y++) {
    const row = (crop.top + Math.floor(((y + 0.5) * crop.height) / size)) * raster.width;
    for (let x = 0; x < size; x++) {
      const value = raster.values[row + columns[x]];
      if (table[value] < 0) table[value] = convert(value);
      out[y * size + x] = table[value];
    }
  }
  return out;
}
