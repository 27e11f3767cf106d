/**
 * Measures what the thresholds of relevance are decided from, on validation images; `fit-threshold.ts` decides them.
 */

import type { Sample } from "../../core/annotation.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Engine } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { MethodChoice } from "../explanation.js";
import { MOST_CALIBRATION_IMAGES } from "../relevance-constants.js";
import { evidenceRemoved, knownCauses, type Pass, randomizedRelevances } from "./calibration-passes.js";
import {
  type DecidedThresholds,
  decideThresholds,
  type ShortcutCandidate,
  shortcutCandidates,
  thresholdAgainstRandomized,
} from "./fit-threshold.js";
import type { ClassCauses, RankedAspect } from "./ground-truth.js";

/** The thresholds that `calibrate` found, and what they come from. */
export interface Calibration extends DecidedThresholds {
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
 * Finds the two thresholds from which an aspect is called relevant, on validation images, by the rules of
 * `decideThresholds`. Shortcut candidates (aspects that, in most of their images, reach what randomized classifiers
 * seldom reach) do not count as distractors; a warning names them.
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

  const isCandidate = ({ name, isPositive }: RankedAspect) =>
    !isPositive && candidates.some((one) => one.name === name);
  let pass: Pass<unknown> = known;
  const decided = await decideThresholds({
    known: known.scores.filter((score) => !isCandidate(score)),
    randomized,
    removed: async () => {
      const removed = await evidenceRemoved(model, setting);
      pass = removed;
      return removed.scores;
    },
  });
  return {
    ...decided,
    imageCount: pass.imageCount,
    warnings: [...pass.warnings, ...candidates.filter(({ name }) => isAbout(name)).map(warningOf)],
  };
}

function warningOf({ name, count, reached }: ShortcutCandidate): string {
  return (
    `"${name}" is relevant in ${reached} of the ${count} images that hold it, though "causes" does not name it: ` +
    "the classifier may go by it. It did not count as a distractor. Look at such images; if it is a cause, name it."
  );
}
