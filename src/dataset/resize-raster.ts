/**
 * Resizes a mask or map to the model's input: area averaging when it gets smaller, nearest pixel when it gets larger.
 */

import { type Crop, placesIn, type Symmetry, turnedSize } from "../core/augmented-view.js";
import { pixelCount, type Size, sidesOf } from "../core/size.js";
import type { Raster } from "./raster.js";

export interface SeenOptions extends Symmetry {
  /** Of the result, pixels. */
  readonly size: Size;
  /** In upright original pixels; beyond the image its edge is repeated. */
  readonly crop: Crop;
}

/**
 * The mean over the area that each output pixel covers. Along a side that does not get smaller, each takes the pixel
 * under its centre, so that a mask of the model's size stays unchanged.
 *
 * @param convert converts each value to an integer; results are looked up, since a mask has few values and many pixels.
 * @returns `[height * width]`; sums are of integers, so that rounding never makes a fully covered pixel less than 1, or a
 *   slightly covered one 0.
 */
export function toSeen(
  raster: Raster,
  { size, crop, ...symmetry }: SeenOptions,
  convert: (value: number) => number,
): Float32Array {
  const { values, width, height, found, maximum } = raster;
  const table = new Float64Array(maximum + 1);
  for (const value of found) table[value] = convert(value);
  const upright = sidesOf(turnedSize(size, symmetry));
  const across = coverage({ start: crop.left, length: crop.width, whole: width }, upright.width);
  const down = coverage({ start: crop.top, length: crop.height, whole: height }, upright.height);
  const total = across.total * down.total;
  const out = new Float32Array(pixelCount(size));
  const places = placesIn(upright, symmetry);
  // Each source row is reduced once; most rows of most masks hold one value.
  const rowValues = valuesOfRows(raster);
  const reduced = new Float64Array(upright.width);
  const sums = new Float64Array(upright.width);
  let reducedRow = -1;
  for (let y = 0; y < upright.height; y++) {
    sums.fill(0);
    for (let row = down.begin[y], from = down.first[y]; row < down.begin[y + 1]; row++, from++) {
      const only = rowValues[from];
      if (only >= 0 && table[only] === 0) continue;
      if (from !== reducedRow) {
        if (only >= 0) reduced.fill(across.total * table[only]);
        else reduceRow(values.subarray(from * width, (from + 1) * width), table, across, reduced);
        reducedRow = from;
      }
      const weight = down.weights[row];
      for (let x = 0; x < upright.width; x++) sums[x] += weight * reduced[x];
    }
    const { first, across: step } = places;
    for (let x = 0, to = first + y * places.down; x < upright.width; x++, to += step) out[to] = sums[x] / total;
  }
  return out;
}

/** By a raster's pixels, which are kept from epoch to epoch. */
const knownRows = new WeakMap<Raster["values"], Int32Array>();

/** The value of each row that holds no other; -1 of the others. */
function valuesOfRows({ values, width, height }: Raster): Int32Array {
  const known = knownRows.get(values);
  if (known) return known;
  const rows = new Int32Array(height);
  for (let row = 0; row < height; row++) {
    const [first, end] = [row * width, (row + 1) * width];
    let at = first + 1;
    while (at < end && values[at] === values[first]) at++;
    rows[row] = at < end ? -1 : values[first];
  }
  knownRows.set(values, rows);
  return rows;
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
