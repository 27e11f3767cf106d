/**
 * What all measurements of one model share: the model, the samples with progress, and reading outputs beside the
 * causes.
 */

import type { Sample } from "../core/annotation.js";
import { InterruptedError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import type { ScoreScale } from "../core/relevance-scale.js";
import { batches } from "../dataset/batches.js";
import type { Dataset } from "../dataset/dataset.js";
import type { Split } from "../dataset/record.js";
import type { LoadSampleOptions } from "../dataset/sample.js";
import type { Engine } from "../engine/engine.js";
import { compareWithGroundTruth, type GroundTruthComparison } from "../explain/calibration/ground-truth.js";
import type { Explained, MethodChoice } from "../explain/explanation.js";
import { readExplanation } from "../explain/reading/read-explanation.js";
import { createModel, type Model } from "../model/model.js";
import { imageSizes } from "../model/model-spec.js";
import type { TrainedModel } from "../model/trained-model.js";

export interface Measuring {
  readonly trained: TrainedModel;
  readonly model: Model;
  readonly engine: Engine;
  readonly dataset: Dataset;
  readonly batchSize: number;
  /** Aspects that are explained, but neither causes nor distractors. */
  readonly unranked: readonly string[];
  /** @throws InterruptedError between two batches. */
  samples(split: Split, options?: SampleOptions): AsyncGenerator<readonly Sample[]>;
  checkInterruption(): void;
}

interface SampleOptions {
  readonly limit?: number;
  /** What they are for, as progress shows it; without it they do not count as progress. */
  readonly what?: string;
  readonly annotations?: LoadSampleOptions["annotations"];
}

/** @param total samples that will be counted in all. */
export function startMeasuring(
  trained: TrainedModel,
  {
    engine,
    dataset,
    batchSize,
    unranked,
    total,
    onProgress,
    signal,
  }: Pick<Measuring, "engine" | "dataset" | "batchSize" | "unranked"> & {
    total: number;
    onProgress?: (share: number, what: string) => void;
    signal?: AbortSignal;
  },
): Measuring {
  const model = createModel(trained.spec);
  let done = 0;
  const checkInterruption = () => {
    if (signal?.aborted) throw new InterruptedError("interrupted; nothing was written.");
  };
  async function* samples(
    split: Split,
    { limit = Number.POSITIVE_INFINITY, what, annotations = "kind" }: SampleOptions = {},
  ): AsyncGenerator<readonly Sample[]> {
    let count = 0;
    const sizes = imageSizes(trained.spec);
    for await (const batch of batches(dataset, { split, batchSize, ...sizes, annotations })) {
      checkInterruption();
      const some = batch.slice(0, limit - count);
      count += some.length;
      yield some;
      if (what !== undefined) {
        done += some.length;
        onProgress?.(done / total, what);
      }
      if (count >= limit) return;
    }
  }
  return { trained, model, engine, dataset, batchSize, unranked, samples, checkInterruption };
}

export function readSample(
  { trained: { spec } }: Measuring,
  outputs: NdArrays,
  { sample, method, scale }: { sample: Sample; method: MethodChoice; scale: ScoreScale },
): Explained {
  return readExplanation(outputs, { spec, scale, image: sample.path, method });
}

/** An explanation beside the ground truth, without the aspects that are not ranked. */
export function compareSample(
  { dataset, unranked }: Measuring,
  sample: Sample,
  { explanation }: Explained,
): GroundTruthComparison {
  const comparison = compareWithGroundTruth(explanation, { sample, causes: dataset.manifest.causes });
  const ranked = (names: readonly string[]) => names.filter((name) => !unranked.includes(name));
  return { ...comparison, causes: ranked(comparison.causes), distractors: ranked(comparison.distractors) };
}
