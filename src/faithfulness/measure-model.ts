/** Measures the faithfulness of one model on one dataset: every method beside the default, and the controls. */

import { type Dataset, splitSize } from "../dataset/dataset.js";
import type { Engine } from "../engine/engine.js";
import { randomizeClassifier, randomizeHeads } from "../explain/calibration/randomized-models.js";
import { type MaskingName, methodOf, type SaliencyName } from "../explain/methods.js";
import type { TrainedModel } from "../model/trained-model.js";
import { inpaintingEffects } from "./aspect-inpainting.js";
import { type Case, compareMethods } from "./compare-methods.js";
import type { Faithfulness } from "./faithfulness.js";
import { type Measuring, startMeasuring } from "./measuring.js";
import { methodCurves } from "./method-curves.js";
import { randomControl } from "./random-control.js";
import type { Effects } from "./removal-tally.js";

/** What `faithfulnessOf` measures, and on how many images. */
export interface FaithfulnessOptions {
  readonly engine: Engine;
  readonly dataset: Dataset;
  /** How the model explains unless it is asked to do so in another way. */
  readonly method?: { readonly saliency?: SaliencyName; readonly masking?: MaskingName };
  /** Methods to measure beside it, each with all its maskings. */
  readonly others?: readonly SaliencyName[];
  /** Aspects that are explained, but neither causes nor distractors. */
  readonly unranked?: readonly string[];
  /** Randomized models of each control; every classifier counts with both signs. */
  readonly draws?: number;
  /** Images of each randomized model. */
  readonly drawImages?: number;
  /** Images in which each aspect with a place is painted over. */
  readonly inpaintedImages?: number;
  /** Images whose salient places are removed and added, for each method. */
  readonly curveImages?: number;
  readonly batchSize?: number;
  /** Called with the share of all work that is done, 0..1, and what is being done. */
  readonly onProgress?: (share: number, what: string) => void;
  readonly signal?: AbortSignal;
}

/** What `faithfulnessOf` measured, and the cases to look at. */
export interface FaithfulnessOfModel {
  readonly faithfulness: Faithfulness;
  /** The cases in which the default errs most, worst first. */
  readonly worst: readonly Case[];
}

/**
 * Explains the test split of a dataset, and measures how often the explanations name the known causes, and whether they
 * follow what painting aspects over does to the answer.
 *
 * @throws InterruptedError between two batches.
 * @throws ConfigError where the model does not allow a method.
 */
export async function faithfulnessOf(
  trained: TrainedModel,
  {
    method: asked,
    others = [],
    unranked = [],
    draws = 20,
    drawImages = 100,
    inpaintedImages = 500,
    curveImages = 40,
    batchSize = 8,
    ...given
  }: FaithfulnessOptions,
): Promise<FaithfulnessOfModel> {
  const method = methodOf(asked);
  const names = [method.saliency, ...others.filter((name) => name !== method.saliency)];
  const imageCount = splitSize(given.dataset, "test");
  const randomCount = Math.min(imageCount, drawImages) * draws * 3;
  const total = imageCount * names.length + randomCount + Math.min(imageCount, inpaintedImages);
  const measuring = startMeasuring(trained, { ...given, batchSize, unranked, total });

  const effects = await effectsByImage(measuring, inpaintedImages);
  const { masking } = method;
  const { reports, worst, maps } = await compareMethods(measuring, { names, masking, effects, curveImages });
  const curves = await methodCurves(measuring, maps);
  const [own] = reports.filter(({ methods }) => methods[0].isDefault);
  const seeds = Array.from({ length: draws }, (_, seed) => seed);
  const controls = {
    ...own.controls,
    randomClassifier: await randomControl(measuring, {
      method,
      randomize: randomizeClassifier,
      randomizations: seeds.flatMap((seed) => [{ seed }, { seed, isNegated: true }]),
      limit: drawImages,
      what: "randomized classifiers",
    }),
    randomHeads: await randomControl(measuring, {
      method,
      randomize: randomizeHeads,
      randomizations: seeds.map((seed) => ({ seed })),
      limit: drawImages,
      what: "randomized heads",
    }),
  };
  const methods = reports.flatMap((report) =>
    report.methods.map((one) => ({ ...one, curves: curves?.methods[names.indexOf(one.saliency)] ?? null })),
  );
  const chance = { ...own.chance, curves: curves?.random ?? null };
  return { faithfulness: { ...own, methods, chance, controls }, worst };
}

/** By path of the image, what painting over each of its aspects does. */
async function effectsByImage(measuring: Measuring, limit: number): Promise<ReadonlyMap<string, Effects>> {
  const { model, engine, trained, batchSize } = measuring;
  const effects = new Map<string, Effects>();
  if (limit <= 0) return effects;
  // A head that learns from presence alone says nothing of the place, but the annotation may.
  const samples = measuring.samples("test", { limit, what: "aspects painted over", annotations: "all" });
  const run = { engine, constants: trained.parameters, batchSize, samples };
  for await (const { sample, effects: own } of inpaintingEffects(model, run)) effects.set(sample.path, own);
  return effects;
}
