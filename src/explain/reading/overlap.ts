/**
 * One aspect's evidence and the answer's: their cosine, and the share of the answer's evidence at the aspect's places.
 * docs/explanations.md says what c, d and p are.
 */

import type { NdArray } from "../../core/nd-array.js";
import { LEAST_SHARE_OF_PLACE } from "../relevance-constants.js";

/** What the graph sums over channels at each place of one layer. */
export interface TapSums {
  /** Sums of `c^2` and of `|c|`, `[1, height, width, 2]`. */
  readonly evidence: NdArray;
  /**
   * `<p_a, p_b>` of the n aspects of this layer, `[1, n (n - 1) / 2]`, in the order of `pairSums`; absent where n is 1.
   */
  readonly shared?: { readonly aspectCount: number; readonly sums: NdArray };
}

/** One aspect at one layer. */
export interface AspectOverlap {
  readonly tap: string;
  /** Its place among the aspects of the layer. */
  readonly index: number;
  /** Sums of `sign(c) sqrt(|c|) p` and of `p^2`, `[1, height, width, 2]`. */
  readonly overlap: NdArray;
}

export interface MeasuredOverlap {
  /** `<d, p> / (|d| |p|)`, at most 1. */
  readonly cosine: number;
  /** `|p|`. */
  readonly aspectNorm: number;
  /** `|d|` in the aspect's layers, at all places. */
  readonly answerNorm: number;
  /** Of `|c|^2`, what lies at the aspect's places, 0..1. */
  readonly share: number;
  /** By layer, `p^2` at each place as a share of the highest of the layer, 0..1. */
  readonly occupancies: readonly (readonly [tap: string, occupancy: Float64Array])[];
}

/** @param cells by layer, non-zero where p counts; everywhere without it. c counts everywhere. */
export function measureOverlap(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  cells?: Readonly<Record<string, Uint8Array>>,
): MeasuredOverlap {
  let [shared, squares, roots, whole, within] = [0, 0, 0, 0, 0];
  const occupancies = aspect.map(({ tap, overlap }) => [tap, occupancyOf(overlap)] as const);
  for (const [index, { tap, overlap }] of aspect.entries()) {
    const { data } = taps[tap].evidence;
    const [, occupancy] = occupancies[index];
    for (let place = 0; place < occupancy.length; place++) {
      whole += data[2 * place];
      roots += data[2 * place + 1];
      if (cells?.[tap][place] === 0) continue;
      shared += overlap.data[2 * place];
      squares += overlap.data[2 * place + 1];
      if (occupancy[place] >= LEAST_SHARE_OF_PLACE) within += data[2 * place];
    }
  }
  // Two roots: the product of the sums can leave the range of doubles where gradients are tiny.
  const [aspectNorm, answerNorm] = [Math.sqrt(squares), Math.sqrt(roots)];
  const norms = answerNorm * aspectNorm;
  return {
    cosine: norms > 0 ? Math.min(1, shared / norms) : 0,
    aspectNorm,
    answerNorm,
    share: whole > 0 ? within / whole : 0,
    occupancies,
  };
}

/** `p^2` at each place as a share of the highest, 0..1; all 0 where all are. */
function occupancyOf({ data }: NdArray): Float64Array {
  const squares = Float64Array.from({ length: data.length / 2 }, (_, place) => data[2 * place + 1]);
  const most = squares.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? squares.map((square) => square / most) : squares;
}
