/** The sums in which the answer's evidence and the aspects' overlap: all that `scoresOf` needs of one image. */

import type { NdArray } from "../../core/nd-array.js";

/** What the graph sums over channels at each place of one layer. */
export interface TapSums {
  /** Sums of `c` and of `|c|`, `[1, height, width, 2]`. */
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

/** Sums over all layers that one aspect reads. */
export interface MeasuredOverlap {
  /** `<d, p>`, signed. */
  readonly product: number;
  /** `|p|^2`. */
  readonly aspectSquare: number;
  /** `|d|^2` at all places, which is the sum of `|c|`. */
  readonly answerSquare: number;
}

/** @param cells by layer, non-zero where p counts; everywhere without it. d counts everywhere. */
export function measureOverlap(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  cells?: Readonly<Record<string, Uint8Array>>,
): MeasuredOverlap {
  let [product, aspectSquare, answerSquare] = [0, 0, 0];
  for (const { tap, overlap } of aspect) {
    const { data } = taps[tap].evidence;
    for (let place = 0; place < overlap.data.length / 2; place++) {
      answerSquare += data[2 * place + 1];
      if (cells?.[tap][place] === 0) continue;
      product += overlap.data[2 * place];
      aspectSquare += overlap.data[2 * place + 1];
    }
  }
  return { product, aspectSquare, answerSquare };
}

/** `<p_a, p_b>` over the layers that both have. */
export function sharedBy(
  a: readonly AspectOverlap[],
  b: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
): number {
  let sum = 0;
  for (const { tap, index } of a) {
    const other = b.find((candidate) => candidate.tap === tap);
    const { shared } = taps[tap];
    if (other && shared) sum += shared.sums.data[pairIndex(index, other.index, shared.aspectCount)];
  }
  return sum;
}

/** Where two of `count` aspects stand in the order (0, 1), (0, 2), ..., (1, 2), ... */
function pairIndex(a: number, b: number, count: number): number {
  const [first, second] = [Math.min(a, b), Math.max(a, b)];
  const before = first * (count - 1) - (first * (first - 1)) / 2; // pairs that begin with an earlier aspect
  return before + (second - first - 1);
}
