/** A stage's batches of images, augmented in each epoch (`feature-batches.ts`: of cached features). */

import type { Sample } from "../core/annotation.js";
import { imageBatch } from "../core/image-batch.js";
import { batchCount, batches } from "../dataset/batches.js";
import { createPixelCache } from "../dataset/pixel-cache.js";
import { imageSizes } from "../model/model-spec.js";
import type { BatchSource, BatchSourceOptions } from "./batch-source.js";
import type { Batch } from "./inputs.js";

/** Images, decoded once and augmented while the step runs. */
export async function imageBatches({
  dataset,
  model,
  config,
  stage,
  factors,
}: BatchSourceOptions): Promise<BatchSource> {
  const { batchSize, augment } = config;
  const size = model.spec.trunk.inputSize;
  const { centerCrop } = imageSizes(model.spec);
  const cache = createPixelCache({
    ...{ bytes: config.cacheMegabytes * 2 ** 20, inputSize: size, crop: augment.crop, centerCrop },
  });
  const common = { batchSize, inputSize: size, centerCrop, cache };
  async function* withImages(stream: AsyncGenerator<Sample[]>): AsyncGenerator<Batch> {
    for await (const samples of stream) yield { inputs: { image: imageBatch(samples, { size, batchSize }) }, samples };
  }
  return {
    input: { kind: "image" },
    validationInput: { kind: "image" },
    batchCount: batchCount(dataset, { split: "train", batchSize, factors }),
    train: (epoch, start) => {
      const seed = config.seed + 1000 * stage;
      const order = { seed, epoch, shuffle: true, factors, fill: "wrap", start } as const;
      return withImages(batches(dataset, { ...common, ...order, split: "train", augment }));
    },
    validation: () => withImages(batches(dataset, { ...common, split: "validation", fill: "short" })),
    dispose: async () => {},
  };
}
