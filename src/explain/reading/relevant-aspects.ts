/** Decides which aspects of an image are relevant, given the threshold that calibration set. */

import type { RelevanceThreshold } from "../../model/trained-model.js";

/** What an aspect's relevance must reach, and beside an aspect that does, another's `uniqueRelevance`. */
export interface Thresholds {
  readonly high: number;
  readonly low: number;
}

/** What is compared with them, 0..1 each. */
export interface Relevances {
  readonly relevance: number;
  /** At places that no more relevant aspect occupies; the JSON calls it `relevanceApart`. */
  readonly uniqueRelevance: number;
}

/** The two thresholds of a trained model; one that holds a single number has the same twice. */
export function thresholdsOf({ high, low = high }: Pick<RelevanceThreshold, "high" | "low">): Thresholds {
  return { high, low };
}

/**
 * The aspects of one image that are relevant: those that reach the high threshold, and beside such an aspect those that
 * reach the low one at places of their own, as Canny 1986 (doi:10.1109/TPAMI.1986.4767851) follows edges. The first has
 * to exceed what randomized classifiers reach; once it does, the answer is known to rest on aspects, and the next may
 * account for less. Where an aspect shares its places with a more relevant one, the evidence there may be the other's,
 * so it has to reach the high threshold too.
 */
export function relevantOnes<T extends Relevances>(aspects: readonly T[], { high, low }: Thresholds): T[] {
  const isExplained = aspects.some(({ relevance }) => relevance >= high);
  if (!isExplained) return [];
  return aspects.filter(({ relevance, uniqueRelevance }) => relevance >= high || uniqueRelevance >= low);
}
