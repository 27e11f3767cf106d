/** A classifier of one class for each image, measured. */

import type { ClassAnnotation } from "../core/annotation.js";
import { classIndex, classScores, largest, type SingleMetrics } from "../heads/classifier-reading.js";
import type { ClassifierSpec } from "../heads/head-spec.js";
import { calibrationError, type ReliabilityBin } from "../metrics/calibration-error.js";
import { confusionScores } from "../metrics/confusion.js";
import { type RankedScores, rankedAuc, rankScores } from "../metrics/ranking.js";
import { meanOf, type Weights } from "../metrics/weights.js";
import { countOf, type HeadTally } from "./head-tally.js";

/** All 0..1; `null` where no labelled image allows it. */
export interface SingleEvaluation extends SingleMetrics {
  /** Mean of the recalls of the classes that occur. */
  readonly balancedAccuracy: number | null;
  /** Area under the ROC curve, one class against the others; mean over the classes. */
  readonly auc: number | null;
  /** Mean over the classes that occur. */
  readonly f1: number | null;
  /** Expected calibration error of the predicted class's score, 15 bins. */
  readonly calibrationError: number | null;
  readonly reliability: readonly ReliabilityBin[];
}

export function singleTally(spec: ClassifierSpec): HeadTally<SingleEvaluation> {
  const { classes } = spec;
  const images: number[] = [];
  const truth: number[] = [];
  const predicted: number[] = [];
  const scores: number[][] = classes.map(() => []);
  let ranked: readonly RankedScores[] = [];

  const confusionOf = (weights?: Weights) => {
    const confusion = classes.map(() => classes.map(() => 0));
    images.forEach((image, row) => {
      confusion[truth[row]][predicted[row]] += weights ? weights[image] : 1;
    });
    return confusion;
  };
  const macroAuc = (weights?: Weights) => {
    if (ranked[0]?.order.length !== images.length) ranked = scores.map(rankScores);
    const imageOf = (row: number) => images[row];
    return meanOf(
      ranked.map((own, index) => rankedAuc(own, { isPositive: (row) => truth[row] === index, imageOf }, weights)),
    );
  };
  const numbers = (weights?: Weights) => {
    const { accuracy, balancedAccuracy, f1 } = confusionScores(confusionOf(weights));
    return { accuracy, balancedAccuracy, f1, auc: macroAuc(weights) };
  };

  return {
    add({ image, logits, label }) {
      const named = (label as ClassAnnotation | undefined)?.label;
      if (named === undefined) return;
      images.push(image);
      truth.push(classIndex(spec, named));
      predicted.push(largest(logits));
      classScores(logits, spec).forEach((score, index) => {
        scores[index].push(score);
      });
    },
    count: (weights) => countOf(images, weights),
    numbers,
    result() {
      const confusion = confusionOf();
      const { majorityBaseline, recall } = confusionScores(confusion);
      const { error, bins } = calibrationError(
        predicted.map((index, row) => scores[index][row]),
        predicted.map((index, row) => (index === truth[row] ? 1 : 0)),
      );
      return {
        kind: "classifier",
        task: "single",
        ...numbers(),
        majorityBaseline,
        calibrationError: error,
        recall: Object.fromEntries(classes.map((name, index) => [name, recall[index]])),
        confusion,
        reliability: bins,
        count: images.length,
      };
    },
    size: () => images.length * classes.length,
  };
}
