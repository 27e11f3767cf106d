/** Calibrates the thresholds of relevance of a trained model on validation images: which passes, and in which order. */

import type { Sample } from "../../core/annotation.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Engine } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { RelevanceThreshold } from "../../model/trained-model.js";
import type { MethodChoice } from "../explanation.js";
import { MOST_CALIBRATION_IMAGES, UNCALIBRATED_THRESHOLD } from "../relevance-constants.js";
import { evidenceRemoved, knownCauses, type Pass, randomizedRelevances } from "./calibration-passes.js";
import {
  fitLow,
  lowOf,
  type ShortcutCandidate,
  shortcutCandidates,
  thresholdAgainstDistractors,
  thresholdAgainstRandomized,
  thresholdThatSeparates,
} from "./fit-threshold.js";
import type { ClassCauses, RankedAspect } from "./ground-truth.js";

/** The thresholds that `calibrate` found, and what they come from. */
export interface Calibration {
  readonly threshold: Required<RelevanceThreshold>;
  /**
   * What the high threshold comes from: `causes` or `removal`, known causes or the removal of evidence; `chance`,
   * randomized classifiers, where they ask for a higher one, or the others gave none; `none`, where it is not
   * calibrated.
   */
  readonly by: "causes" | "removal" | "chance" | "none";
  /** Images used. */
  readonly imageCount: number;
  /** One line each, for `Provenance.warnings`. */
  readonly warnings: readonly string[];
}

/** What `calibrate` measures with. */
export interface CalibrateOptions {
  readonly engine: Engine;
  /** Folded, by name. */
  readonly parameters: NdArrays;
  /** Of `computeReferences`. */
  readonly references: NdArrays;
  /** Opens the validation split, in random order if `limit` cuts it; the same images each time. */
  readonly samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
  /** Of the dataset; a sample's own go before. */
  readonly causes?: ClassCauses;
  /** Aspects that are neither causes nor distractors, whatever the causes are. */
  readonly unranked?: readonly string[];
  /** The default explanation without it. */
  readonly method?: MethodChoice;
  /** Most images used. */
  readonly limit?: number;
  readonly batchSize?: number;
  /** The only aspects that warnings are about; all without it. */
  readonly warnOf?: readonly string[];
}

/**
 * Finds the two thresholds from which an aspect is called relevant, on validation images.
 *
 * The high threshold:
 *
 * - With known causes, the lowest that at most 3 % of the distractors reach, on images answered right. Shortcut
 *   candidates (aspects that, in most of their images, reach what randomized classifiers seldom reach) do not count; a
 *   warning names them.
 * - Without, the one that best separates aspects whose removal lowers the target by more than a quarter from the
 *   others.
 * - In both cases, or where neither gave one, at least so high that at most 3 % of the aspects are relevant to
 *   randomized classifiers.
 *
 * The low threshold is a third of it; with known causes more, where otherwise more than 3 % of the distractors would be
 * relevant. Where there are too few aspects for any of the three, nothing is calibrated and both are 0.2.
 */
export async function calibrate(
  model: Model,
  {
    causes = {},
    unranked = [],
    method = {},
    limit = MOST_CALIBRATION_IMAGES,
    batchSize = 8,
    warnOf,
    ...given
  }: CalibrateOptions,
): Promise<Calibration> {
  const isAbout = (name: string) => warnOf === undefined || warnOf.includes(name);
  const setting = { ...given, method, limit, batchSize, isAbout };
  const known = await knownCauses(model, setting, { causes, unranked });
  const randomized = await randomizedRelevances(model, setting);
  const candidates = shortcutCandidates(known.scores, {
    threshold: thresholdAgainstRandomized(randomized) ?? Number.POSITIVE_INFINITY,
  });

  /** The thresholds of a pass, or the higher ones that randomized classifiers ask for. */
  const calibration = (
    by: Calibration["by"],
    { floor, low = lowOf, pass }: { floor: number | null; low?: typeof lowOf; pass: Pass<unknown> },
  ): Calibration => {
    const high = thresholdAgainstRandomized(randomized, { floor: floor ?? undefined, low }) ?? floor;
    return {
      threshold:
        high === null
          ? { high: UNCALIBRATED_THRESHOLD, low: UNCALIBRATED_THRESHOLD, isCalibrated: false }
          : { high, low: low(high), isCalibrated: true },
      by: high === null ? "none" : high === floor ? by : "chance",
      imageCount: pass.imageCount,
      warnings: [...pass.warnings, ...candidates.filter(({ name }) => isAbout(name)).map(warningOf)],
    };
  };

  const isCandidate = ({ name, isPositive }: RankedAspect) =>
    !isPositive && candidates.some((one) => one.name === name);
  const trusted = known.scores.filter((score) => !isCandidate(score));
  const high = thresholdAgainstDistractors(trusted);
  if (high !== null) {
    const distractors = trusted.filter(({ isPositive }) => !isPositive);
    const low = (value: number) => fitLow(distractors, { high: value });
    return calibration("causes", { floor: high, low, pass: known });
  }
  const removed = await evidenceRemoved(model, setting);
  return calibration("removal", { floor: thresholdThatSeparates(removed.scores), pass: removed });
}

function warningOf({ name, count, reached }: ShortcutCandidate): string {
  return (
    `"${name}" is relevant in ${reached} of the ${count} images that hold it, though "causes" does not name it: ` +
    "the classifier may go by it. It did not count as a distractor. Look at such images; if it is a cause, name it."
  );
}
