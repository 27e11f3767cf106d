/** Every metric of every head of a model, on a split of a dataset. */

import type { Split } from "../dataset/record.js";
import type { Engine } from "../engine/engine.js";
import { type SplitEvaluation, splitTally } from "../evaluation/split-evaluation.js";
import type { TrainedModel } from "../model/trained-model.js";
import { answersOf } from "./answers-of.js";
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
  trained: TrainedModel,
  directory: string,
  { split = "test", ...options }: EvaluateOptions,
): Promise<Evaluation> {
  const { spec } = trained;
  const { dataset, count } = await openSplit(directory, { split, spec, cure: "Choose another with --split." });
  const tally = splitTally(spec.heads, { size: spec.trunk.inputSize });
  for await (const image of answersOf(trained, dataset, { ...options, split })) tally.add(image);
  const { name } = dataset.manifest;
  return { format: "aspectlens-metrics/1", split, dataset: { name, hash: dataset.hash, count }, ...tally.result() };
}
