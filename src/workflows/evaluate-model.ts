/** Every metric of every head of a model, on a split of a dataset. */

import { imageBatch } from "../core/image-batch.js";
import { batches } from "../dataset/batches.js";
import type { Split } from "../dataset/record.js";
import type { Engine } from "../engine/engine.js";
import type { HeadMetrics } from "../heads/metrics.js";
import { createModel } from "../model/model.js";
import type { TrainedModel } from "../model/trained-model.js";
import { evaluateSplit } from "../train/evaluate-split.js";
import type { Batch } from "../train/inputs.js";
import { evaluationStep, modelInputShapes } from "../train/step.js";
import { openSplit } from "./open-split.js";

/** What `evaluateModel` measures with, and on which split. */
export interface EvaluateOptions {
  readonly engine: Engine;
  readonly split?: Split;
  /** Called after each batch, with the images done and those of the split. */
  readonly onProgress?: (done: number, count: number) => void;
  readonly signal?: AbortSignal;
}

/** The JSON that `aspectlens evaluate` writes. */
export interface Evaluation {
  readonly format: "aspectlens-metrics/1";
  readonly split: Split;
  readonly dataset: { readonly name: string; readonly hash: string; readonly count: number };
  /** By head; a metric without labels is `null`. */
  readonly heads: Readonly<Record<string, HeadMetrics>>;
}

const BATCH_SIZE = 8;

/**
 * Measures every head of a model on one split of a dataset.
 *
 * @param trained as `readModel` reads it.
 * @param directory of the dataset.
 * @param options the engine, and the split: `test` by default.
 * @throws ConfigError where there is no such split, it is empty, or the dataset is of another task or other classes
 *   than the model.
 */
export async function evaluateModel(
  { spec, parameters }: TrainedModel,
  directory: string,
  { engine, split = "test", onProgress, signal }: EvaluateOptions,
): Promise<Evaluation> {
  const { dataset, count } = await openSplit(directory, { split, spec, cure: "Choose another with --split." });
  const model = createModel(spec);
  const compiled = await engine.compile(evaluationStep(model, { input: { kind: "image" } }), {
    name: "evaluation",
    inputs: modelInputShapes(model, { kind: "image" }, BATCH_SIZE),
    constants: parameters,
  });
  const side = spec.trunk.inputSize;
  async function* stream(): AsyncGenerator<Batch> {
    let done = 0;
    for await (const samples of batches(dataset, { split, batchSize: BATCH_SIZE, inputSize: side })) {
      yield { inputs: { image: imageBatch(samples, { size: side, batchSize: BATCH_SIZE }) }, samples };
      done += samples.length;
      onProgress?.(done, count);
    }
  }
  const heads = await evaluateSplit(model, stream(), { run: (inputs) => compiled.run(inputs), signal });
  const { name } = dataset.manifest;
  return { format: "aspectlens-metrics/1", split, dataset: { name, hash: dataset.hash, count }, heads };
}
