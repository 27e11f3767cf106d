/** The explanation in one sentence: the answer, and the aspects that it is based on. */

import { clip } from "../core/terminal.js";
import type { AspectExplanation, Explanation, Prediction } from "../explain/explanation.js";

/** The question about the predicted class. */
export const BECAUSE = "because of:";

/** The text if nothing is relevant: either aspects are present but do not matter, or none is present. */
export function nothingText(aspects: readonly AspectExplanation[]): string {
  return aspects.some(({ isPresent }) => isPresent) ? "no known aspect explains this" : "no known aspect is seen here";
}

export interface Headline {
  /** "malignant 97 %". */
  readonly answer: string;
  /** "because of:", "why benign (3 %):", "why benign rather than malignant:". */
  readonly question: string;
  /** The relevant aspects, most relevant first; empty if none explains the answer. */
  readonly causes: readonly AspectExplanation[];
}

/** @returns the parts of the sentence; `headlineText` joins them. */
export function headline({ prediction, target, aspects }: Explanation): Headline {
  const causes = rankAspects(aspects).filter((aspect) => aspect.isRelevant);
  return { answer: answerText(prediction), question: questionText(prediction, target), causes };
}

/**
 * "malignant 97 % because of: necrosis 0.58, mitosis 0.41";
 * "malignant 97 %; why benign (3 %): no known aspect explains this".
 */
export function headlineText(explanation: Explanation): string {
  const { answer, question, causes } = headline(explanation);
  if (causes.length === 0) {
    const nothing = nothingText(explanation.aspects);
    return question === BECAUSE ? `${answer}: ${nothing}` : `${answer}; ${question} ${nothing}`;
  }
  const named = causes.map((aspect) => `${clip(aspect.name)} ${shareText(aspect.relevance)}`);
  return `${answer} ${question} ${named.join(", ")}`;
}

/** Relevant aspects first, then present, then absent ones, each in descending order of relevance and presence. */
export function rankAspects(aspects: readonly AspectExplanation[]): readonly AspectExplanation[] {
  const rank = (aspect: AspectExplanation) => (aspect.isRelevant ? 0 : aspect.isPresent ? 1 : 2);
  return [...aspects].sort(
    (a, b) => rank(a) - rank(b) || (b.relevance ?? -1) - (a.relevance ?? -1) || b.presence - a.presence,
  );
}

/**
 * The relevance from which on an aspect counts as relevant. Beside another that reaches the threshold, `relevanceApart`
 * is compared with `thresholdBeside`; the result is then as far below the aspect's relevance as `thresholdBeside` is
 * below its `relevanceApart`.
 */
export function relevantFrom(
  { isRelevant, relevance, relevanceApart }: AspectExplanation,
  { threshold, thresholdBeside }: Explanation,
): number {
  if (!isRelevant || relevance === null || relevance >= threshold) return threshold;
  return relevanceApart ? (relevance * thresholdBeside) / relevanceApart : thresholdBeside;
}

/** "relevant from 0.11, beside such an aspect from 0.02". */
export function thresholdText({ isExplained, threshold, thresholdBeside }: Explanation): string {
  const apart =
    isExplained && thresholdBeside < threshold ? `, beside such an aspect from ${shareText(thresholdBeside)}` : "";
  return `relevant from ${shareText(threshold)}${apart}`;
}

/** Two decimals; a dash for a number that does not exist. */
export function shareText(share: number | null): string {
  return share === null ? "–" : share.toFixed(2).replace(/^-(0\.00)$/, "$1");
}

/** The share of a bar that a relevance fills, 0..1; 0 if it is shown as 0.00. */
export function barShare(relevance: number | null): number {
  return relevance === null || relevance < 0.005 ? 0 : Math.min(1, relevance);
}

/** " [0.49, 0.63]", or "" without an interval. */
export function intervalText({ relevanceInterval }: AspectExplanation): string {
  return relevanceInterval ? ` [${relevanceInterval.map(shareText).join(", ")}]` : "";
}

/** Whole percent; 100 % and 0 % only if exact. */
export function percentText(share: number): string {
  if (share < 1 && share > 0.995) return "> 99 %";
  if (share > 0 && share < 0.005) return "< 1 %";
  return `${Math.round(100 * share)} %`;
}

function answerText(prediction: Prediction): string {
  if ("value" in prediction) return Number(prediction.value.toPrecision(3)).toString();
  if ("labels" in prediction) {
    const labels = prediction.labels.length > 0 ? prediction.labels : [prediction.class];
    return labels.map((label) => `${clip(label)} ${percentText(prediction.scores[label])}`).join(", ");
  }
  return `${clip(prediction.class)} ${percentText(prediction.score)}`;
}

function unitText({ layer, channel, place }: Extract<Explanation["target"], { kind: "unit" }>): string {
  return `channel ${channel} of ${layer}${place ? ` at ${place.join(", ")}` : ""}`;
}

function questionText(prediction: Prediction, target: Explanation["target"]): string {
  if (target.kind === "aspect") return `why ${clip(target.aspect)}:`;
  if (target.kind === "image") return `why the image of ${clip(target.aspect)}:`;
  if (target.kind === "unit") return `why ${unitText(target)}:`;
  if (target.kind === "value" || "value" in prediction) return BECAUSE;
  if (target.kind === "margin") return `why ${clip(target.class)} rather than ${clip(target.other)}:`;
  if (target.kind === "logit" && !("labels" in prediction)) return `why the logit of ${clip(target.class)}:`;
  const isWhole = !("labels" in prediction) || prediction.labels.length === 1;
  if (isWhole && target.class === prediction.class) return BECAUSE;
  return `why ${clip(target.class)} (${percentText(prediction.scores[target.class])}):`;
}
