/** How far each aspect's evidence and the answer's lie in the same places and elements: the number that decides. */

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

/** A place belongs to an aspect from this share on of the most that any place of the layer holds of `p^2`. */
const LEAST_OF_MOST = 0.01;

/** How much of the answer's evidence one aspect accounts for. */
export interface AspectRelevance {
  /** 0..1. */
  readonly relevance: number;
  /** What the others left of its own overlap, 0..1. */
  readonly kept: number;
}

/**
 * How much of the answer's evidence each aspect accounts for beside the others: the share of the evidence at the aspect's places
 * times the likeness of the two there, `|c_P|^2 / |c|^2 * <c, p>_P / (|c_P| |p_P|)`, P being the places that hold the aspect. For
 * what P holds of p that is `<c, p> / (|c| |p|) * |c_P| / |c|`, the cosine over all elements, which a few channels read by chance
 * reach too, weighed by the place, which they do not.
 *
 * Of the cosines, what several aspects share is counted once, by matching pursuit (Mallat and Zhang 1993, doi:10.1109/78.258082): the aspect
 * that overlaps most with c takes `<c, p> / (|c| |p|)`, and what it takes is no longer there for the next. Two aspects on one
 * object share much of their evidence, and what both share with the answer would speak for either. Aspects that share nothing do
 * not feel one another.
 *
 * Sums are over all elements of all layers.
 *
 * @param aspects those that are present, each with its layers.
 * @returns 0 where either has no evidence there at all, or the aspect speaks against the answer.
 */
export function relevancesOf(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
): AspectRelevance[] {
  const overlaps = aspects.map((aspect) => overlapOf(aspect, taps));
  const left = overlaps.map(({ cosine }) => cosine);
  const found: AspectRelevance[] = left.map(() => ({ relevance: 0, kept: 0 }));
  const waiting = new Set(left.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (left[b] > left[a] ? b : a));
    waiting.delete(best);
    const taken = Math.max(0, left[best]);
    if (taken === 0) continue;
    const { cosine, share } = overlaps[best];
    found[best] = { relevance: taken * Math.sqrt(share), kept: Math.min(1, taken / cosine) };
    for (const other of waiting) {
      const norms = overlaps[best].norm * overlaps[other].norm;
      if (norms > 0) left[other] -= (taken * sharedBy(aspects[best], aspects[other], taps)) / norms;
    }
  }
  return found;
}

/**
 * The same of one instance: its own overlap beside all of the answer's evidence, and of that what the others left to the aspect.
 *
 * @param options.cells of the instance, by layer: `[height * width]`, non-zero where the place counts.
 * @param options.kept by the aspect as a whole.
 */
export function instanceRelevance(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  { cells, kept }: { cells: Readonly<Record<string, Uint8Array>>; kept: number },
): number {
  const { cosine, share } = overlapOf(aspect, taps, cells);
  return Math.max(0, cosine) * kept * Math.sqrt(share);
}

/** `<c, p> / (|c| |p|)` of one aspect, `|p|`, and the share of `|c|^2` at its places; c counts everywhere, p in the cells. */
function overlapOf(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  cells?: Readonly<Record<string, Uint8Array>>,
): { cosine: number; norm: number; share: number } {
  let [shared, answer, within, own] = [0, 0, 0, 0];
  for (const { tap, overlap } of aspect) {
    const { evidence } = taps[tap];
    const places = evidence.data.length;
    let most = 0;
    for (let place = 0; place < places; place++) most = Math.max(most, overlap.data[2 * place + 1]);
    for (let place = 0; place < places; place++) {
      answer += evidence.data[place];
      const square = overlap.data[2 * place + 1];
      if (cells?.[tap][place] === 0) continue;
      shared += overlap.data[2 * place];
      own += square;
      if (square > 0 && square >= LEAST_OF_MOST * most) within += evidence.data[place];
    }
  }
  // Two roots: the product of the sums can leave the range of doubles where gradients are tiny.
  const norm = Math.sqrt(own);
  const norms = Math.sqrt(answer) * norm;
  return {
    cosine: norms > 0 ? Math.min(1, shared / norms) : 0,
    norm,
    share: answer > 0 ? within / answer : 0,
  };
}

/** `<p_a, p_b>` over the layers that both have. */
function sharedBy(
  a: readonly AspectOverlap[],
  b: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
): number {
  let sum = 0;
  for (const { tap, index } of a) {
    const other = b.find((candidate) => candidate.tap === tap);
    const { evidence, pairs } = taps[tap];
    if (!other || !pairs) continue;
    const places = evidence.data.length;
    const squared = pairs.data.length / places;
    const column = index * Math.sqrt(squared) + other.index;
    for (let place = 0; place < places; place++) sum += pairs.data[place * squared + column];
  }
  return sum;
}
