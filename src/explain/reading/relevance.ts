/** How far each aspect's evidence and the answer's lie in the same elements: the number that decides. */

import type { NdArray } from "../../core/nd-array.js";

/** What the graph sums over channels at each place of one layer. */
export interface TapSums {
  /** Sums of `c^2`, `[1, height, width, 1]`. */
  readonly evidence: NdArray;
  /** Sums of `p_a p_b`, `[1, height, width, n * n]` over the n aspects of this layer; absent where there is but one. */
  readonly pairs?: NdArray;
}

/** One aspect at one layer. */
export interface AspectOverlap {
  readonly tap: string;
  /** Its place among the aspects of the layer. */
  readonly index: number;
  /** Sums of `c p` and of `p^2`, `[1, height, width, 2]`. */
  readonly overlap: NdArray;
}

export interface Chosen {
  /** By layer, `[height * width]`, non-zero where the place counts; all places without it. */
  readonly cells?: Readonly<Record<string, Uint8Array>>;
}

/**
 * How much of the answer's evidence each aspect accounts for beside the others, by matching pursuit (Mallat and Zhang 1993,
 * doi:10.1109/78.258082): the aspect that overlaps most with c takes `<c, p> / (|c| |p|)`, and what it takes is no longer there
 * for the next. Two aspects on one object share much of their evidence, and what both share with the answer would speak for
 * either; the pursuit counts it once, for the one that fits better. Aspects that share nothing do not feel one another.
 *
 * Sums are over all elements of all layers, or the chosen ones.
 *
 * @param aspects those that are present, each with its layers.
 * @returns 0..1 for each; 0 where either has no evidence there at all.
 */
export function relevancesOf(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
  { cells }: Chosen = {},
): number[] {
  const overlaps = aspects.map((aspect) => overlapOf(aspect, taps, { cells }));
  const left = overlaps.map(({ cosine }) => cosine);
  const relevances = left.map(() => 0);
  const waiting = new Set(left.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (left[b] > left[a] ? b : a));
    waiting.delete(best);
    relevances[best] = Math.max(0, left[best]);
    for (const other of waiting) {
      const norms = overlaps[best].norm * overlaps[other].norm;
      if (norms > 0)
        left[other] -= (relevances[best] * sharedBy(aspects[best], aspects[other], taps, { cells })) / norms;
    }
  }
  return relevances;
}

/** `<c, p> / (|c| |p|)` of one aspect, and `|p|`. */
function overlapOf(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  { cells }: Chosen,
): { cosine: number; norm: number } {
  let [shared, answer, own] = [0, 0, 0];
  for (const { tap, overlap } of aspect) {
    const { evidence } = taps[tap];
    for (let place = 0; place < evidence.data.length; place++) {
      if (cells && cells[tap][place] === 0) continue;
      answer += evidence.data[place];
      shared += overlap.data[2 * place];
      own += overlap.data[2 * place + 1];
    }
  }
  // Two roots: the product of the sums can leave the range of doubles where gradients are tiny.
  const norm = Math.sqrt(own);
  const norms = Math.sqrt(answer) * norm;
  return { cosine: norms > 0 ? Math.min(1, shared / norms) : 0, norm };
}

/** `<p_a, p_b>` over the layers that both have. */
function sharedBy(
  a: readonly AspectOverlap[],
  b: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  { cells }: Chosen,
): number {
  let sum = 0;
  for (const { tap, index } of a) {
    const other = b.find((candidate) => candidate.tap === tap);
    const { evidence, pairs } = taps[tap];
    if (!other || !pairs) continue;
    const places = evidence.data.length;
    const squared = pairs.data.length / places;
    const column = index * Math.sqrt(squared) + other.index;
    for (let place = 0; place < places; place++) {
      if (cells?.[tap][place] !== 0) sum += pairs.data[place * squared + column];
    }
  }
  return sum;
}
