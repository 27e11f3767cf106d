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

/** A place belongs to an aspect from this share on of the most that any place of the layer holds of `p^2`, */
const LEAST_OF_MOST = 0.01;
/** and from this one on it is no place of less relevant aspects. */
const LEAST_TO_KEEP = 0.02;

/** How much of the answer's evidence one aspect accounts for. */
export interface AspectRelevance {
  /** 0..1. */
  readonly relevance: number;
  /**
   * The same at places that hold no more relevant aspect, 0..1: what it accounts for apart from those. The share enters by its root:
   * beside another cause, an aspect can only have a part of the evidence, which its cosine shows already.
   */
  readonly apart: number;
}

/**
 * How much of the answer's evidence each aspect accounts for beside the others: the share of the evidence at the aspect's places
 * times the cosine of the two, `|c_P|^2 / |c|^2 * <c, p> / (|c| |p|)`, P being the places that hold the aspect. A few channels read
 * by chance reach a cosine anywhere; the share of the place asks that the answer is read there.
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
  const taken = left.map(() => 0);
  const waiting = new Set(left.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (left[b] > left[a] ? b : a));
    waiting.delete(best);
    taken[best] = Math.max(0, left[best]);
    if (taken[best] === 0) continue;
    for (const other of waiting) {
      const norms = overlaps[best].norm * overlaps[other].norm;
      if (norms > 0) left[other] -= (taken[best] * sharedBy(aspects[best], aspects[other], taps)) / norms;
    }
  }
  const relevances = overlaps.map(({ share }, index) => taken[index] * share);
  const apart = apartFromMoreRelevant(aspects, taps, relevances);
  return relevances.map((relevance, index) => ({ relevance, apart: taken[index] * Math.sqrt(apart[index]) }));
}

/** Of each aspect, the share of `|c|^2` at its places that hold no aspect of higher relevance. */
function apartFromMoreRelevant(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
  relevances: readonly number[],
): number[] {
  const shares = relevances.map(() => 0);
  const held: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
    Object.entries(taps).map(([tap, { evidence }]) => [tap, new Uint8Array(evidence.data.length)]),
  );
  for (const index of [...relevances.keys()].sort((a, b) => relevances[b] - relevances[a])) {
    let [within, answer] = [0, 0];
    for (const { tap, overlap } of aspects[index]) {
      const { evidence } = taps[tap];
      const own = placesOf(overlap, { from: LEAST_OF_MOST });
      const kept = placesOf(overlap, { from: LEAST_TO_KEEP });
      for (let place = 0; place < own.length; place++) {
        answer += evidence.data[place];
        if (own[place] === 1 && held[tap][place] === 0) within += evidence.data[place];
        if (relevances[index] > 0) held[tap][place] |= kept[place];
      }
    }
    shares[index] = answer > 0 ? within / answer : 0;
  }
  return shares;
}

/** 1 where a place holds at least a share of what the fullest one holds of the aspect. */
function placesOf({ data }: NdArray, { from }: { from: number }): Uint8Array {
  const places = new Uint8Array(data.length / 2);
  let most = 0;
  for (let place = 0; place < places.length; place++) most = Math.max(most, data[2 * place + 1]);
  for (let place = 0; place < places.length; place++) {
    const square = data[2 * place + 1];
    if (square > 0 && square >= from * most) places[place] = 1;
  }
  return places;
}

/**
 * The same of one instance, its own overlap beside all of the answer's evidence. Nothing is taken off for other aspects: it tells the
 * instances of an aspect apart, of which the answer may need one for what another aspect makes of it (the striped pet of two).
 *
 * @param cells of the instance, by layer: `[height * width]`, non-zero where the place counts.
 */
export function instanceRelevance(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  { cells }: { cells: Readonly<Record<string, Uint8Array>> },
): number {
  const { cosine, share } = overlapOf(aspect, taps, cells);
  return Math.max(0, cosine) * share;
}

/** `<c, p> / (|c| |p|)` of one aspect, `|p|`, and the share of `|c|^2` at its places; c counts everywhere, p in the cells. */
function overlapOf(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  cells?: Readonly<Record<string, Uint8Array>>,
): { cosine: number; norm: number; share: number } {
  let [shared, answer, within, squares] = [0, 0, 0, 0];
  for (const { tap, overlap } of aspect) {
    const { evidence } = taps[tap];
    const own = placesOf(overlap, { from: LEAST_OF_MOST });
    for (let place = 0; place < own.length; place++) {
      answer += evidence.data[place];
      if (cells?.[tap][place] === 0) continue;
      shared += overlap.data[2 * place];
      squares += overlap.data[2 * place + 1];
      if (own[place] === 1) within += evidence.data[place];
    }
  }
  // Two roots: the product of the sums can leave the range of doubles where gradients are tiny.
  const norm = Math.sqrt(squares);
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
