/** What gives a stage its batches: `image-batches.ts` makes them of images, `feature-batches.ts` of cached features. */

import type { Dataset } from "../dataset/dataset.js";
import type { Model } from "../model/model.js";
import type { TrainConfig } from "./config.js";
import type { Batch } from "./inputs.js";
import type { ModelInput } from "./step.js";

/** The batches of one stage. */
export interface BatchSource {
  /** Of training. */
  readonly input: ModelInput;
  readonly validationInput: ModelInput;
  /**
   * Steps an epoch; the shuffled stream fills the last batch from the next epoch, for padding would poison batch
   * statistics.
   */
  readonly batchCount: number;
  /** Batches of an epoch from `start` on, the same for the same seed, whatever came before. */
  train(epoch: number, start: number): AsyncGenerator<Batch>;
  validation(): AsyncGenerator<Batch>;
  dispose(): Promise<void>;
}

export interface BatchSourceOptions {
  readonly dataset: Dataset;
  readonly model: Model;
  readonly config: TrainConfig;
  /** Key of the random order, so that each stage has its own. */
  readonly stage: number;
  /** How often each training image is drawn in an epoch. */
  readonly factors: Float64Array;
  /** Its reason is thrown while features are cached. */
  readonly signal?: AbortSignal;
}
