/** Fits the score at which a cause is as likely as a distractor. */

import type { Ranked } from "../../core/ranking.js";
import { relevanceOf } from "../../core/relevance-scale.js";
import { LEAST_COUNT } from "../relevance-constants.js";

/**
 * The line of `relevanceOf` for a given slope: logistic regression with the targets of Platt 1999, which keep a few
 * scores from being trusted without limit (Lin, Lin and Weng 2007, doi:10.1007/s10994-007-5018-6), where causes and
 * distractors weigh the same, however many there are of each.
 *
 * @param scores positives are causes, negatives distractors.
 * @returns `null` where there are fewer than 5 of either, or all scores of either are 0.
 */
export function fitLine(scores: readonly Ranked[], { slope }: { slope: number }): number | null {
  const positives = scores.filter(({ isPositive }) => isPositive).map(({ score }) => score);
  const negatives = scores.filter(({ isPositive }) => !isPositive).map(({ score }) => score);
  if (Math.min(positives.length, negatives.length) < LEAST_COUNT) return null;
  const known = [...positives, ...negatives].filter((score) => score > 0);
  if (known.length === 0) return null;
  const meanOf = (values: readonly number[], line: number) =>
    values.reduce((sum, score) => sum + relevanceOf(score, { line, slope }), 0) / values.length;
  // A score of 0 is not relevant whatever the line is, so that it says nothing of it.
  const seen = (values: readonly number[]) => values.filter((score) => score > 0).length / values.length;
  const target =
    (seen(positives) * (positives.length + 1)) / (positives.length + 2) + seen(negatives) / (negatives.length + 2);
  // The slope of the likelihood by the line falls as the line rises: one zero, found by halving.
  let [low, high] = [Math.log(Math.min(...known)) - 10, Math.log(Math.max(...known)) + 10];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const line = Math.exp(middle);
    if (meanOf(positives, line) + meanOf(negatives, line) > target) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/** The mean of the shares of positives at or above a line and of negatives below it; NaN without one of the two. */
export function balancedAccuracy(scores: readonly Ranked[], line: number): number {
  const shareOf = (isPositive: boolean) => {
    const own = scores.filter((score) => score.isPositive === isPositive);
    return own.filter(({ score }) => score >= line === isPositive).length / own.length;
  };
  return (shareOf(true) + shareOf(false)) / 2;
}
