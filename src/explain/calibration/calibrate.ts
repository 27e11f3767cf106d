/** Measures what the scale of a method's scores is decided from, on validation images; `decide-scale.ts` decides it. */

import type { Sample } from "../../core/annotation.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { RelevanceScales, ScoreScale } from "../../core/relevance-scale.js";
import type { Engine } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { DEFAULT_SALIENCY, type SaliencyName } from "../methods.js";
import {
  GENERAL_LINES,
  LEAST_COUNT,
  LEAST_SEPARATION,
  MOST_CALIBRATION_IMAGES,
  RANDOMIZATION,
} from "../relevance-constants.js";
import { knownCauses, type RandomizationSize, randomizedScores, readImages } from "./calibration-passes.js";
import { decideScale, type ShortcutCandidate, shortcutCandidates } from "./decide-scale.js";
import { balancedAccuracy } from "./fit-line.js";
import type { ClassCauses, RankedAspect } from "./ground-truth.js";

/** The scales that `calibrate` found, and on how many images. */
export interface Calibration {
  /** Of the classifier's answers, by method. */
  readonly scales: RelevanceScales;
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
  /** Measured in one pass; the default alone without it. */
  readonly methods?: readonly SaliencyName[];
  /** Most images used. */
  readonly limit?: number;
  /** Of the randomized classifiers. */
  readonly randomization?: RandomizationSize;
  readonly batchSize?: number;
  /** The only aspects that warnings are about; all without it. */
  readonly warnOf?: readonly string[];
}

/**
 * Finds what the scores of saliency methods mean when they explain the classifier, on validation images, by the rules of
 * `decideScale`. Shortcut candidates (distractors that are relevant in most of their images all the same, by the first
 * method) do not count as distractors; a warning names them.
 *
 * @throws ConfigError where the model does not allow a method.
 */
export async function calibrate(
  model: Model,
  {
    causes = {},
    unranked = [],
    methods = [DEFAULT_SALIENCY],
    limit = MOST_CALIBRATION_IMAGES,
    randomization = RANDOMIZATION,
    batchSize = 8,
    warnOf,
    ...given
  }: CalibrateOptions,
): Promise<Calibration> {
  const isAbout = (name: string) => warnOf === undefined || warnOf.includes(name);
  const setting = { ...given, methods, limit, batchSize, isAbout };
  const known = await knownCauses(model, setting, { causes, unranked });
  const candidates = shortcutCandidates(known.scores[0], GENERAL_LINES[methods[0]]);

  const isCandidate = ({ name, isPositive }: RankedAspect) =>
    !isPositive && candidates.some((one) => one.name === name);
  let randomized: Promise<number[][]> | undefined;
  const scales: Record<string, { class: ScoreScale }> = {};
  for (const [index, saliency] of methods.entries()) {
    scales[saliency] = {
      class: await decideScale({
        general: GENERAL_LINES[saliency],
        known: known.scores[index].filter((score) => !isCandidate(score)),
        randomized: async () => {
          randomized ??= randomizedScores(model, setting, randomization);
          return (await randomized)[index];
        },
      }),
    };
  }
  // Without any known cause no image was read yet: the heads are looked at all the same.
  const { imageCount, warnings } = known.imageCount > 0 ? known : await readImages(model, setting);
  const found = scales[methods[0]].class;
  return {
    scales,
    imageCount,
    warnings: [
      ...warnings,
      ...candidates.filter(({ name }) => isAbout(name)).map(warningOf),
      ...separationWarning(
        known.scores[0].filter((score) => !isCandidate(score)),
        found,
      ),
    ],
  };
}

/** Where the line set by known causes does not tell them from the rest: most often `causes` names the wrong aspects. */
function separationWarning(known: readonly RankedAspect[], scale: ScoreScale): string[] {
  const count = (isCause: boolean) => known.filter(({ isPositive }) => isPositive === isCause).length;
  if (scale.kind !== "probability" || Math.min(count(true), count(false)) < LEAST_COUNT) return [];
  const separation = balancedAccuracy(known, scale.line);
  if (separation >= LEAST_SEPARATION) return [];
  const causes = [...new Set(known.flatMap(({ name, isPositive }) => (isPositive ? name : [])))];
  return [
    `the known causes (${causes.join(", ")}) hardly stand out from the other aspects: ` +
      `${Math.round(100 * separation)} % of both are told apart, where chance is 50 %. ` +
      'Either "causes" names the wrong aspects, or the classifier goes by something else. ' +
      "Look at such images before you trust what is called relevant.",
  ];
}

function warningOf({ name, count, reached }: ShortcutCandidate): string {
  return (
    `"${name}" is relevant in ${reached} of the ${count} images that hold it, though "causes" does not name it: ` +
    "the classifier may go by it. It did not count as a distractor. Look at such images; if it is a cause, name it."
  );
}
