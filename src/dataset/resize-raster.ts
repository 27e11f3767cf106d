/**
 * Resizes a mask or map to the model's input: area averaging when it gets smaller, nearest pixel when it gets larger.
 */

import { type Crop, placeIn, type Symmetry } from "../core/augmented-view.js";
import type { Raster } from "./raster.js";

export interface SquareOptions extends Symmetry {
  /** Side of the square, pixels. */
  readonly size: number;
  /** In upright original pixels; beyond the image its edge is repeated. */
  readonly crop: Crop;
}

/**
 * The mean over the area that each output pixel covers. Along a side that does not get smaller, each takes the pixel
 * under its centre, so that a mask of the model's size stays unchanged.
 *
 * @param convert converts each value to an integer; results are looked up, since a mask has few values and many pixels.
 * @returns `[size * size]`; sums are of integers, so that rounding never makes a fully covered pixel less than 1, or a
 *   slightly covered one 0.
 */
export function toSquare(
  { values, width, height, found, maximum }: Raster,
  { size, crop, ...symmetry }: SquareOptions,
  convert: (value: number) => number,
): Float32Array {
  const table = new Float64Array(maximum + 1);
  for (const value of found) table[value] = convert(value);
  const across = coverage({ start: crop.left, length: crop.width, whole: width }, size);
  const down = coverage({ start: crop.top, length: crop.height, whole: height }, size);
  const total = across.total * down.total;
  const out = new Float32Array(size * size);
  const place = placeIn(size, symmetry);
  // Each source row is reduced once; most rows of most masks hold nothing but zeros.
  const reduced = new Float64Array(size);
  let reducedRow = -1;
  let isEmpty = true;
  for (let y = 0; y < size; y++) {
    const sums = new Float64Array(size);
    for (let row = down.begin[y], from = down.first[y]; row < down.begin[y + 1]; row++, from++) {
      if (from !== reducedRow) {
        const whole = values.subarray(from * width, (from + 1) * width);
        isEmpty = isZero(whole, table);
        if (!isEmpty) reduceRow(whole, table, across, reduced);
        reducedRow = from;
      }
      if (isEmpty) continue;
      const weight = down.weights[row];
      for (let x = 0; x < size; x++) sums[x] += weight * reduced[x];
    }
    for (let x = 0; x < size; x++) out[place(y * size + x)] = sums[x] / total;
  }
  return out;
}

function isZero(row: Uint8Array | Uint16Array, table: Float64Array): boolean {
  for (let at = 0; at < row.length; at++) if (table[row[at]] !== 0) return false;
  return true;
}

/** Weighted sums of one row over each output pixel's columns, into `sums`. */
function reduceRow(
  row: Uint8Array | Uint16Array,
  table: Float64Array,
  { first, begin, weights }: Coverage,
  sums: Float64Array,
): void {
  for (let x = 0; x < sums.length; x++) {
    let sum = 0;
    for (let column = begin[x], at = first[x]; column < begin[x + 1]; column++, at++)
      sum += weights[column] * table[row[at]];
    sums[x] = sum;
  }
}

/** The source pixels that each output pixel covers, with weights that sum to `total`. */
interface Coverage {
  /** First source pixel of each output pixel. */
  readonly first: Int32Array;
  /** Where the weights of each output pixel begin; one more entry at the end. */
  readonly begin: Int32Array;
  readonly weights: Float64Array;
  readonly total: number;
}

/** @param part of `whole` source pixels. */
function coverage({ start, length, whole }: { start: number; length: number; whole: number }, size: number): Coverage {
  const source = (index: number) => Math.min(whole - 1, Math.max(0, start + index));
  const first = new Int32Array(size);
  const begin = new Int32Array(size + 1);
  const weights: number[] = [];
  for (let i = 0; i < size; i++) {
    // In units in which a source pixel is `size` wide, output pixel i covers i * length to (i + 1) * length.
    const from = i * length;
    const to = from + length;
    if (length > size) {
      const begun = Math.floor(from / size);
      first[i] = source(begun);
      for (let pixel = begun; pixel * size < to; pixel++) {
        const weight = Math.min((pixel + 1) * size, to) - Math.max(pixel * size, from);
        if (pixel > begun && source(pixel) === source(pixel - 1)) weights[weights.length - 1] += weight;
        else weights.push(weight);
      }
    } else {
      first[i] = source(Math.floor(((i + 0.5) * length) / size));
      weights.push(1);
    }
    begin[i + 1] = weights.length;
  }
  return { first, begin, weights: Float64Array.from(weights), total: length > size ? length : 1 };
}
