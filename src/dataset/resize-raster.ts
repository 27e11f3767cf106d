/** Resizes a mask or map to the model's square: by area where it is made smaller, by nearest pixel where larger. */

import type { Crop } from "../core/view.js";
import type { Raster } from "./raster.js";

export interface SquareOptions {
  /** Side of the square, pixels. */
  readonly size: number;
  /** In upright original pixels. */
  readonly crop: Crop;
  readonly flip: boolean;
}

/**
 * The mean over the area that each output pixel covers. Along a side that is not made smaller each takes the pixel
 * under its middle, so that a mask of the model's size comes out as it is.
 *
 * @param convert of each value to a whole number; looked up, since a mask has few values and many pixels.
 * @returns `[size * size]`; sums are of whole numbers, so that no rounding makes a whole pixel less than 1, or a trace
 *   0.
 */
export function toSquare(
  { values, width, found, maximum }: Raster,
  { size, crop, flip }: SquareOptions,
  convert: (value: number) => number,
): Float32Array {
  const table = new Float64Array(maximum + 1);
  for (const value of found) table[value] = convert(value);
  const across = coverage(crop.left, crop.width, size);
  const down = coverage(crop.top, crop.height, size);
  const total = across.total * down.total;
  const out = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const sums = new Float64Array(size);
    for (let row = down.begin[y], place = down.first[y]; row < down.begin[y + 1]; row++, place++) {
      const start = place * width;
      for (let x = 0; x < size; x++) {
        let sum = 0;
        const end = across.begin[x + 1];
        for (let column = across.begin[x], at = start + across.first[x]; column < end; column++, at++)
          sum += across.weights[column] * table[values[at]];
        sums[x] += down.weights[row] * sum;
      }
    }
    for (let x = 0; x < size; x++) out[y * size + (flip ? size - 1 - x : x)] = sums[x] / total;
  }
  return out;
}

/** Which source pixels each output pixel covers, in units of which all that it covers makes `total`. */
interface Coverage {
  /** First source pixel of each output pixel. */
  readonly first: Int32Array;
  /** Of each output pixel, where its weights begin; one more at the end. */
  readonly begin: Int32Array;
  readonly weights: Float64Array;
  readonly total: number;
}

function coverage(start: number, length: number, size: number): Coverage {
  const first = new Int32Array(size);
  const begin = new Int32Array(size + 1);
  const weights: number[] = [];
  for (let i = 0; i < size; i++) {
    // Output pixel i is i * length to (i + 1) * length where a source pixel is `size` wide.
    const from = i * length;
    const to = from + length;
    if (length > size) {
      first[i] = start + Math.floor(from / size);
      for (let pixel = Math.floor(from / size); pixel * size < to; pixel++)
        weights.push(Math.min((pixel + 1) * size, to) - Math.max(pixel * size, from));
    } else {
      first[i] = start + Math.floor(((i + 0.5) * length) / size);
      weights.push(1);
    }
    begin[i + 1] = weights.length;
  }
  return { first, begin, weights: Float64Array.from(weights), total: length > size ? length : 1 };
}
