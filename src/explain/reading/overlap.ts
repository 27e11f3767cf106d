/** One aspect's evidence beside the answer's: their cosine, and the share of the answer's evidence at the aspect's places. */

import type { NdArray } from "../../core/nd-array.js";
import { LEAST_SHARE_OF_PLACE } from "../relevance-constants.js";

/** What the graph sums over channels at each place of one layer. */
export interface TapSums {
  /** Sums of `c^2` and of `|c|`, `[1, height, width, 2]`. */
  readonly evidence: NdArray;
  /** `<p_a, p_b>` of the n aspects of this layer, `[1, n (n - 1) / 2]`, in the order of `pairSums`; absent where there is but one. */
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

export interface Measured {
  /** `<d, p> / (|d| |p|)`, at most 1. */
  readonly cosine: number;
  /** `|p|`. */
  readonly norm: number;
  /** `|d|` in the aspect's layers, everywhere. */
  readonly answer: number;
  /** Of `|c|^2`, what lies at the aspect's places. */
  readonly share: number;
  /** By layer, `p^2` at each place as a share of the most that any holds. */
  readonly fills: readonly (readonly [tap: string, fill: Float64Array])[];
}

/** One aspect beside the answer; c counts everywhere, p in the cells. */
export function measure(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  cells?: Readonly<Record<string, Uint8Array>>,
): Measured {
  let [shared, squares, roots, whole, within] = [0, 0, 0, 0, 0];
  const fills = aspect.map(({ tap, overlap }) => [tap, fillOf(overlap)] as const);
  for (const [index, { tap, overlap }] of aspect.entries()) {
    const { data } = taps[tap].evidence;
    const [, fill] = fills[index];
    for (let place = 0; place < fill.length; place++) {
      whole += data[2 * place];
      roots += data[2 * place + 1];
      if (cells?.[tap][place] === 0) continue;
      shared += overlap.data[2 * place];
      squares += overlap.data[2 * place + 1];
      if (fill[place] >= LEAST_SHARE_OF_PLACE) within += data[2 * place];
    }
  }
  // Two roots: the product of the sums can leave the range of doubles where gradients are tiny.
  const [norm, answer] = [Math.sqrt(squares), Math.sqrt(roots)];
  const norms = answer * norm;
  return {
    cosine: norms > 0 ? Math.min(1, shared / norms) : 0,
    norm,
    answer,
    share: whole > 0 ? within / whole : 0,
    fills,
  };
}

/** `p^2` at each place as a share of the fullest one's, 0..1; all 0 where none holds anything. */
function fillOf({ data }: NdArray): Float64Array {
  const squares = Float64Array.from({ length: data.length / 2 }, (_, place) => data[2 * place + 1]);
  const most = squares.reduce((a, b) => Math.max(a, b), 0);
  return most > 0 ? squares.map((square) => square / most) : squares;
}
