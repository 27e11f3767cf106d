/** A stage's batches of images, decoded and augmented in each epoch (`feature-batches.ts`: of cached features). */

import type { Sample } from "../core/annotation.js";
import { imageBatch } from "../core/image-batch.js";
import type { NdArrays } from "../core/nd-array.js";
import { batchCount, batches } from "../dataset/batches.js";
import { pictureSide } from "../dataset/picture-side.js";
import { createPixelCache } from "../dataset/pixel-cache.js";
import type { BatchSource, BatchSourceOptions } from "./batch-source.js";
import { cropInputs } from "./crop-in-graph.js";
import type { Batch } from "./inputs.js";

/**
 * Images, decoded and augmented while the step runs. Where all pictures of the training split are no larger than what
 * the model sees, they stay whole and the step crops and jitters them itself (`cropImages`).
 */
export async function imageBatches({
  dataset,
  model,
  config,
  stage,
  factors,
  signal,
}: BatchSourceOptions): Promise<BatchSource> {
  const { batchSize, augment } = config;
  const size = model.spec.trunk.inputSize;
  const cache = createPixelCache({ bytes: config.cacheMegabytes * 2 ** 20, inputSize: size });
  const isVaried = augment.flip || augment.turn !== "none" || augment.crop > 0 || augment.colour > 0;
  const side = isVaried ? await pictureSide(dataset, { split: "train", limit: size, cache, signal }) : null;
  const common = { batchSize, inputSize: size, cache };
  const image = (samples: readonly Sample[]) => ({ image: imageBatch(samples, { size, batchSize }) });
  const crops = (samples: readonly Sample[]) => cropInputs(samples, { batchSize, side: side ?? size, size });
  return {
    input: side === null ? { kind: "image" } : { kind: "crops", side },
    validationInput: { kind: "image" },
    batchCount: batchCount(dataset, { split: "train", batchSize, factors }),
    train: (epoch, start) => {
      const seed = config.seed + 1000 * stage;
      const order = { seed, epoch, shuffle: true, factors, fill: "wrap", start } as const;
      const stream = batches(dataset, { ...common, ...order, split: "train", augment, wholeSide: side ?? undefined });
      return withInputs(stream, side === null ? image : crops);
    },
    validation: () => withInputs(batches(dataset, { ...common, split: "validation", fill: "short" }), image),
    dispose: async () => {},
  };
}

async function* withInputs(
  stream: AsyncGenerator<Sample[]>,
  inputs: (samples: readonly Sample[]) => NdArrays,
): AsyncGenerator<Batch> {
  for await (const samples of stream) yield { inputs: inputs(samples), samples };
}
