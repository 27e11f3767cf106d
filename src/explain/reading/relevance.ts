/** How far an aspect's evidence and the answer's lie in the same elements: the number that decides. */

import type { NdArray } from "../../core/nd-array.js";

/** One tap of a head: what the graph sums over channels at each place. */
export interface TapOverlap {
  /** Sums of `c^2`, `[1, height, width, 1]`. */
  readonly evidence: NdArray;
  /** Sums of `c p` and of `p^2`, `[1, height, width, 2]`. */
  readonly overlap: NdArray;
}

/**
 * `<c, p> / (|c| |p|)` over all elements of all taps, or over the chosen cells of each.
 *
 * @param cells by tap, `[height * width]`, non-zero where the place counts; all places without it.
 * @returns 0..1; 0 where either has no evidence there at all.
 */
export function relevanceOf(taps: readonly TapOverlap[], { cells }: { cells?: readonly Uint8Array[] } = {}): number {
  let shared = 0;
  let answer = 0;
  let aspect = 0;
  for (const [tap, { evidence, overlap }] of taps.entries()) {
    for (let place = 0; place < evidence.data.length; place++) {
      if (cells && cells[tap][place] === 0) continue;
      answer += evidence.data[place];
      shared += overlap.data[2 * place];
      aspect += overlap.data[2 * place + 1];
    }
  }
  // Two roots: the product of the sums can leave the range of doubles where gradients are tiny.
  const norms = Math.sqrt(answer) * Math.sqrt(aspect);
  return norms > 0 ? Math.min(1, shared / norms) : 0;
}
