/** Sets the threshold of relevance of a trained model on validation images: which passes decide it, and in which order. */

import type { Sample } from "../../core/annotation.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Engine } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { MethodChoice } from "../explanation.js";
import { UNCALIBRATED_THRESHOLD } from "../relevance-constants.js";
import { evidenceRemoved, knownCauses, type Pass, relevancesByChance } from "./calibration-passes.js";
import {
  fitLow,
  lowOf,
  type ShortcutCandidate,
  shortcutCandidates,
  thresholdAgainstChance,
  thresholdAgainstDistractors,
  thresholdThatSeparates,
} from "./fit-threshold.js";
import type { ClassCauses, RankedAspect } from "./ground-truth.js";

export interface Calibration {
  /** As a trained model holds it: `value` is the high threshold, `beside` the low one. */
  readonly threshold: { readonly value: number; readonly beside: number; readonly isCalibrated: boolean };
  /**
   * What set it: known causes, the removal of evidence, classifiers that have learned nothing where they ask for a higher one or
   * there is nothing else, or nothing at all.
   */
  readonly by: "causes" | "removal" | "chance" | "none";
  /** Images used. */
  readonly imageCount: number;
  /** One line each, for `Provenance.warnings`. */
  readonly warnings: readonly string[];
}

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
 * With known causes, the high threshold is the lowest that names at most 3 % of the distractors, on images answered right (shortcut
 * candidates left out: aspects that are relevant beyond chance in most of their images, which a warning names); without, the one
 * that best separates aspects whose removal lowers the target by more than a quarter from the others. In any case it is at least so
 * high that at most 3 % of the aspects are relevant to classifiers that have learned nothing. Else it is 0.2. The low threshold is a
 * third of it, or with known causes what keeps the distractors at 3 % in all, if that is more.
 */
export async function calibrate(
  model: Model,
  { causes = {}, unranked = [], method = {}, limit = 1000, batchSize = 8, warnOf, ...given }: CalibrateOptions,
): Promise<Calibration> {
  const isAbout = (name: string) => warnOf === undefined || warnOf.includes(name);
  const setting = { ...given, method, limit, batchSize, isAbout };
  const known = await knownCauses(model, setting, { causes, unranked });
  const byChance = await relevancesByChance(model, setting);
  const candidates = shortcutCandidates(known.scores, {
    chance: thresholdAgainstChance(byChance) ?? Number.POSITIVE_INFINITY,
  });

  /** The threshold that a pass set, or the higher one that chance asks for. */
  const atLeastChance = (
    by: Calibration["by"],
    { floor, low = lowOf, pass }: { floor: number | null; low?: typeof lowOf; pass: Pass<unknown> },
  ): Calibration => {
    const high = thresholdAgainstChance(byChance, { floor: floor ?? undefined, low }) ?? floor;
    return {
      threshold:
        high === null
          ? { value: UNCALIBRATED_THRESHOLD, beside: UNCALIBRATED_THRESHOLD, isCalibrated: false }
          : { value: high, beside: low(high), isCalibrated: true },
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
    return atLeastChance("causes", { floor: high, low, pass: known });
  }
  const removed = await evidenceRemoved(model, setting);
  return atLeastChance("removal", { floor: thresholdThatSeparates(removed.scores), pass: removed });
}

function warningOf({ name, count, reached }: ShortcutCandidate): string {
  return (
    `"${name}" is relevant in ${reached} of the ${count} images that hold it, though "causes" does not name it: the classifier may go ` +
    "by it. It did not count as a distractor. Look at such images; if it is a cause, name it."
  );
}
