/**
 * The passes over validation images that calibration reads: known causes, randomized classifiers. Each measures several
 * saliency methods at once.
 */

import type { Sample } from "../../core/annotation.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Engine } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { explainConstants } from "../graph/graph-constants.js";
import { ofMethod, severalMethods } from "../graph/several-methods.js";
import type { SaliencyName } from "../methods.js";
import { isMappedBadly } from "../reading/aspect-mapping.js";
import { readScores, type Scored } from "../reading/read-scores.js";
import { createContrastCheck } from "./contrast-check.js";
import { type ClassCauses, compareWithGroundTruth, type RankedAspect, rankedScores } from "./ground-truth.js";
import { halfNegated, overRandomizedModels } from "./randomized-models.js";
import { firstSamples, keptSamples, overSamples } from "./run-over-samples.js";

/** What is calibrated, and on what; `calibrate` says what each is. */
export interface CalibrationSetting {
  readonly engine: Engine;
  readonly parameters: NdArrays;
  readonly references: NdArrays;
  readonly samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
  readonly methods: readonly SaliencyName[];
  readonly limit: number;
  readonly batchSize: number;
  readonly isAbout: (aspect: string) => boolean;
}

/** What is measured of one method alone, on the same images at each call. */
export type MeasuringSetting = Pick<
  CalibrationSetting,
  "engine" | "parameters" | "references" | "samples" | "batchSize"
>;

/** What one pass found. */
export interface Pass<Score> {
  /** In the order of the methods. */
  readonly scores: readonly (readonly Score[])[];
  readonly imageCount: number;
  /** About heads that cannot be read. */
  readonly warnings: readonly string[];
}

/**
 * Scores of causes and distractors on images answered right; of answers that no aspect causes (`"benign": []`) all are
 * distractors.
 *
 * @param unranked aspects that are neither.
 */
export async function knownCauses(
  model: Model,
  setting: CalibrationSetting,
  { causes, unranked }: { causes: ClassCauses; unranked: readonly string[] },
): Promise<Pass<RankedAspect>> {
  const isByClass = Object.values(causes).some((names) => names.length > 0);
  return pass(model, setting, {
    qualifies: (sample) => isByClass || sample.causes !== undefined,
    scoresOf: ({ scored, sample }) => {
      const comparison = compareWithGroundTruth(scored, { sample, causes });
      const isKnown = comparison.causes.length > 0 || comparison.possibleCauses === 0;
      if (!comparison.isRight || !isKnown) return [];
      return rankedScores(comparison).filter(({ name }) => !unranked.includes(name));
    },
  });
}

/** What heads cannot be read, on any images. */
export async function readImages(model: Model, setting: CalibrationSetting): Promise<Pass<never>> {
  return pass(model, setting, { scoresOf: () => [] });
}

/** How many images are explained under how many randomized classifiers, half of them negated. */
export interface RandomizationSize {
  readonly images: number;
  readonly classifiers: number;
}

/** Scores under randomized classifiers, in the order of the methods. */
export async function randomizedScores(
  model: Model,
  { engine, parameters, references, samples, methods, limit, batchSize }: CalibrationSetting,
  { images, classifiers }: RandomizationSize,
): Promise<number[][]> {
  const kept = await keptSamples(firstSamples(samples(), Math.min(limit, images)));
  const run = {
    engine,
    fn: severalMethods(model, methods),
    parameters,
    references,
    samples: () => kept,
    randomizations: halfNegated(classifiers),
    batchSize,
  };
  const scores: number[][] = methods.map(() => []);
  for await (const { outputs } of overRandomizedModels(model, run)) {
    for (const [index, saliency] of methods.entries()) {
      const { aspects } = readScores(ofMethod(outputs, saliency), model);
      scores[index].push(...aspects.flatMap(({ score }) => score ?? []));
    }
  }
  return scores;
}

/** @param qualifies which images are explained. @param scoresOf what is learned of one, by one method. */
async function pass<Score>(
  model: Model,
  { engine, parameters, references, samples, methods, limit, batchSize, isAbout }: CalibrationSetting,
  {
    qualifies,
    scoresOf,
  }: {
    qualifies?: (sample: Sample) => boolean;
    scoresOf: (image: { sample: Sample; scored: Scored }) => readonly Score[];
  },
): Promise<Pass<Score>> {
  const contrast = createContrastCheck((name) => isAbout(name) && !isMappedBadly(model.spec, name));
  const scores: Score[][] = methods.map(() => []);
  let imageCount = 0;
  const constants = explainConstants({ parameters, references });
  const fn = severalMethods(model, methods);
  const run = {
    engine,
    constants,
    batchSize,
    fn,
    samples: firstSamples(samples(), limit, qualifies),
    name: "calibrate",
  };
  for await (const { sample, outputs } of overSamples(model, run)) {
    imageCount++;
    for (const [index, saliency] of methods.entries()) {
      const scored = readScores(ofMethod(outputs, saliency), model);
      if (index === 0) contrast.add(scored);
      scores[index].push(...scoresOf({ sample, scored }));
    }
  }
  return { scores, imageCount, warnings: contrast.warnings() };
}
