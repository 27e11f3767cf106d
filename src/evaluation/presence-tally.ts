/** A presence head, measured. */

import type { Annotation } from "../core/annotation.js";
import type { PresenceSpec } from "../heads/head-spec.js";
import { isSeen, type PresenceMetrics, presenceScore, presentOf } from "../heads/presence-reading.js";
import { calibrationError, type ReliabilityBin } from "../metrics/calibration-error.js";
import { diceOf } from "../metrics/overlap.js";
import { type RankedScores, rankedAuc, rankedPrecision, rankScores } from "../metrics/ranking.js";
import { ratio, type Weights } from "../metrics/weights.js";
import { countOf, type HeadTally } from "./head-tally.js";

/** All 0..1; `null` where no labelled image allows it. */
export interface PresenceEvaluation extends PresenceMetrics {
  readonly averagePrecision: number | null;
  /** At the head's threshold, as `precision` and `recall`. */
  readonly f1: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  /** Share of the images that show the aspect: what guessing reaches as average precision. */
  readonly prevalence: number | null;
  /** Of always saying yes. */
  readonly f1Baseline: number | null;
  /** Expected calibration error, 15 bins. */
  readonly calibrationError: number | null;
  readonly reliability: readonly ReliabilityBin[];
}

export function presenceTally(spec: PresenceSpec): HeadTally<PresenceEvaluation> {
  const images: number[] = [];
  const scores: number[] = [];
  const isTrue: boolean[] = [];
  const seen: boolean[] = [];
  let ranked: RankedScores = rankScores([]);

  const decisions = (weights?: Weights) => {
    const counts = { shared: 0, found: 0, marked: 0, right: 0, all: 0 };
    for (const [row, image] of images.entries()) {
      const weight = weights ? weights[image] : 1;
      counts.all += weight;
      if (seen[row]) counts.found += weight;
      if (isTrue[row]) counts.marked += weight;
      if (seen[row] && isTrue[row]) counts.shared += weight;
      if (seen[row] === isTrue[row]) counts.right += weight;
    }
    return counts;
  };
  const numbers = (weights?: Weights) => {
    if (ranked.order.length !== images.length) ranked = rankScores(scores);
    const given = { isPositive: (row: number) => isTrue[row], imageOf: (row: number) => images[row] };
    const counts = decisions(weights);
    return {
      auc: rankedAuc(ranked, given, weights),
      averagePrecision: rankedPrecision(ranked, given, weights),
      f1: counts.marked > 0 ? diceOf(counts) : null,
      accuracy: ratio(counts.right, counts.all),
    };
  };

  return {
    add({ image, logits, label }) {
      const isPresent = presentOf(label as Annotation | undefined);
      if (isPresent === undefined) return;
      images.push(image);
      scores.push(presenceScore(logits[0], spec));
      isTrue.push(isPresent);
      seen.push(isSeen(logits[0], spec));
    },
    count: (weights) => countOf(images, weights),
    numbers,
    result() {
      const { shared, found, marked, all } = decisions();
      const { error, bins } = calibrationError(
        scores,
        isTrue.map((is) => (is ? 1 : 0)),
      );
      return {
        kind: "presence",
        ...numbers(),
        precision: ratio(shared, found),
        recall: ratio(shared, marked),
        prevalence: ratio(marked, all),
        f1Baseline: marked > 0 ? diceOf({ shared: marked, found: all, marked }) : null,
        calibrationError: error,
        reliability: bins,
        count: images.length,
      };
    },
    size: () => images.length,
  };
}
