/** What a confusion matrix says: accuracy, recall and F1 by class, their means, and what the majority would reach. */

import { meanOf, ratio } from "./weights.js";

/** All 0..1; `null` where no image allows it. */
export interface ConfusionScores {
  readonly accuracy: number | null;
  /** What always naming the most frequent class would reach. */
  readonly majorityBaseline: number | null;
  /** Mean of the recalls of the classes that occur. */
  readonly balancedAccuracy: number | null;
  /** Mean of the F1 of the classes that occur (macro). */
  readonly f1: number | null;
  /** Of each class, in the matrix's order. */
  readonly recall: readonly (number | null)[];
  readonly f1ByClass: readonly (number | null)[];
}

/** @param confusion `[classes][classes]` counts: a row is a true class, a column a predicted one. */
export function confusionScores(confusion: readonly (readonly number[])[]): ConfusionScores {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const labelled = confusion.map(sum);
  const predicted = confusion.map((_, column) => sum(confusion.map((row) => row[column])));
  const right = confusion.map((row, index) => row[index]);
  const count = sum(labelled);
  const recall = right.map((own, index) => ratio(own, labelled[index]));
  const f1ByClass = right.map((own, index) =>
    labelled[index] > 0 ? (2 * own) / (labelled[index] + predicted[index]) : null,
  );
  return {
    accuracy: ratio(sum(right), count),
    majorityBaseline: ratio(Math.max(0, ...labelled), count),
    balancedAccuracy: meanOf(recall),
    f1: meanOf(f1ByClass),
    recall,
    f1ByClass,
  };
}
