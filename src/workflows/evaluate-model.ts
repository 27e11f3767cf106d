/** Every metric of every head of a model, on a split of a dataset. */

import { imageBatch } from "../core/image-batch.js";
import { ownValue } from "../core/own-value.js";
import { batches } from "../dataset/batches.js";
import { readRecord } from "../dataset/dataset.js";
import { mapAhead } from "../dataset/map-ahead.js";
import { readOriginalMasks } from "../dataset/original-masks.js";
import type { Split } from "../dataset/record.js";
import type { Engine } from "../engine/engine.js";
import { type SplitEvaluation, splitTally } from "../evaluation/split-evaluation.js";
import { createModel } from "../model/model.js";
import type { TrainedModel } from "../model/trained-model.js";
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
export interface Evaluation extends SplitEvaluation {
  readonly format: "aspectlens-metrics/1";
  readonly split: Split;
  readonly dataset: { readonly name: string; readonly hash: string; readonly count: number };
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
  const classifier = model.classifier.spec;
  const compiled = await engine.compile(evaluationStep(model, { input: { kind: "image" } }), {
    name: "evaluation",
    inputs: modelInputShapes(model, { kind: "image" }, BATCH_SIZE),
    constants: parameters,
  });
  const size = spec.trunk.inputSize;
  const tally = splitTally(spec.heads, { size });
  const masked = spec.heads.flatMap(({ name, kind }) => (kind === "segmentation" ? [name] : []));
  const readMasks = async (index: number) =>
    masked.length > 0 ? readOriginalMasks(dataset, await readRecord(dataset, split, index), masked) : {};
  const places = Array.from({ length: count }, (_, index) => index);
  const originals = mapAhead(places, readMasks, { ahead: 2 * BATCH_SIZE, concurrency: 2 });
  let done = 0;
  try {
    for await (const samples of batches(dataset, { split, batchSize: BATCH_SIZE, inputSize: size })) {
      signal?.throwIfAborted();
      const outputs = await compiled.run({ image: imageBatch(samples, { size, batchSize: BATCH_SIZE }) });
      for (const [row, sample] of samples.entries()) {
        const { value } = await originals.next();
        const labelOf = (head: string) => (head === classifier.name ? sample.target : ownValue(sample.aspects, head));
        tally.add({ outputs, row, labelOf, groups: sample.groups, originals: value });
      }
      done += samples.length;
      onProgress?.(done, count);
    }
  } finally {
    await originals.return(undefined);
    await compiled.dispose();
  }
  const { name } = dataset.manifest;
  return { format: "aspectlens-metrics/1", split, dataset: { name, hash: dataset.hash, count }, ...tally.result() };
}
