/** Numbers of an explanation as people read them, and the order of its aspects. */

import { clip } from "../core/terminal.js";
import type { AspectExplanation, Explanation } from "../explain/explanation.js";
import { percentText, scoreText } from "../explain/headline.js";

const LONGEST_NETWORK = 20;

/**
 * Relevant aspects first, then present, then absent ones; each by falling share, score and presence.
 */
export function rankAspects(aspects: readonly AspectExplanation[]): readonly AspectExplanation[] {
  const rank = (aspect: AspectExplanation) => (aspect.isRelevant ? 0 : aspect.isPresent ? 1 : 2);
  return [...aspects].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (b.share ?? 0) - (a.share ?? 0) ||
      (b.score ?? -1) - (a.score ?? -1) ||
      b.presence - a.presence,
  );
}

/** Two decimals; a dash for a number that does not exist. */
export function shareText(share: number | null): string {
  return share === null ? "–" : share.toFixed(2).replace(/^-(0\.00)$/, "$1");
}

/** " [0.49, 0.63]", or "" without an interval. */
export function intervalText({ relevanceInterval }: AspectExplanation): string {
  return relevanceInterval ? ` [${relevanceInterval.map(shareText).join(", ")}]` : "";
}

/** Instead of a verdict on an aspect that its mapping carries too little of. */
export const MAPPING_TOO_POOR = "mapping too poor";

/** "mapped to cells, agreement 0.93 of 1"; "" for an aspect that reads the classifier's own network. */
export function mappingText({ mapping }: AspectExplanation): string {
  if (!mapping) return "";
  const { kind, agreement } = mapping;
  const network = clip(mapping.network, LONGEST_NETWORK);
  if (kind === "image") return `the masked image goes into network ${network}`;
  const quality = agreement === null ? "agreement not known" : `agreement ${shareText(agreement)} of 1`;
  return `mapped to ${network}, ${quality}`;
}

/** What is known of the answer beside the aspects: how much lies elsewhere, how much speaks against it. */
export function remainderTexts({ elsewhere, against }: Explanation): string[] {
  return [
    ...(elsewhere === null ? [] : [`${percentText(elsewhere)} of the evidence lies elsewhere`]),
    ...(against === null ? [] : [`${percentText(against)} of all evidence speaks against the answer`]),
  ];
}

/** From when on an aspect is relevant. */
export function scaleNote({ scale }: Explanation): string {
  switch (scale.kind) {
    case "probability":
      return "relevant from a relevance of 0.50 on";
    case "above-chance":
      return `above chance from a score of ${scoreText(scale.line)} on`;
    case "uncalibrated":
      return "not calibrated: scores rank the aspects";
  }
}
