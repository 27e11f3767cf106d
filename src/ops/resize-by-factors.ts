/**
 * Resizing whose pixels are a given factor apart, which need not be the quotient of the sizes: as products with matrices,
 * exact and with gradients on every engine.
 */

import type * as tf from "@tensorflow/tfjs";
import { mixAxis } from "./mix-axis.js";

/** In the words of ONNX' Resize. */
export interface Resizing {
  readonly method: "nearest" | "bilinear";
  /** Where the new pixels lie on the old ones. */
  readonly places: "halfPixel" | "alignCorners" | "asymmetric";
  /** New pixels for each old one, of rows and columns. */
  readonly factors: readonly [number, number];
  /** Of `nearest`; `preferFloor` and `preferCeil` round, and differ in the middle between two pixels. */
  readonly rounding?: Rounding;
}

export type Rounding = "floor" | "ceil" | "preferFloor" | "preferCeil";

/**
 * @param x `[batch, height, width, channels]`.
 * @param size height and width of the result.
 * @returns `[batch, ...size, channels]`; the caller disposes it.
 */
export function resizeByFactors(x: tf.Tensor4D, size: readonly [number, number], resizing: Resizing): tf.Tensor4D {
  const along = (axis: 0 | 1) => shares(x.shape[axis + 1], size[axis], { ...resizing, factor: resizing.factors[axis] });
  return mixAxis(mixAxis(x, 1, along(0), size[0]), 2, along(1), size[1]);
}

const ROUNDED: Readonly<Record<Rounding, (place: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  preferFloor: (place) => Math.ceil(place - 0.5),
  preferCeil: (place) => Math.floor(place + 0.5),
};

/** `[from, to]`, row-major: how much of each old pixel each new one takes. */
function shares(
  from: number,
  to: number,
  { method, places, factor, rounding = "floor" }: Omit<Resizing, "factors"> & { readonly factor: number },
): Float32Array {
  const matrix = new Float32Array(from * to);
  const bounded = (place: number) => Math.min(from - 1, Math.max(0, place));
  for (let index = 0; index < to; index++) {
    const place = placeOf(index, { places, factor, from, to });
    if (method === "nearest") {
      matrix[bounded(ROUNDED[rounding](place)) * to + index] = 1;
      continue;
    }
    const within = bounded(place);
    const below = Math.floor(within);
    matrix[below * to + index] += 1 - (within - below);
    matrix[bounded(below + 1) * to + index] += within - below;
  }
  return matrix;
}

/** Of a new pixel among the old ones, in float32 as ONNX Runtime computes it: ties fall as they do there. */
function placeOf(
  index: number,
  { places, factor, from, to }: { places: Resizing["places"]; factor: number; from: number; to: number },
): number {
  if (places === "alignCorners") return to === 1 ? 0 : Math.fround((index * (from - 1)) / (to - 1));
  const scale = Math.fround(factor);
  if (places === "asymmetric") return Math.fround(index / scale);
  return Math.fround(Math.fround((index + 0.5) / scale) - 0.5);
}
