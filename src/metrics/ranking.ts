/**
 * Area under the ROC curve and average precision of scores that are sorted once and then weighed many times, as a
 * bootstrap does; `core/ranking.ts` is the same for one time.
 */

import type { Weights } from "./weights.js";

/** Scores in falling order. */
export interface RankedScores {
  /** Places of the scores as given, the highest first. */
  readonly order: Uint32Array;
  /** 1 where the next one in order has another score. */
  readonly isLastOfTie: Uint8Array;
}

/** Sorts scores once. */
export function rankScores(scores: ArrayLike<number>): RankedScores {
  const order = Uint32Array.from({ length: scores.length }, (_, index) => index).sort((a, b) => scores[b] - scores[a]);
  const isLastOfTie = Uint8Array.from(order, (place, at) =>
    at + 1 === order.length || scores[order[at + 1]] !== scores[place] ? 1 : 0,
  );
  return { order, isLastOfTie };
}

/** What is ranked: which scores are of positives, and which image each belongs to. */
export interface RankedAnswers {
  readonly isPositive: (place: number) => boolean;
  readonly imageOf: (place: number) => number;
}

/**
 * Share of the pairs (positive, negative) in which the positive scores higher; a tie counts half (Mann and Whitney
 * 1947). With both kinds one image each, this is the area under the ROC curve.
 *
 * @returns 0..1, or `null` where there are no positives or no negatives.
 */
export function rankedAuc(
  { order, isLastOfTie }: RankedScores,
  { isPositive, imageOf }: RankedAnswers,
  weights?: Weights,
): number | null {
  let pairs = 0;
  let [positives, negatives] = [0, 0];
  let [tiedPositives, tiedNegatives] = [0, 0];
  for (let at = 0; at < order.length; at++) {
    const weight = weights ? weights[imageOf(order[at])] : 1;
    if (isPositive(order[at])) tiedPositives += weight;
    else tiedNegatives += weight;
    if (!isLastOfTie[at]) continue;
    pairs += tiedNegatives * (positives + tiedPositives / 2);
    positives += tiedPositives;
    negatives += tiedNegatives;
    [tiedPositives, tiedNegatives] = [0, 0];
  }
  return positives > 0 && negatives > 0 ? pairs / (positives * negatives) : null;
}

/**
 * Area under precision over recall as a plain sum of steps, at every distinct score.
 *
 * @returns 0..1, or `null` where there are no positives.
 */
export function rankedPrecision(
  { order, isLastOfTie }: RankedScores,
  { isPositive, imageOf }: RankedAnswers,
  weights?: Weights,
): number | null {
  let area = 0;
  let [found, tied, all] = [0, 0, 0];
  for (let at = 0; at < order.length; at++) {
    const weight = weights ? weights[imageOf(order[at])] : 1;
    all += weight;
    if (isPositive(order[at])) tied += weight;
    if (!isLastOfTie[at] || tied === 0) continue;
    found += tied;
    area += (tied * found) / all;
    tied = 0;
  }
  return found > 0 ? area / found : null;
}
