/** Fields of the explanation's JSON that the code calls by other names: the one place that converts them, both ways. */

import type { AspectExplanation, Explanation } from "../explanation.js";
import type { Relevances, Thresholds } from "./relevant-aspects.js";

export function thresholdFields({ high, low }: Thresholds): Pick<Explanation, "threshold" | "thresholdBeside"> {
  return { threshold: high, thresholdBeside: low };
}

/** @param relevances absent where they could not be read. */
export function uniqueRelevanceField(relevances?: Relevances): Pick<AspectExplanation, "relevanceApart"> {
  return { relevanceApart: relevances?.uniqueRelevance ?? null };
}

/** @returns `undefined` where the explanation has none. */
export function relevancesIn({
  relevance,
  relevanceApart,
}: Pick<AspectExplanation, "relevance" | "relevanceApart">): Relevances | undefined {
  if (relevance === null || relevanceApart === null) return undefined;
  return { relevance, uniqueRelevance: relevanceApart };
}
