/** From scored pairs to a threshold of relevance. */

import type { Ranked } from "../core/ranking.js";

/** Fewer of either kind say too little to set a threshold from. */
const LEAST_COUNT = 5;

/** Fewer say nothing of a share of 3 %. */
const LEAST_CHANCES = 20;

/** Beside a relevant aspect, another counts from the threshold divided by this on. */
const LEAST_BESIDE = 6;

/** What one aspect of an image must reach, and what others beside it. */
export interface Thresholds {
  readonly value: number;
  readonly beside: number;
}

/** Thresholds are rounded up to this, so that they read well and stay strictly above what they exclude. */
const GRAIN = 1e4;

/**
 * The lowest threshold (in steps of 0.0001) that at most a share of the negatives reaches.
 *
 * @param pairs relevance 0..1; positives are causes, negatives distractors.
 * @param share 0..1 of the negatives.
 * @returns `null` where there are fewer than 5 causes or 5 distractors.
 */
export function thresholdAgainstDistractors(pairs: readonly Ranked[], { share = 0.03 } = {}): number | null {
  const negatives = pairs.filter((pair) => !pair.isPositive).map((pair) => pair.score);
  if (negatives.length < LEAST_COUNT || pairs.length - negatives.length < LEAST_COUNT) return null;
  negatives.sort((a, b) => b - a);
  return above(negatives[Math.floor(share * negatives.length)]);
}

export interface Suspect {
  readonly name: string;
  /** Images in which it is a distractor. */
  readonly count: number;
  /** In how many of them it is relevant beyond chance. */
  readonly reached: number;
}

/**
 * Distractors that reach what chance does not in most of their images: the classifier goes by them, whatever its labels' author meant.
 *
 * @param pairs positives are causes, negatives distractors, with the names of their aspects.
 * @param chance the threshold that chance seldom reaches, of `thresholdAgainstChance`.
 * @returns none with fewer than 5 images.
 */
export function suspects(
  pairs: readonly (Ranked & { readonly name: string })[],
  { chance }: { chance: number },
): Suspect[] {
  const distractors = pairs.filter(({ isPositive }) => !isPositive);
  return [...new Set(distractors.map(({ name }) => name))]
    .map((name) => {
      const scores = distractors.filter((pair) => pair.name === name).map(({ score }) => score);
      return { name, count: scores.length, reached: scores.filter((score) => score >= chance).length };
    })
    .filter(({ count, reached }) => count >= LEAST_COUNT && reached > count / 2);
}

function above(score: number): number {
  return (Math.floor(score * GRAIN) + 1) / GRAIN;
}

/**
 * The lowest threshold (in steps of 0.0001) with which at most a share of the aspects is called relevant without a reason.
 *
 * @param images of each the relevance 0..1 of its aspects under a classifier that has learned nothing.
 * @param floor what the threshold is at least, and what an aspect must reach beside one that reaches the threshold, unless a sixth
 *   of the threshold is more; without it that is the threshold itself.
 * @returns `null` where there are fewer than 20 aspects.
 */
export function thresholdAgainstChance(
  images: readonly (readonly number[])[],
  { floor, share = 0.04 }: { floor?: number; share?: number } = {},
): Thresholds | null {
  const count = images.reduce((sum, scores) => sum + scores.length, 0);
  if (count < LEAST_CHANCES) return null;
  const besideOf = (value: number) => (floor === undefined ? value : Math.max(floor, value / LEAST_BESIDE));
  const called = (value: number) =>
    images.reduce((sum, scores) => {
      if (!scores.some((score) => score >= value)) return sum;
      const beside = Math.min(value, besideOf(value));
      return sum + scores.filter((score) => score >= beside).length;
    }, 0);
  const highest = images.map((scores) => above(Math.max(0, ...scores))).sort((a, b) => a - b);
  const values = [floor ?? 0, ...highest.filter((value) => value > (floor ?? 0))];
  const value = values.find((candidate) => called(candidate) <= share * count) ?? values[values.length - 1];
  return { value, beside: Math.min(value, besideOf(value)) };
}

/**
 * The threshold of the highest balanced accuracy (the mean of the shares of positives at or above it and of negatives
 * below); half way between the two scores that it parts, the lowest of several.
 *
 * @returns `null` where there are fewer than 5 of either kind.
 */
export function thresholdThatSeparates(pairs: readonly Ranked[]): number | null {
  const sorted = [...pairs].sort((a, b) => a.score - b.score);
  const positives = sorted.filter((pair) => pair.isPositive).length;
  const negatives = sorted.length - positives;
  if (Math.min(positives, negatives) < LEAST_COUNT) return null;
  let [best, threshold] = [-1, 0];
  let [positivesBelow, negativesBelow] = [0, 0];
  for (const [index, { score, isPositive }] of sorted.entries()) {
    const previous = index > 0 ? sorted[index - 1].score : undefined;
    if (score !== previous) {
      const balanced = (1 - positivesBelow / positives + negativesBelow / negatives) / 2;
      if (balanced > best) [best, threshold] = [balanced, previous === undefined ? score : (previous + score) / 2];
    }
    if (isPositive) positivesBelow++;
    else negativesBelow++;
  }
  return threshold;
}
