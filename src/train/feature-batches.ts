/** Batches from cached features of a frozen trunk: computed once, read in another order in each epoch. */

import type { CenterCrop } from "../core/center-crop.js";
import { imageBatch } from "../core/image-batch.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import { random } from "../core/random.js";
import { type Size, shapeOf } from "../core/size.js";
import { batches } from "../dataset/batches.js";
import { type Dataset, splitSize } from "../dataset/dataset.js";
import { type Draws, drawCount, drawEpoch } from "../dataset/repeats.js";
import type { Engine } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import { imageSizes } from "../model/model-spec.js";
import type { BatchSource, BatchSourceOptions } from "./batch-source.js";
import { createFeatureCache, type FeatureCache } from "./feature-cache.js";
import type { Batch } from "./inputs.js";
import { featureStep } from "./step.js";
import { deepestAspectTap } from "./trainable.js";

/**
 * Layers whose features are cached: all that heads read up to the deepest aspect tap, from which the classifier
 * continues.
 */
export function cachedTaps(model: Model): string[] {
  const names = model.trunk.taps.map((tap) => tap.name);
  const deepest = deepestAspectTap(model);
  const upTo = names.slice(0, names.indexOf(deepest) + 1);
  return upTo.filter((name) => name === deepest || model.taps.includes(name));
}

/**
 * Features of the frozen trunk: each training image plain and (where flips are on) flipped, each validation image
 * plain.
 *
 * @param parameters of the whole trunk; they must not change while this source is used.
 * @param onProgress called with images done and in all.
 */
export async function featureBatches(
  { dataset, model, config, stage, factors, signal }: BatchSourceOptions,
  {
    engine,
    parameters,
    path,
    onProgress,
  }: {
    engine: Engine;
    parameters: NdArrays;
    path: string;
    onProgress: (done: number, count: number) => void;
  },
): Promise<BatchSource> {
  const { batchSize } = config;
  const size = model.spec.trunk.inputSize;
  const taps = cachedTaps(model);
  const shapes = Object.fromEntries(
    model.trunk.taps
      .filter((tap) => taps.includes(tap.name))
      .map((tap) => [tap.name, [...shapeOf(tap.size), tap.channels]]),
  );
  const trainCount = splitSize(dataset, "train");
  const validationCount = splitSize(dataset, "validation");
  const variants = config.augment.flip ? 2 : 1;
  const rowCount = trainCount * variants + validationCount;
  const compute = await engine.compile(featureStep(model, { taps }), {
    name: "features of the frozen trunk",
    inputs: { image: [batchSize, ...shapeOf(size), 3] },
    constants: parameters,
  });
  const cache = await createFeatureCache(shapes, { rowCount, memoryBytes: config.cacheMegabytes * 2 ** 20, path });
  try {
    await fillCache(cache, {
      ...{ dataset, batchSize, taps, size, variants, signal, centerCrop: imageSizes(model.spec).centerCrop },
      run: (image) => compute.run({ image }),
      onProgress: (done) => onProgress(done, rowCount),
    });
  } catch (error) {
    await cache.dispose();
    throw error;
  } finally {
    await compute.dispose();
  }
  return {
    input: { kind: "features", taps },
    validationInput: { kind: "features", taps },
    batchCount: Math.ceil(drawCount(factors) / batchSize),
    train: (epoch, start) =>
      cachedEpoch(cache, { trainCount, factors, variants, batchSize, seed: config.seed, stage, epoch, start }),
    validation: () => cachedRange(cache, { first: trainCount * variants, count: validationCount, batchSize }),
    dispose: () => cache.dispose(),
  };
}

interface FillOptions {
  readonly dataset: Dataset;
  readonly batchSize: number;
  readonly taps: readonly string[];
  /** Of the images, pixels. */
  readonly size: Size;
  readonly centerCrop?: CenterCrop;
  /** 2 where training images are cached flipped too. */
  readonly variants: number;
  readonly signal?: AbortSignal;
  readonly run: (image: NdArray) => Promise<NdArrays>;
  readonly onProgress: (done: number) => void;
}

/** Rows in order: the training images plain, then flipped where they are, then the validation images. */
async function fillCache(cache: FeatureCache, options: FillOptions): Promise<void> {
  const { dataset, batchSize, taps, size, centerCrop, variants, signal, run, onProgress } = options;
  const parts = [
    ...Array.from({ length: variants }, (_, flip) => ({ split: "train" as const, flip: flip === 1 })),
    { split: "validation" as const, flip: false },
  ];
  let row = 0;
  for (const { split, flip } of parts) {
    if (splitSize(dataset, split) === 0) continue;
    for await (const samples of batches(dataset, {
      split,
      batchSize,
      inputSize: size,
      centerCrop,
      fill: "short",
      flip,
    })) {
      signal?.throwIfAborted();
      const outputs = await run(imageBatch(samples, { size, batchSize }));
      for (let place = 0; place < samples.length; place++)
        await cache.add(row++, rowOf(outputs, taps, place, batchSize), samples[place]);
      onProgress(row);
    }
  }
}

function rowOf(outputs: NdArrays, taps: readonly string[], place: number, batchSize: number): Float32Array {
  const parts = taps.map((tap) => {
    const { data } = outputs[`tap/${tap}`];
    const size = data.length / batchSize;
    return data.subarray(place * size, (place + 1) * size);
  });
  const row = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    row.set(part, offset);
    offset += part.length;
  }
  return row;
}

interface EpochOptions {
  readonly trainCount: number;
  readonly factors: Float64Array;
  readonly variants: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly stage: number;
  readonly epoch: number;
  readonly start: number;
}

async function* cachedEpoch(cache: FeatureCache, options: EpochOptions): AsyncGenerator<Batch> {
  const { trainCount, factors, variants, batchSize, seed, stage, epoch, start } = options;
  const count = drawCount(factors);
  const orders = new Map<number, Draws>();
  const rowAt = (position: number) => {
    const orderEpoch = epoch + Math.floor(position / count);
    const order = orders.get(orderEpoch) ?? drawEpoch(factors, random(seed, "order", stage, orderEpoch));
    orders.set(orderEpoch, order);
    const image = order.indices[position % count];
    const copy = order.copies[position % count];
    const own = random(seed, "flip", stage, orderEpoch, image, ...(copy > 0 ? [copy] : []));
    return own.integer(variants) * trainCount + image;
  };
  for (let batch = start; batch < Math.ceil(count / batchSize); batch++) {
    const rows = Array.from({ length: batchSize }, (_, place) => rowAt(batch * batchSize + place));
    const { features, samples } = await cache.read(rows, { batchSize });
    yield { inputs: features, samples };
  }
}

async function* cachedRange(
  cache: FeatureCache,
  { first, count, batchSize }: { first: number; count: number; batchSize: number },
): AsyncGenerator<Batch> {
  for (let done = 0; done < count; done += batchSize) {
    const rows = Array.from({ length: Math.min(batchSize, count - done) }, (_, place) => first + done + place);
    const { features, samples } = await cache.read(rows, { batchSize });
    yield { inputs: features, samples };
  }
}
