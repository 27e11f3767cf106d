/** Fits the score at which a cause is as likely as a distractor. */

import type { Ranked } from "../../core/ranking.js";
import { relevanceOf } from "../../core/relevance-scale.js";
import { LEAST_COUNT, SPREAD_OF_LINES } from "../relevance-constants.js";

/**
 * The line of `relevanceOf` for a given slope: logistic regression with the targets of Platt 1999, which keep a few
 * scores from being trusted without limit (Lin, Lin and Weng 2007, doi:10.1007/s10994-007-5018-6), where causes and
 * distractors weigh the same, however many there are of each: as many as there are of the rarer.
 *
 * Where there is a line of all models, it is the prior: the logarithm of this model's line is normal around that of
 * theirs, and the line is the most probable one. A line hardly changes what is far from it, so that scores with a wide gap
 * between causes and distractors say next to nothing of where in the gap it lies.
 *
 * @param scores positives are causes, negatives distractors.
 * @param general of the method; `line` is that of all models, absent where none was found, and `spread` the standard
 *   deviation of the prior.
 * @returns `null` where there are fewer than 5 of either, or all scores of either are 0.
 */
export function fitLine(
  scores: readonly Ranked[],
  {
    slope,
    line: prior,
    spread = SPREAD_OF_LINES,
  }: { readonly slope: number; readonly line?: number; readonly spread?: number },
): number | null {
  const positives = scores.filter(({ isPositive }) => isPositive).map(({ score }) => score);
  const negatives = scores.filter(({ isPositive }) => !isPositive).map(({ score }) => score);
  const count = Math.min(positives.length, negatives.length);
  if (count < LEAST_COUNT) return null;
  const known = [...positives, ...negatives].filter((score) => score > 0);
  if (known.length === 0) return null;
  const meanOf = (values: readonly number[], line: number) =>
    values.reduce((sum, score) => sum + relevanceOf(score, { line, slope }), 0) / values.length;
  // A score of 0 is not relevant whatever the line is, so that it says nothing of it.
  const seen = (values: readonly number[]) => values.filter((score) => score > 0).length / values.length;
  const target =
    (seen(positives) * (positives.length + 1)) / (positives.length + 2) + seen(negatives) / (negatives.length + 2);
  const pullAt = (logarithm: number) =>
    prior === undefined ? 0 : (logarithm - Math.log(prior)) / (spread ** 2 * slope * count);
  // The derivative of the probability by the line falls as the line rises: one zero, found by halving.
  const ends = prior === undefined ? known : [...known, prior];
  let [low, high] = [Math.log(Math.min(...ends)) - 10, Math.log(Math.max(...ends)) + 10];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    const line = Math.exp(middle);
    if (meanOf(positives, line) + meanOf(negatives, line) > target + pullAt(middle)) low = middle;
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
