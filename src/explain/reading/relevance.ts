/** How far each aspect's evidence and the answer's lie in the same places and elements: the number that decides. */

import { LEAST_SHARE_OF_PLACE, LEAST_SHARE_TO_TAKE_PLACE } from "../relevance-constants.js";
import { pursued } from "./matching-pursuit.js";
import { type AspectOverlap, type Measured, measure, type TapSums } from "./overlap.js";
import type { Relevances } from "./relevant-aspects.js";

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
 * `uniqueRelevance` is the same at places that hold no more relevant aspect. There the share enters by its root: beside another
 * cause, an aspect can only have a part of the evidence, which its cosine shows already.
 *
 * Sums are over all elements of all layers that an aspect has.
 *
 * @param aspects those that are present, each with its layers.
 * @returns 0 where either has no evidence there at all, or the aspect speaks against the answer.
 */
export function relevancesOf(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
): Relevances[] {
  const measured = aspects.map((aspect) => measure(aspect, taps));
  const taken = pursued(aspects, measured, taps);
  const relevances = measured.map(({ share }, index) => taken[index] * share);
  const unique = uniqueShares(measured, taps, relevances);
  return relevances.map((relevance, index) => ({
    relevance,
    uniqueRelevance: taken[index] * Math.sqrt(unique[index]),
  }));
}

/** Of each aspect, the share of `|c|^2` at its places that hold no aspect of higher relevance. */
function uniqueShares(
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
        if (fill[place] >= LEAST_SHARE_OF_PLACE && held[tap][place] === 0) within += square;
        if (relevances[index] > 0 && fill[place] >= LEAST_SHARE_TO_TAKE_PLACE) held[tap][place] = 1;
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
