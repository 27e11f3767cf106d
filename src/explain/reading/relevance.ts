/** Relevance: how far each aspect's evidence and the answer's lie in the same elements and places. */

import { LEAST_SHARE_OF_PLACE, LEAST_SHARE_TO_OCCUPY } from "../relevance-constants.js";
import { matchingPursuit } from "./matching-pursuit.js";
import { type AspectOverlap, type MeasuredOverlap, measureOverlap, type TapSums } from "./overlap.js";
import type { Relevances } from "./relevant-aspects.js";

/**
 * Relevance of each aspect beside the others: the cosine of its evidence and the answer's, times the share of the
 * answer's evidence at the aspect's places, `<d, p> / (|d| |p|) * |c_P|^2 / |c|^2`. A few channels that agree by
 * accident have a cosine anywhere; the share asks that the answer is read there. Sums are over all elements of all
 * layers that an aspect has.
 *
 * What several aspects share of the cosine counts once, by matching pursuit. Two aspects on one object share much of
 * their evidence; without it, both would get all of what the object has in common with the answer. Aspects that share
 * nothing do not change one another.
 *
 * `uniqueRelevance` is the same at places that no more relevant aspect occupies. There the share enters by its root:
 * beside another cause, an aspect can only have a part of the evidence, which its cosine shows already.
 *
 * @param aspects those that are present, each with its layers.
 * @returns 0 where either has no evidence there at all, or the aspect speaks against the answer.
 */
export function relevancesOf(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
): Relevances[] {
  const measured = aspects.map((aspect) => measureOverlap(aspect, taps));
  const explained = matchingPursuit(aspects, measured, taps);
  const relevances = measured.map(({ share }, index) => explained[index] * share);
  const unique = uniqueShares(measured, taps, relevances);
  return relevances.map((relevance, index) => ({
    relevance,
    uniqueRelevance: explained[index] * Math.sqrt(unique[index]),
  }));
}

/** Of each aspect, the share of `|c|^2` at its places that no aspect of higher relevance occupies. */
function uniqueShares(
  measured: readonly MeasuredOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  relevances: readonly number[],
): number[] {
  const shares = relevances.map(() => 0);
  const isOccupied: Readonly<Record<string, Uint8Array>> = Object.fromEntries(
    Object.entries(taps).map(([tap, { evidence }]) => [tap, new Uint8Array(evidence.data.length / 2)]),
  );
  for (const index of [...relevances.keys()].sort((a, b) => relevances[b] - relevances[a])) {
    let [within, whole] = [0, 0];
    for (const [tap, occupancy] of measured[index].occupancies) {
      const { evidence } = taps[tap];
      for (let place = 0; place < occupancy.length; place++) {
        const square = evidence.data[2 * place];
        whole += square;
        if (occupancy[place] >= LEAST_SHARE_OF_PLACE && isOccupied[tap][place] === 0) within += square;
        if (relevances[index] > 0 && occupancy[place] >= LEAST_SHARE_TO_OCCUPY) isOccupied[tap][place] = 1;
      }
    }
    shares[index] = whole > 0 ? within / whole : 0;
  }
  return shares;
}

/**
 * Relevance of one instance: its own overlap with all of the answer's evidence. Nothing is subtracted for other
 * aspects. Where the answer needs one of two pets because that one is striped, subtracting the stripes would take from
 * the very pet that matters.
 *
 * @param cells of the instance, by layer: `[height * width]`, non-zero where the place counts.
 */
export function instanceRelevance(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  { cells }: { cells: Readonly<Record<string, Uint8Array>> },
): number {
  const { cosine, share } = measureOverlap(aspect, taps, cells);
  return Math.max(0, cosine) * share;
}
