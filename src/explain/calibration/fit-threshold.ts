/** From scored pairs to a threshold of relevance. */

import type { Ranked } from "../../core/ranking.js";
import { type Reached, relevantOnes } from "../reading/relevant-aspects.js";

/** Fewer of either kind say too little to set a threshold from. */
const LEAST_COUNT = 5;

/** Fewer say nothing of a share of 3 %. */
const LEAST_CHANCES = 20;

/** Beside a relevant aspect, another counts from the threshold divided by this on, at places of its own. */
const BESIDE = 3;

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

/** The next step above a score; a score of 1 has none, and stays. */
function above(score: number): number {
  const step = Math.floor(score * GRAIN) + 1;
  // The product can be rounded down to a step that the score itself is.
  const next = step / GRAIN > score ? step / GRAIN : (step + 1) / GRAIN;
  return Math.min(1, next);
}

/**
 * The lowest threshold with which at most a share of the aspects is called relevant without a reason, of the floor and those (in steps
 * of 0.0001) that just exclude one of the images.
 *
 * @param images of each its aspects under a classifier that has learned nothing.
 * @param floor what the threshold is at least.
 * @param beside what aspects beside a relevant one must reach, given the threshold.
 * @returns `null` where there are fewer than 20 aspects.
 */
export function thresholdAgainstChance(
  images: readonly (readonly Reached[])[],
  { floor = 0, beside = besideOf, share = 0.03 }: { floor?: number; beside?: typeof besideOf; share?: number } = {},
): number | null {
  const count = images.reduce((sum, aspects) => sum + aspects.length, 0);
  if (count < LEAST_CHANCES) return null;
  const called = (value: number) =>
    images.reduce((sum, aspects) => sum + relevantOnes(aspects, { value, beside: beside(value) }).length, 0);
  const highest = images
    .map((aspects) => above(Math.max(0, ...aspects.map(({ relevance }) => relevance))))
    .sort((a, b) => a - b);
  const values = [floor, ...highest.filter((value) => value > floor)];
  return values.find((value) => called(value) <= share * count) ?? values[values.length - 1];
}

/** What an aspect must reach beside one that reaches the threshold, where nothing else is known. */
export function besideOf(value: number): number {
  return value / BESIDE;
}

/**
 * The same where distractors are known: so high that at most a share of them is relevant in all, and at least a third. It can lie above
 * the threshold, since it is compared with another number.
 *
 * @param distractors of images answered right.
 * @param value the threshold, which takes its own part of the share.
 */
export function besideAgainstDistractors(
  distractors: readonly Reached[],
  { value, share = 0.03 }: { value: number; share?: number },
): number {
  const below = distractors.filter(({ relevance }) => relevance < value).map(({ apart }) => apart);
  const taken = distractors.length - below.length;
  const room = Math.max(0, Math.floor(share * distractors.length) - taken);
  below.sort((a, b) => b - a);
  return Math.max(besideOf(value), room < below.length ? above(below[room]) : 0);
}

/**
 * The threshold of the highest balanced accuracy (the mean of the shares of positives at or above it and of negatives
 * below); half way between the two scores that it parts, the lowest of several.
 *
 * @returns `null` where there are fewer than 5 of either kind, or none parts them better than chance.
 */
export function thresholdThatSeparates(pairs: readonly Ranked[]): number | null {
  const sorted = [...pairs].sort((a, b) => a.score - b.score);
  const positives = sorted.filter((pair) => pair.isPositive).length;
  const negatives = sorted.length - positives;
  if (Math.min(positives, negatives) < LEAST_COUNT) return null;
  let best = 0.5;
  let threshold: number | null = null;
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
