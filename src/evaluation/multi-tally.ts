/** A multi-label classifier, measured. */

import type { ClassAnnotation } from "../core/annotation.js";
import { classIndex, classScores, type MultiMetrics } from "../heads/classifier-reading.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import { calibrationError, type ReliabilityBin } from "../metrics/calibration-error.js";
import { diceOf } from "../metrics/overlap.js";
import { type RankedAnswers, type RankedScores, rankedAuc, rankedPrecision, rankScores } from "../metrics/ranking.js";
import { meanOf, ratio, type Weights } from "../metrics/weights.js";
import { countOf, type HeadTally } from "./head-tally.js";

/** All 0..1; `null` where no labelled image allows it. */
export interface MultiEvaluation extends MultiMetrics {
  /** Mean of `auc` over the classes that have one. */
  readonly meanAuc: number | null;
  /** Expected calibration error over all decisions, 15 bins. */
  readonly calibrationError: number | null;
  readonly reliability: readonly ReliabilityBin[];
}

export function multiTally(spec: ClassifierSpec): HeadTally<MultiEvaluation> {
  const { classes } = spec;
  const images: number[] = [];
  const scores: number[][] = classes.map(() => []);
  const isTrue: boolean[][] = classes.map(() => []);
  let ranked: readonly RankedScores[] = [];

  const rankedClasses = () => {
    if (ranked[0]?.order.length !== images.length) ranked = scores.map(rankScores);
    return ranked.map((own, index): [RankedScores, RankedAnswers] => [
      own,
      { isPositive: (row) => isTrue[index][row], imageOf: (row) => images[row] },
    ]);
  };
  /** Of one class, or of all together. */
  const decisions = (which: readonly number[], weights?: Weights) => {
    const counts = { shared: 0, found: 0, marked: 0 };
    for (const index of which) {
      for (const [row, image] of images.entries()) {
        const weight = weights ? weights[image] : 1;
        const isSaid = scores[index][row] >= 0.5;
        if (isSaid) counts.found += weight;
        if (isTrue[index][row]) counts.marked += weight;
        if (isSaid && isTrue[index][row]) counts.shared += weight;
      }
    }
    return counts;
  };
  const all = classes.map((_, index) => index);
  const numbers = (weights?: Weights) => ({
    meanAveragePrecision: meanOf(rankedClasses().map(([own, given]) => rankedPrecision(own, given, weights))),
    meanAuc: meanOf(rankedClasses().map(([own, given]) => rankedAuc(own, given, weights))),
    f1: diceOf(decisions(all, weights)),
  });

  return {
    add({ image, logits, label }) {
      const { labels } = (label ?? {}) as ClassAnnotation;
      if (!labels) return;
      images.push(image);
      const given = new Set(labels.map((name) => classIndex(spec, name)));
      classScores(logits, spec).forEach((score, index) => {
        scores[index].push(score);
        isTrue[index].push(given.has(index));
      });
    },
    count: (weights) => countOf(images, weights),
    numbers,
    result() {
      const byClass = (of: (index: number) => number | null) =>
        Object.fromEntries(classes.map((name, index) => [name, of(index)]));
      const counts = all.map((index) => decisions([index]));
      const classRanks = rankedClasses();
      const { error, bins } = calibrationError(
        scores.flat(),
        isTrue.flat().map((is) => (is ? 1 : 0)),
      );
      return {
        kind: "classifier",
        task: "multi",
        ...numbers(),
        calibrationError: error,
        averagePrecision: byClass((index) => rankedPrecision(...classRanks[index])),
        auc: byClass((index) => rankedAuc(...classRanks[index])),
        recall: byClass((index) => ratio(counts[index].shared, counts[index].marked)),
        prevalence: byClass((index) => ratio(counts[index].marked, images.length)),
        reliability: bins,
        count: images.length,
      };
    },
    size: () => images.length * classes.length,
  };
}
