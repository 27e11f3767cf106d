/**
 * Decides what the scores of one model mean, from scores that were measured: of causes, of distractors, of aspects under
 * randomized classifiers. `calibrate.ts` measures them.
 */

import type { Ranked } from "../../core/ranking.js";
import type { ScoreScale } from "../../core/relevance-scale.js";
import {
  FALSE_RELEVANCE,
  LEAST_COUNT,
  LEAST_RANDOMIZED_COUNT,
  LEAST_SHARE_OF_GENERAL,
  SHORTCUT_SHARE,
} from "../relevance-constants.js";
import { fitLine } from "./fit-line.js";

/**
 * Decides the scale of one method's scores in one model.
 *
 * With known causes the line is fitted to them, with the line of all models as the prior, where the method has one
 * (`fitLine`). Without them it is the level that 3 % of the aspects reach when the classifier is randomized: scores are
 * several times as high in some models as in others, and the line of all models called nothing relevant in some
 * (bench/results/lines.md). It is at least a third of that line.
 *
 * @param measured.general of the method, for all models; `line` is absent where none was found.
 * @param measured.known causes (positive) and distractors, of images answered right.
 * @param measured.randomized measures, only where it is needed, scores under randomized classifiers.
 */
export async function decideScale({
  general,
  known,
  randomized,
}: {
  general: { readonly slope: number; readonly line?: number };
  known: readonly Ranked[];
  randomized: () => Promise<readonly number[]>;
}): Promise<ScoreScale> {
  const { slope, line } = general;
  const own = fitLine(known, general);
  if (own !== null) return { kind: "probability", line: own, slope, by: "causes" };
  const chance = lineAgainstRandomized(await randomized());
  if (chance !== null) {
    const least = LEAST_SHARE_OF_GENERAL * (line ?? 0);
    return { kind: "probability", line: Math.max(chance, least), slope, by: "randomized" };
  }
  return line === undefined ? { kind: "uncalibrated" } : { kind: "probability", line, slope, by: "general" };
}

/**
 * The line that at most 3 % of the scores under randomized models reach.
 *
 * @returns `null` where there are fewer than 20, or it would be 0.
 */
export function lineAgainstRandomized(scores: readonly number[], { share = FALSE_RELEVANCE } = {}): number | null {
  if (scores.length < LEAST_RANDOMIZED_COUNT) return null;
  const falling = [...scores].sort((a, b) => b - a);
  const highest = falling[Math.floor(share * falling.length)];
  // The next double above it: a score that equals the line is relevant.
  return highest > 0 ? highest * (1 + 2 ** -40) : null;
}

/** A distractor that the classifier seems to go by: a shortcut, or a cause that the dataset does not name. */
export interface ShortcutCandidate {
  readonly name: string;
  /** Images in which it is a distractor. */
  readonly count: number;
  /** In how many of them it would be relevant. */
  readonly reached: number;
}

/**
 * Distractors that are relevant in most of their images even from the line on that separates causes from distractors best
 * (the one of all models where there is none).
 *
 * @param scores positives are causes, negatives distractors, with the names of their aspects.
 * @param general of the method, as in `decideScale`.
 * @returns none with fewer than 5 images.
 */
export function shortcutCandidates(
  scores: readonly (Ranked & { readonly name: string })[],
  general: { readonly slope: number; readonly line?: number },
): ShortcutCandidate[] {
  const line = fitLine(scores, general) ?? general.line ?? Number.POSITIVE_INFINITY;
  const distractors = scores.filter(({ isPositive }) => !isPositive);
  return [...new Set(distractors.map(({ name }) => name))]
    .map((name) => {
      const own = distractors.filter((one) => one.name === name).map(({ score }) => score);
      return { name, count: own.length, reached: own.filter((score) => score >= line).length };
    })
    .filter(({ count, reached }) => count >= LEAST_COUNT && reached > SHORTCUT_SHARE * count);
}
