/**
 * The three passes over validation images that calibration reads: known causes, randomized classifiers, removed
 * evidence.
 */

import type { Sample } from "../../core/annotation.js";
import { targetPort } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";
import type { Ranked } from "../../core/ranking.js";
import type { Engine, TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import type { Explanation, MethodChoice } from "../explanation.js";
import { removalFunction } from "../graph/evidence-removal.js";
import { explainFunction } from "../graph/explain-function.js";
import { explainConstants } from "../graph/graph-constants.js";
import { relevancesIn } from "../reading/json-fields.js";
import { readExplanation } from "../reading/read-explanation.js";
import type { Relevances } from "../reading/relevant-aspects.js";
import { NEEDED_SHARE, RANDOMIZATION, UNCALIBRATED_THRESHOLD } from "../relevance-constants.js";
import { createContrastCheck } from "./contrast-check.js";
import { type ClassCauses, compareWithGroundTruth, type RankedAspect, rankedRelevances } from "./ground-truth.js";
import { overRandomizedModels } from "./randomized-models.js";
import { overSamples } from "./run-over-samples.js";

/** What is calibrated, and on what; `calibrate` says what each is. */
export interface CalibrationSetting {
  readonly engine: Engine;
  readonly parameters: NdArrays;
  readonly references: NdArrays;
  readonly samples: () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
  readonly method: MethodChoice;
  readonly limit: number;
  readonly batchSize: number;
  readonly isAbout: (aspect: string) => boolean;
}

/** What one pass found. */
export interface Pass<Score> {
  readonly scores: readonly Score[];
  readonly imageCount: number;
  /** About heads that cannot be read. */
  readonly warnings: readonly string[];
}

/** Relevance of causes and distractors on images answered right. @param unranked aspects that are neither. */
export async function knownCauses(
  model: Model,
  setting: CalibrationSetting,
  { causes, unranked }: { causes: ClassCauses; unranked: readonly string[] },
): Promise<Pass<RankedAspect>> {
  const isByClass = Object.values(causes).some((names) => names.length > 0);
  return pass(model, setting, {
    fn: explainFunction(model, setting.method),
    qualifies: (sample) => isByClass || (sample.causes?.length ?? 0) > 0,
    scoresOf: ({ explanation, sample }) => {
      const comparison = compareWithGroundTruth(explanation, { sample, causes });
      if (!comparison.isRight || comparison.causes.length === 0) return [];
      return rankedRelevances(comparison).filter(({ name }) => !unranked.includes(name));
    },
  });
}

/**
 * Relevance of each aspect that can be read, positive where the answer needs it: where fading its evidence lowers the
 * target by more than a quarter.
 */
export async function evidenceRemoved(model: Model, setting: CalibrationSetting): Promise<Pass<Ranked>> {
  return pass(model, setting, {
    fn: removalFunction(model, setting.method),
    scoresOf: ({ explanation, outputs }) => {
      const [target] = outputs.target.data;
      return explanation.aspects.flatMap(({ name, relevance }) => {
        const whole = target - outputs[targetPort(name, "referenced")].data[0];
        // Where the target is no higher than on the reference, there is nothing to lose a share of.
        if (relevance === null || whole <= 0) return [];
        const lost = target - outputs[targetPort(name, "removed")].data[0];
        return [{ score: relevance, isPositive: lost > NEEDED_SHARE * whole }];
      });
    },
  });
}

/** Relevance to randomized classifiers, half of them negated: of each image under each, its aspects'. */
export async function randomizedRelevances(
  model: Model,
  { engine, parameters, references, samples, method, limit, batchSize }: CalibrationSetting,
): Promise<Relevances[][]> {
  const run = {
    engine,
    fn: explainFunction(model, method),
    parameters,
    references,
    samples: () => first(samples(), Math.min(limit, RANDOMIZATION.images)),
    randomizations: Array.from({ length: RANDOMIZATION.classifiers }, (_, index) => ({
      seed: index + 1,
      isNegated: index % 2 === 1,
    })),
    batchSize,
  };
  const images: Relevances[][] = [];
  for await (const { sample, outputs } of overRandomizedModels(model, run)) {
    const { aspects } = read(outputs, { model, method, sample });
    images.push(aspects.flatMap((aspect) => relevancesIn(aspect) ?? []));
  }
  return images;
}

/** @param qualifies which images are explained. @param scoresOf what is learned of one. */
async function pass<Score>(
  model: Model,
  { engine, parameters, references, samples, method, limit, batchSize, isAbout }: CalibrationSetting,
  {
    fn,
    qualifies,
    scoresOf,
  }: {
    fn: TensorFunction;
    qualifies?: (sample: Sample) => boolean;
    scoresOf: (image: { sample: Sample; outputs: NdArrays; explanation: Explanation }) => readonly Score[];
  },
): Promise<Pass<Score>> {
  const contrast = createContrastCheck(isAbout);
  const scores: Score[] = [];
  let imageCount = 0;
  const constants = explainConstants({ parameters, references });
  const run = { engine, constants, batchSize, fn, samples: first(samples(), limit, qualifies), name: "calibrate" };
  for await (const { sample, outputs } of overSamples(model, run)) {
    imageCount++;
    const explanation = read(outputs, { model, method, sample });
    contrast.add(explanation);
    scores.push(...scoresOf({ sample, outputs, explanation }));
  }
  return { scores, imageCount, warnings: contrast.warnings() };
}

/** The threshold does not matter here: relevances alone are read. */
function read(
  outputs: NdArrays,
  { model, method, sample }: { model: Model; method: MethodChoice; sample: Sample },
): Explanation {
  const threshold = { high: UNCALIBRATED_THRESHOLD };
  return readExplanation(outputs, { spec: model.spec, threshold, image: sample.path, method }).explanation;
}

/** The first samples of a stream that qualify, batch by batch. */
async function* first(
  samples: AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>,
  limit: number,
  qualifies: (sample: Sample) => boolean = () => true,
): AsyncGenerator<readonly Sample[]> {
  let count = 0;
  for await (const batch of samples) {
    const wanted = batch.filter(qualifies).slice(0, limit - count);
    count += wanted.length;
    if (wanted.length > 0) yield wanted;
    if (count >= limit) return;
  }
}
