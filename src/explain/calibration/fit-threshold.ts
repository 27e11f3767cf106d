/**
 * Decides the two thresholds of relevance from relevances that were measured: of causes, of distractors, of aspects
 * whose evidence was removed, of aspects under randomized classifiers. `calibrate.ts` measures them.
 */

import type { Ranked } from "../../core/ranking.js";
import type { RelevanceThreshold } from "../../model/trained-model.js";
import { type Relevances, relevantOnes } from "../reading/relevant-aspects.js";
import {
  FALSE_RELEVANCE,
  HIGH_TO_LOW,
  LEAST_COUNT,
  LEAST_RANDOMIZED_COUNT,
  SHORTCUT_SHARE,
  STEPS_OF_THRESHOLD,
  UNCALIBRATED_THRESHOLD,
} from "../relevance-constants.js";

/** The thresholds, and what they come from. */
export interface DecidedThresholds {
  readonly threshold: Required<RelevanceThreshold>;
  /**
   * What the high threshold comes from: `causes` or `removal`, known causes or the removal of evidence; `chance`,
   * randomized classifiers, where they ask for a higher one, or the others gave none; `none`, where it is not
   * calibrated.
   */
  readonly by: "causes" | "removal" | "chance" | "none";
}

/**
 * Decides the two thresholds from which an aspect is called relevant.
 *
 * The high threshold:
 *
 * - With known causes, the lowest that at most 3 % of the distractors reach, on images answered right.
 * - Without, the one that best separates aspects whose removal lowers the target by more than a quarter from the
 *   others.
 * - In both cases, or where neither gave one, at least so high that at most 3 % of the aspects are relevant to
 *   randomized classifiers.
 *
 * The low threshold is a third of it; with known causes more, where otherwise more than 3 % of the distractors would be
 * relevant. Where there are too few aspects for any of the three, nothing is calibrated and both are 0.2.
 *
 * @param measured.known causes (positive) and distractors, of images answered right.
 * @param measured.randomized of each image its aspects, under randomized classifiers.
 * @param measured.removed measures, only where it is needed, the aspects whose removal lowers the target (positive).
 */
export async function decideThresholds({
  known,
  randomized,
  removed,
}: {
  known: readonly (Ranked & Relevances)[];
  randomized: readonly (readonly Relevances[])[];
  removed: () => Promise<readonly Ranked[]>;
}): Promise<DecidedThresholds> {
  const againstDistractors = thresholdAgainstDistractors(known);
  const distractors = known.filter(({ isPositive }) => !isPositive);
  const [by, floor, low] =
    againstDistractors === null
      ? (["removal", thresholdThatSeparates(await removed()), lowOf] as const)
      : (["causes", againstDistractors, (high: number) => fitLow(distractors, { high })] as const);
  const high = thresholdAgainstRandomized(randomized, { floor: floor ?? undefined, low }) ?? floor;
  if (high === null) {
    return {
      threshold: { high: UNCALIBRATED_THRESHOLD, low: UNCALIBRATED_THRESHOLD, isCalibrated: false },
      by: "none",
    };
  }
  return { threshold: { high, low: low(high), isCalibrated: true }, by: high === floor ? by : "chance" };
}

/**
 * The lowest threshold (in steps of 0.0001) that at most a share of the negatives reaches.
 *
 * @param scores relevance 0..1; positives are causes, negatives distractors.
 * @param share 0..1 of the negatives.
 * @returns `null` where there are fewer than 5 causes or 5 distractors.
 */
export function thresholdAgainstDistractors(
  scores: readonly Ranked[],
  { share = FALSE_RELEVANCE } = {},
): number | null {
  const negatives = scores.filter(({ isPositive }) => !isPositive).map(({ score }) => score);
  if (negatives.length < LEAST_COUNT || scores.length - negatives.length < LEAST_COUNT) return null;
  negatives.sort((a, b) => b - a);
  return above(negatives[Math.floor(share * negatives.length)]);
}

/** A distractor that the classifier seems to go by: a shortcut, or a cause that the dataset does not name. */
export interface ShortcutCandidate {
  readonly name: string;
  /** Images in which it is a distractor. */
  readonly count: number;
  /** In how many of them its relevance is one that randomized classifiers seldom reach. */
  readonly reached: number;
}

/**
 * Distractors that reach, in most of their images, a threshold that randomized classifiers seldom reach.
 *
 * @param scores positives are causes, negatives distractors, with the names of their aspects.
 * @param threshold that of `thresholdAgainstRandomized`.
 * @returns none with fewer than 5 images.
 */
export function shortcutCandidates(
  scores: readonly (Ranked & { readonly name: string })[],
  { threshold }: { threshold: number },
): ShortcutCandidate[] {
  const distractors = scores.filter(({ isPositive }) => !isPositive);
  return [...new Set(distractors.map(({ name }) => name))]
    .map((name) => {
      const own = distractors.filter((one) => one.name === name).map(({ score }) => score);
      return { name, count: own.length, reached: own.filter((score) => score >= threshold).length };
    })
    .filter(({ count, reached }) => count >= LEAST_COUNT && reached > SHORTCUT_SHARE * count);
}

/** The next step above a score; a score of 1 has none, and stays. */
function above(score: number): number {
  const step = Math.floor(score * STEPS_OF_THRESHOLD) + 1;
  // The product can be rounded down to a step that the score itself is.
  const next = step / STEPS_OF_THRESHOLD > score ? step / STEPS_OF_THRESHOLD : (step + 1) / STEPS_OF_THRESHOLD;
  return Math.min(1, next);
}

/**
 * The lowest high threshold, `floor` or more, with which at most a share of the aspects is relevant to randomized
 * classifiers. Tried are `floor` and, of each image, the next step of 0.0001 above its highest relevance: with that
 * one, no aspect of the image is relevant.
 *
 * @param images of each its aspects' relevances to a randomized classifier.
 * @param low the low threshold that goes with a high one.
 * @returns `null` where there are fewer than 20 aspects.
 */
export function thresholdAgainstRandomized(
  images: readonly (readonly Relevances[])[],
  { floor = 0, low = lowOf, share = FALSE_RELEVANCE }: { floor?: number; low?: typeof lowOf; share?: number } = {},
): number | null {
  const count = images.reduce((sum, aspects) => sum + aspects.length, 0);
  if (count < LEAST_RANDOMIZED_COUNT) return null;
  const called = (high: number) =>
    images.reduce((sum, aspects) => sum + relevantOnes(aspects, { high, low: low(high) }).length, 0);
  const highest = images
    .map((aspects) => above(Math.max(0, ...aspects.map(({ relevance }) => relevance))))
    .sort((a, b) => a - b);
  const candidates = [floor, ...highest.filter((high) => high > floor)];
  return candidates.find((high) => called(high) <= share * count) ?? candidates[candidates.length - 1];
}

/** The low threshold of a high one, where nothing else is known. */
export function lowOf(high: number): number {
  return high / HIGH_TO_LOW;
}

/**
 * The low threshold where distractors are known: so high that, with the high one, at most a share of them is relevant,
 * and at least `lowOf`. It can lie above the high one, since it is compared with another number, `uniqueRelevance`.
 *
 * @param distractors of images answered right.
 * @param high the high threshold; distractors that reach it count towards the share.
 */
export function fitLow(
  distractors: readonly Relevances[],
  { high, share = FALSE_RELEVANCE }: { high: number; share?: number },
): number {
  const below = distractors
    .filter(({ relevance }) => relevance < high)
    .map(({ uniqueRelevance }) => uniqueRelevance)
    .sort((a, b) => b - a);
  const reaching = distractors.length - below.length;
  const allowed = Math.max(0, Math.floor(share * distractors.length) - reaching);
  return Math.max(lowOf(high), allowed < below.length ? above(below[allowed]) : 0);
}

/**
 * The threshold of the highest balanced accuracy (the mean of the shares of positives at or above it and of negatives
 * below); half way between the two scores that it separates, the lowest of several.
 *
 * @returns `null` where there are fewer than 5 of either kind, or no threshold has a balanced accuracy above 1/2.
 */
export function thresholdThatSeparates(scores: readonly Ranked[]): number | null {
  const sorted = [...scores].sort((a, b) => a.score - b.score);
  const positives = sorted.filter(({ isPositive }) => isPositive).length;
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
