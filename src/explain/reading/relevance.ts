/** How far each aspect's evidence and the answer's lie in the same places and elements: the number that decides. */

import type { NdArray } from "../../core/nd-array.js";

/** What the graph sums over channels at each place of one layer. */
export interface TapSums {
  /** Sums of `c^2` and of `|c|`, `[1, height, width, 2]`. */
  readonly evidence: NdArray;
  /** `<p_a, p_b>` of the n aspects of this layer, `[1, n (n - 1) / 2]`, in the order of `pairSums`; absent where there is but one. */
  readonly pairs?: NdArray;
}

/** One aspect at one layer. */
export interface AspectOverlap {
  readonly tap: string;
  /** Its place among the aspects of the layer. */
  readonly index: number;
  /** Sums of `sign(c) sqrt(|c|) p` and of `p^2`, `[1, height, width, 2]`. */
  readonly overlap: NdArray;
}

/** A place belongs to an aspect from this share on of the most that any place of the same layer holds of `p^2`, */
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
 * times the cosine of the two, `|c_P|^2 / |c|^2 * <d, p> / (|d| |p|)`, P being the places that hold the aspect and `d` the signed root of c
 * (`rootEvidence`). A few channels read by chance reach a cosine anywhere; the share of the place asks that the answer is read there.
 *
 * Of the cosines, what several aspects share is counted once, by matching pursuit (Mallat and Zhang 1993, doi:10.1109/78.258082): the aspect
 * that overlaps most with d takes `<d, p> / (|d| |p|)`, and what it takes is no longer there for the next. Two aspects on one
 * object share much of their evidence, and what both share with the answer would speak for either. Aspects that share nothing do
 * not feel one another.
 *
 * Sums are over all elements of all layers that an aspect has.
 *
 * @param aspects those that are present, each with its layers.
 * @returns 0 where either has no evidence there at all, or the aspect speaks against the answer.
 */
export function relevancesOf(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
): AspectRelevance[] {
  const measured = aspects.map((aspect) => measure(aspect, taps));
  const taken = pursued(aspects, measured, taps);
  const relevances = measured.map(({ share }, index) => taken[index] * share);
  const apart = sharesApart(measured, taps, relevances);
  return relevances.map((relevance, index) => ({ relevance, apart: taken[index] * Math.sqrt(apart[index]) }));
}

/** Of each aspect's cosine what more fitting aspects leave of it, 0..1. */
function pursued(
  aspects: readonly (readonly AspectOverlap[])[],
  measured: readonly Measured[],
  taps: Readonly<Record<string, TapSums>>,
): number[] {
  const left = measured.map(({ cosine }) => cosine);
  const taken = left.map(() => 0);
  const waiting = new Set(left.keys());
  while (waiting.size > 0) {
    const best = [...waiting].reduce((a, b) => (left[b] > left[a] ? b : a));
    waiting.delete(best);
    taken[best] = Math.min(1, Math.max(0, left[best]));
    if (taken[best] === 0) continue;
    // What is taken of d is `taken |d| / |p|` times p, with d in the layers of each.
    const { answer, norm } = measured[best];
    for (const other of waiting) {
      const own = measured[other].answer * measured[other].norm;
      const shared = sharedBy(aspects[best], aspects[other], taps);
      // Of two causes that read the same channels with opposite signs, one hides the other until it is taken off. But what speaks
      // against the answer is not read for being the opposite of a cause.
      if (shared < 0 && measured[other].cosine <= 0) continue;
      if (own > 0) left[other] -= ((taken[best] * answer) / norm) * (shared / own);
    }
  }
  return taken;
}

/** Of each aspect, the share of `|c|^2` at its places that hold no aspect of higher relevance. */
function sharesApart(
  measured: readonly Measured[],
  taps: Readonly<Record<string, TapSums>>,
  relevances: readonly number[],
): number[] {
  const shares = relevances.map(() => 0);
  const held: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
    Object.entries(taps).map(([tap, { evidence }]) => [tap, new Uint8Array(evidence.data.length / 2)]),
  );
  for (const index of [...relevances.keys()].sort((a, b) => relevances[b] - relevances[a])) {
    let [within, whole] = [0, 0];
    for (const [tap, fill] of measured[index].fills) {
      const { evidence } = taps[tap];
      for (let place = 0; place < fill.length; place++) {
        const square = evidence.data[2 * place];
        whole += square;
        if (fill[place] >= LEAST_OF_MOST && held[tap][place] === 0) within += square;
        if (relevances[index] > 0 && fill[place] >= LEAST_TO_KEEP) held[tap][place] = 1;
      }
    }
    shares[index] = whole > 0 ? within / whole : 0;
  }
  return shares;
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
  const { cosine, share } = measure(aspect, taps, cells);
  return Math.max(0, cosine) * share;
}

interface Measured {
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
function measure(
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
      if (fill[place] >= LEAST_OF_MOST) within += data[2 * place];
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

/** `<p_a, p_b>` over the layers that both have. */
function sharedBy(
  a: readonly AspectOverlap[],
  b: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
): number {
  let sum = 0;
  for (const { tap, index } of a) {
    const other = b.find((candidate) => candidate.tap === tap);
    const { pairs } = taps[tap];
    if (!other || !pairs) continue;
    const [first, second] = [Math.min(index, other.index), Math.max(index, other.index)];
    const count = (1 + Math.sqrt(1 + 8 * pairs.data.length)) / 2; // n of n (n - 1) / 2
    sum += pairs.data[first * count - (first * (first + 1)) / 2 + second - first - 1];
  }
  return sum;
}
