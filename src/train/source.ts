/** Where a stage's batches come from: images decoded and augmented in each epoch, or cached features of a frozen trunk. */

import type { Sample } from "../core/annotation.js";
import { imageBatch } from "../core/image-batch.js";
import type { NdArrays } from "../core/nd-array.js";
import { permutation, random } from "../core/random.js";
import { batches } from "../dataset/batches.js";
import { type Dataset, splitSize } from "../dataset/dataset.js";
import { pictureSide } from "../dataset/picture-side.js";
import { createPixelCache } from "../dataset/pixel-cache.js";
import type { Engine } from "../engine/engine.js";
import type { Model } from "../model/model.js";

import type { TrainConfig } from "./config.js";
import { cropInputs } from "./crop-in-graph.js";
import { createFeatureCache, type FeatureCache } from "./feature-cache.js";
import type { Batch } from "./inputs.js";
import { featureStep, type ModelInput } from "./step.js";
import { deepestAspectTap } from "./trainable.js";

export interface Source {
  /** Of training. */
  readonly input: ModelInput;
  readonly validationInput: ModelInput;
  /** Steps an epoch; the shuffled stream fills the last batch from the next epoch, for padding would poison batch statistics. */
  readonly batchCount: number;
  /** Batches of an epoch from `start` on, the same for the same seed, whatever came before. */
  train(epoch: number, start: number): AsyncGenerator<Batch>;
  validation(): AsyncGenerator<Batch>;
  dispose(): Promise<void>;
}

export interface SourceOptions {
  readonly dataset: Dataset;
  readonly model: Model;
  readonly config: TrainConfig;
  /** Key of the random order, so that each stage has its own. */
  readonly stage: number;
  readonly signal?: AbortSignal;
}

/**
 * Images, decoded and augmented while the step runs. Where all pictures of the training split are no larger than what the
 * model sees, they stay whole and the step crops and jitters them itself (`cropImages`).
 */
export async function imageSource({ dataset, model, config, stage, signal }: SourceOptions): Promise<Source> {
  const { batchSize, augment } = config;
  const size = model.spec.trunk.inputSize;
  const cache = createPixelCache({ bytes: config.cacheMegabytes * 2 ** 20, inputSize: size });
  const isVaried = augment.flip || augment.crop > 0 || augment.colour > 0;
  const side = isVaried ? await pictureSide(dataset, { split: "train", limit: size, cache, signal }) : null;
  const common = { batchSize, inputSize: size, cache };
  const image = (samples: readonly Sample[]) => ({ image: imageBatch(samples, { size, batchSize }) });
  const crops = (samples: readonly Sample[]) => cropInputs(samples, { batchSize, side: side ?? size, size });
  return {
    input: side === null ? { kind: "image" } : { kind: "crops", side },
    validationInput: { kind: "image" },
    batchCount: Math.ceil(splitSize(dataset, "train") / batchSize),
    train: (epoch, start) => {
      const seed = config.seed + 1000 * stage;
      const order = { seed, epoch, shuffle: true, fill: "wrap", start } as const;
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

/** Layers whose features are cached: all that heads read up to the deepest aspect tap, behind which the classifier goes on. */
export function cachedTaps(model: Model): string[] {
  const names = model.trunk.taps.map((tap) => tap.name);
  const deepest = deepestAspectTap(model);
  const upTo = names.slice(0, names.indexOf(deepest) + 1);
  return upTo.filter((name) => name === deepest || model.taps.includes(name));
}

/**
 * Features of the frozen trunk: each training image plain and (where flips are on) flipped, each validation image plain.
 *
 * @param parameters of the whole trunk; they must not change while this source is used.
 * @param onProgress called with images done and in all.
 */
export async function featureSource(
  { dataset, model, config, stage, signal }: SourceOptions,
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
): Promise<Source> {
  const { batchSize } = config;
  const side = model.spec.trunk.inputSize;
  const taps = cachedTaps(model);
  const shapes = Object.fromEntries(
    model.trunk.taps
      .filter((tap) => taps.includes(tap.name))
      .map((tap) => [tap.name, [tap.size, tap.size, tap.channels]]),
  );
  const trainCount = splitSize(dataset, "train");
  const validationCount = splitSize(dataset, "validation");
  const variants = config.augment.flip ? 2 : 1;
  const rowCount = trainCount * variants + validationCount;
  const compute = await engine.compile(featureStep(model, { taps }), {
    name: "features of the frozen trunk",
    inputs: { image: [batchSize, side, side, 3] },
    constants: parameters,
  });
  const cache = await createFeatureCache(shapes, { rowCount, memoryBytes: config.cacheMegabytes * 2 ** 20, path });
  let row = 0;
  try {
    for (const part of [
      ...Array.from({ length: variants }, (_, flip) => ({ split: "train" as const, flip: flip === 1 })),
      { split: "validation" as const, flip: false },
    ]) {
      if (splitSize(dataset, part.split) === 0) continue;
      const stream = batches(dataset, {
        split: part.split,
        batchSize,
        inputSize: side,
        fill: "short",
        flip: part.flip,
      });
      for await (const samples of stream) {
        signal?.throwIfAborted();
        const outputs = await compute.run({ image: imageBatch(samples, { size: side, batchSize }) });
        for (let place = 0; place < samples.length; place++) {
          await cache.add(row++, rowOf(outputs, taps, place, batchSize), samples[place]);
        }
        onProgress(row, rowCount);
      }
    }
  } catch (error) {
    await cache.dispose();
    throw error;
  } finally {
    await compute.dispose();
  }
  return {
    input: { kind: "features", taps },
    validationInput: { kind: "features", taps },
    batchCount: Math.ceil(trainCount / batchSize),
    train: (epoch, start) =>
      cachedEpoch(cache, { trainCount, variants, batchSize, seed: config.seed, stage, epoch, start }),
    validation: () => cachedRange(cache, { first: trainCount * variants, count: validationCount, batchSize }),
    dispose: () => cache.dispose(),
  };
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
  readonly variants: number;
  readonly batchSize: number;
  readonly seed: number;
  readonly stage: number;
  readonly epoch: number;
  readonly start: number;
}

async function* cachedEpoch(cache: FeatureCache, options: EpochOptions): AsyncGenerator<Batch> {
  const { trainCount, variants, batchSize, seed, stage, epoch, start } = options;
  const orders = new Map<number, Uint32Array>();
  const rowAt = (position: number) => {
    const lap = epoch + Math.floor(position / trainCount);
    const order = orders.get(lap) ?? permutation(trainCount, random(seed, "order", stage, lap));
    orders.set(lap, order);
    const image = order[position % trainCount];
    const flipped = random(seed, "flip", stage, lap, image).integer(variants);
    return flipped * trainCount + image;
  };
  for (let batch = start; batch < Math.ceil(trainCount / batchSize); batch++) {
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
