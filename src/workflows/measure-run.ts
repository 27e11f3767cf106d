/**
 * What follows the training: thresholds of the heads, references, the scale of relevance, and reviews of every head.
 * Ctrl-C ends it between batches; `--resume` goes on here, since all of the training is saved.
 */

import type { Sample } from "../core/annotation.js";
import { InterruptedError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import { ownValue } from "../core/own-value.js";
import { batches } from "../dataset/batches.js";
import { splitSize } from "../dataset/dataset.js";
import type { Split } from "../dataset/record.js";
import type { Engine } from "../engine/engine.js";
import { splitTally } from "../evaluation/split-evaluation.js";
import { computeReferences } from "../explain/calibration/references.js";
import { explainedTaps } from "../explain/graph/explained-taps.js";
import type { Model } from "../model/model.js";
import { imageSizes, type ModelSpec } from "../model/model-spec.js";
import type { TrainedModel } from "../model/trained-model.js";
import type { TrainResult } from "../train/train-stages.js";
import { calibrateModel, usualMethods } from "./calibrate-model.js";
import { reviewSplit } from "./review-split.js";
import type { Plan } from "./train-plan.js";
import { tuneHeads } from "./tune-heads.js";

/** With what, and whom it tells; as `runTraining` is given it. */
interface MeasureOptions {
  readonly engine: Engine;
  readonly signal?: AbortSignal;
  readonly onPhase?: (phase: string) => void;
}

/** References from the training images, and the scale of relevance from the validation images. */
export async function measureRelevance(
  { model, parameters }: TrainResult,
  {
    plan: { config, spec, dataset },
    base,
    onlyHeads,
    options: { engine, signal, onPhase },
  }: { plan: Plan; base?: TrainedModel; onlyHeads?: readonly string[]; options: MeasureOptions },
) {
  const common = { engine, parameters };
  const { batchSize, seed } = config;
  const stream = (split: Split) =>
    interruptible(batches(dataset, { split, batchSize, ...imageSizes(spec), seed, shuffle: true }), signal);
  onPhase?.("references");
  const references = await referencesOf(model, { ...common, base, samples: () => stream("train") });
  onPhase?.("scale of relevance");
  const { causes } = dataset.manifest;
  const samples = () => stream("validation");
  const others = usualMethods(model);
  const calibration = await calibrateModel(model, {
    ...common,
    references,
    samples,
    causes,
    others,
    warnOf: onlyHeads,
  });
  return { references, calibration };
}

/** The model with its heads' temperatures and thresholds, decided on the validation images. */
export async function tuneRun(
  { model, parameters }: TrainResult,
  {
    plan: { config, dataset },
    onlyHeads,
    options: { engine, signal, onPhase },
  }: { plan: Plan; onlyHeads?: readonly string[]; options: MeasureOptions },
): Promise<ModelSpec> {
  const { batchSize } = config;
  if (splitSize(dataset, "validation") === 0) return model.spec;
  onPhase?.("thresholds of the heads");
  const stream = interruptible(batches(dataset, { split: "validation", batchSize, ...imageSizes(model.spec) }), signal);
  return tuneHeads(model, stream, {
    ...{ engine, parameters, batchSize },
    isFixed: (head) => onlyHeads !== undefined && !onlyHeads.includes(head),
    isThresholdGiven: (head) => ownValue(config.heads, head)?.threshold !== undefined,
  });
}

/** Every head on the validation images, for the run's page and the model card. */
export async function reviewRun(
  { model, parameters }: TrainResult,
  { plan: { config, spec, dataset }, options }: { plan: Plan; options: MeasureOptions },
) {
  const { engine, signal, onPhase } = options;
  const { batchSize } = config;
  onPhase?.("page of the run");
  const { inputSize } = spec.trunk;
  if (splitSize(dataset, "validation") === 0) return { reviews: {} };
  const stream = interruptible(batches(dataset, { split: "validation", batchSize, ...imageSizes(spec) }), signal);
  const tally = splitTally(
    model.heads.map((head) => head.spec),
    { size: inputSize },
  );
  const reviews = await reviewSplit(model, stream, { engine, parameters, batchSize, tally });
  const { heads } = tally.result();
  const hasLabels = Object.values(heads).some(({ count }) => count > 0);
  return { reviews, ...(hasLabels && { metrics: heads }) };
}

/** Those of a finished model as they are; measured where it has none. */
export async function referencesOf(
  model: Model,
  {
    base,
    samples,
    ...common
  }: {
    engine: Engine;
    parameters: NdArrays;
    base?: Pick<TrainedModel, "references">;
    samples: () => AsyncIterable<readonly Sample[]>;
  },
): Promise<NdArrays> {
  // Layers that nobody explained have a single row.
  const explained = new Set(explainedTaps(model));
  const { task, classes } = model.classifier.spec;
  const rowsOf = (name: string) => (explained.has(name) && task !== "regression" ? classes.length + 1 : 1);
  const suits = (name: string) => (base?.references[name]?.shape[0] ?? 0) >= rowsOf(name);
  if (base && model.trunk.taps.every(({ name }) => suits(name))) return base.references;
  const measured = await computeReferences(model, { ...common, samples: samples() });
  return Object.fromEntries(
    Object.entries(measured).map(([name, own]) => [name, base && suits(name) ? base.references[name] : own]),
  );
}

async function* interruptible<Item>(stream: AsyncIterable<Item>, signal?: AbortSignal): AsyncGenerator<Item> {
  for await (const item of stream) {
    if (signal?.aborted) throw new InterruptedError("interrupted after training; saved.");
    yield item;
  }
}
