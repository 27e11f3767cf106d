/** Measures the faithfulness of one model on one dataset: every method beside the default, and the controls. */

import type { Sample } from "../core/annotation.js";
import { InterruptedError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import { batches } from "../dataset/batches.js";
import { type Dataset, splitSize } from "../dataset/dataset.js";
import type { Split } from "../dataset/record.js";
import type { LoadOptions } from "../dataset/sample.js";
import type { Engine } from "../engine/engine.js";
import { calibrate } from "../explain/calibration/calibrate.js";
import { type Judged, judge, rankedAspects } from "../explain/calibration/ground-truth.js";
import {
  overRandomizedModels,
  type Randomization,
  type Randomize,
  randomizeClassifier,
  randomizeHeads,
} from "../explain/calibration/randomized-models.js";
import { overSamples } from "../explain/calibration/run-over-samples.js";
import type { Explained } from "../explain/explanation.js";
import { allMaskings, withMasking } from "../explain/graph/all-maskings.js";
import { explainFunction } from "../explain/graph/explain-function.js";
import { explainConstants } from "../explain/graph/graph-constants.js";
import { type MaskingName, maskingsOf, methodOf, type SaliencyName } from "../explain/methods.js";
import { readExplanation } from "../explain/reading/read-explanation.js";
import { createModel, type Model } from "../model/model.js";
import type { RelevanceThreshold, TrainedModel } from "../model/trained-model.js";
import { type Removal, removals } from "./aspect-inpainting.js";
import { blurred, deletionCurves } from "./deletion-curves.js";
import { countedAspects, createTally, type Faithfulness, type RandomControl } from "./faithfulness.js";

export interface FaithfulnessOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** How the model explains unless it is asked to do so in another way. */
  readonly method?: { readonly saliency?: SaliencyName; readonly masking?: MaskingName };
  /** Methods to measure beside it, each with all its maskings. */
  readonly others?: readonly SaliencyName[];
  /** Aspects that are explained, but neither causes nor distractors. */
  readonly unranked?: readonly string[];
  /** Draws of each random control; every classifier counts with both signs. */
  readonly draws?: number;
  /** Images of each draw. */
  readonly drawImages?: number;
  /** Images in which each aspect with a place is painted over. */
  readonly removalImages?: number;
  /** Images whose salient places are taken away and given, for each method. */
  readonly curveImages?: number;
  readonly batchSize?: number;
  readonly onProgress?: (share: number, what: string) => void;
  readonly signal?: AbortSignal;
}

/** An explanation beside the truth, with what a picture of it needs. */
export interface Case {
  readonly judged: Judged;
  readonly explained: Explained;
  /** As the model saw it, `[S, S, 3]` RGB. */
  readonly pixels: Uint8Array;
  /** How much more relevant the most relevant distractor is than the most relevant cause; below 0 where the cause is named. */
  readonly error: number;
}

export interface FaithfulnessOfModel {
  readonly faithfulness: Faithfulness;
  /** The cases in which the default errs most, worst first. */
  readonly worst: readonly Case[];
}

/** Cases that are kept. */
export const WORST = 12;
/** Validation images that set the threshold of a method other than the default. */
const CALIBRATION_IMAGES = 300;

/**
 * @throws InterruptedError between two batches.
 * @throws ConfigError where the model does not allow a method.
 */
export async function faithfulnessOf(
  trained: TrainedModel,
  {
    engine,
    dataset,
    method,
    others = [],
    unranked = [],
    draws = 20,
    drawImages = 100,
    removalImages = 500,
    curveImages = 40,
    batchSize = 8,
    onProgress,
    signal,
  }: FaithfulnessOptions,
): Promise<FaithfulnessOfModel> {
  const { saliency, masking } = methodOf(method);
  const { spec, parameters, references } = trained;
  const model = createModel(spec);
  const { causes } = dataset.manifest;
  const constants = explainConstants({ parameters, references });
  const names = [saliency, ...others.filter((name) => name !== saliency)];
  const imageCount = splitSize(dataset, "test");
  const randomCount = Math.min(imageCount, drawImages) * draws * 3;
  const total = imageCount * names.length + randomCount + Math.min(imageCount, removalImages);
  let done = 0;
  const samples = async function* (
    split: Split,
    {
      limit = Number.POSITIVE_INFINITY,
      what = "",
      counts = true,
      annotations = "kind" as LoadOptions["annotations"],
    } = {},
  ) {
    let count = 0;
    const view = { split, batchSize, inputSize: spec.trunk.inputSize, annotations };
    for await (const batch of batches(dataset, view)) {
      if (signal?.aborted) throw new InterruptedError("interrupted; nothing was written.");
      const some = batch.slice(0, limit - count);
      count += some.length;
      yield some;
      if (counts) done += some.length;
      if (counts) onProgress?.(done / total, what);
      if (count >= limit) return;
    }
  };
  const judgeOne = (sample: Sample, explained: Explained): Judged => {
    const judged = judge(explained.explanation, { sample, causes });
    const ranked = (names: readonly string[]) => names.filter((name) => !unranked.includes(name));
    return { ...judged, causes: ranked(judged.causes), distractors: ranked(judged.distractors) };
  };
  const read = (
    outputs: NdArrays,
    sample: Sample,
    method: { saliency: SaliencyName; masking: MaskingName },
    threshold: RelevanceThreshold,
  ) => readExplanation(outputs, { spec, threshold, image: sample.path, method });

  const answered = { engine, constants: parameters, batchSize };
  const effects = new Map<string, Readonly<Record<string, Removal>>>();
  if (removalImages > 0) {
    // A head that learns from presence alone says nothing of the place, but the annotation may.
    const painted = samples("test", { limit: removalImages, what: "aspects painted over", annotations: "all" });
    for await (const { sample, effects: own } of removals(model, { ...answered, samples: painted }))
      effects.set(sample.path, own);
  }
  const worst: Case[] = [];
  const followed = new Map<string, { sample: Sample; maps: Explained["maps"]["saliency"][] }>();
  const reports: Faithfulness[] = [];
  for (const name of names) {
    const maskings = maskingsOf(name);
    const threshold = name === saliency ? trained.threshold : await thresholdOf(name);
    const tallies = new Map(maskings.map((way) => [way, createTally()]));
    const run = { engine, fn: allMaskings(model, { saliency: name }), constants, batchSize, name };
    for await (const { sample, outputs } of overSamples(model, { ...run, samples: samples("test", { what: name }) })) {
      for (const [way, tally] of tallies) {
        const method = { saliency: name, masking: way };
        const explained = read(withMasking(outputs, way), sample, method, threshold);
        const judged = judgeOne(sample, explained);
        tally.add(judged, effects.get(sample.path));
        if (way === maskings[0]) follow(sample, judged, explained);
        if (name === saliency && way === masking) keepWorst(worst, { judged, explained, pixels: sample.image });
      }
    }
    for (const [way, tally] of tallies) {
      reports.push(tally.result({ isDefault: name === saliency && way === masking }));
    }
  }
  const curves = await curvesOf([...followed.values()]);
  const [own] = reports.filter(({ methods }) => methods[0].isDefault);
  const seeds = Array.from({ length: draws }, (_, seed) => seed);
  const controls = {
    ...own.controls,
    randomClassifier: await control(model, {
      randomize: randomizeClassifier,
      randomizations: seeds.flatMap((seed) => [{ seed }, { seed, isNegated: true }]),
      what: "randomized classifiers",
    }),
    randomHeads: await control(model, {
      randomize: randomizeHeads,
      randomizations: seeds.map((seed) => ({ seed })),
      what: "randomized heads",
    }),
  };
  const methods = reports.flatMap(({ methods }) =>
    methods.map((method) => ({ ...method, curves: curves?.[names.indexOf(method.saliency)] ?? null })),
  );
  const chance = { ...own.chance, curves: curves?.[names.length] ?? null };
  return { faithfulness: { ...own, methods, chance, controls }, worst };

  /** The same images for each method, since all explain the same answer. */
  function follow(sample: Sample, { isRight }: Judged, { maps }: Explained): void {
    if (!isRight || model.classifier.spec.task === "regression") return;
    const known = followed.get(sample.path);
    if (known) known.maps.push(maps.saliency);
    else if (followed.size < curveImages) followed.set(sample.path, { sample, maps: [maps.saliency] });
  }

  /** Means over the images, for each method and for places by lot; `null` without images. */
  async function curvesOf(images: readonly { sample: Sample; maps: Explained["maps"]["saliency"][] }[]) {
    if (images.length === 0) return null;
    const { inputSize } = spec.trunk;
    const stream = async function* () {
      for (const { sample, maps } of images) {
        if (signal?.aborted) throw new InterruptedError("interrupted; nothing was written.");
        const byLot = { ...maps[0], values: new Float32Array(maps[0].values.length) };
        yield [{ sample, maps: [...maps, byLot], blurred: await blurred(sample.image, inputSize) }];
      }
    };
    const sums = [...names, ""].map(() => ({ deletion: 0, insertion: 0 }));
    for await (const found of deletionCurves(model, { ...answered, followed: stream() })) {
      for (const [index, { deletion, insertion }] of found.entries()) {
        sums[index].deletion += deletion / images.length;
        sums[index].insertion += insertion / images.length;
      }
    }
    return sums;
  }

  async function thresholdOf(name: SaliencyName): Promise<RelevanceThreshold> {
    const open = () => samples("validation", { limit: CALIBRATION_IMAGES, counts: false });
    const method = { saliency: name };
    const given = { engine, parameters, references, samples: open, causes, unranked, method, batchSize };
    return (await calibrate(model, given)).threshold;
  }

  /** Every image counts, whatever such a model answers: what is explained is the class that the image has. */
  async function control(
    model: Model,
    {
      randomize,
      randomizations,
      what,
    }: { randomize: Randomize; randomizations: readonly Randomization[]; what: string },
  ): Promise<RandomControl> {
    const tally = createTally();
    let [relevant, count] = [0, 0];
    const open = () => samples("test", { limit: drawImages, what });
    const fn = explainFunction(model, { saliency, masking });
    const options = { engine, fn, parameters, references, samples: open, randomizations, randomize, batchSize };
    const classOf = ({ target }: Sample) => target.label;
    for await (const { sample, outputs } of overRandomizedModels(model, { ...options, classOf })) {
      const explained = read(outputs, sample, { saliency, masking }, trained.threshold);
      const judged = { ...judgeOne(sample, explained), isRight: true };
      tally.add(judged);
      for (const { aspect } of rankedAspects(judged)) {
        count++;
        if (aspect.isRelevant) relevant++;
      }
    }
    const [{ namedCause }] = tally.result({ isDefault: false }).methods;
    return { namedCause, relevant: count > 0 ? relevant / count : null, draws: randomizations.length };
  }
}

function keepWorst(worst: Case[], { judged, explained, pixels }: Omit<Case, "error">): void {
  const ranks = countedAspects(judged);
  if (ranks.length === 0) return;
  const most = (isCause: boolean) =>
    Math.max(...ranks.filter((rank) => rank.isCause === isCause).map(({ aspect }) => aspect.relevance ?? 0));
  const error = most(false) - most(true);
  worst.push({ judged, explained, pixels, error });
  worst.sort((a, b) => b.error - a.error);
  worst.length = Math.min(worst.length, WORST);
}
