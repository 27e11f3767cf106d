/** The order of samples: epochs shuffled from a seed, divided into batches, and decoded ahead of the training step. */

import { join } from "node:path";
import type { Sample } from "../core/annotation.js";
import type { CenterCrop } from "../core/center-crop.js";
import { ConfigError, inFile } from "../core/errors.js";
import { random } from "../core/random.js";
import type { Size } from "../core/size.js";
import type { Augment } from "./augment.js";
import { type Dataset, readRecord, splitSize } from "./dataset.js";
import { mapAhead } from "./map-ahead.js";
import type { PixelCache } from "./pixel-cache.js";
import type { Split } from "./record.js";
import { type Draws, drawCount, drawEpoch } from "./repeats.js";
import { loadSample } from "./sample.js";

/** Which samples `batches` reads, how they are drawn, and how many at once. */
export interface BatchOptions {
  readonly split: Split;
  readonly batchSize: number;
  /** What the model sees, pixels. */
  readonly inputSize: Size;
  /** Other sizes at which each image is read, for networks that aspect heads have to themselves (`imageSizes`). */
  readonly otherSizes?: readonly Size[];
  /** See `LoadSampleOptions`. */
  readonly centerCrop?: CenterCrop;
  /** Determines order and augmentation, together with `epoch`. */
  readonly seed?: number;
  /** From 0. */
  readonly epoch?: number;
  readonly augment?: Augment;
  /** Mirror every image; only without `augment`. */
  readonly flip?: boolean;
  /** False: in the order of the samples file. */
  readonly shuffle?: boolean;
  /** With `shuffle`: how often each sample is drawn in an epoch, at least 1 each (`repeatFactors`); once by default. */
  readonly factors?: Float64Array;
  /**
   * How an incomplete last batch is handled: filled with samples from the start of the next epoch's order, or left
   * smaller.
   */
  readonly fill?: "wrap" | "short";
  /** Index of the first batch, to resume in the middle of an epoch. */
  readonly start?: number;
  /** Batches prepared while the consumer works on one. */
  readonly ahead?: number;
  /** Samples decoded at once. */
  readonly concurrency?: number;
  /** See `LoadSampleOptions`. */
  readonly annotations?: "kind" | "all";
  /** @internal See `LoadSampleOptions`. */
  readonly cache?: PixelCache;
}

/** Batches in an epoch. */
export function batchCount(
  dataset: Dataset,
  { split, batchSize, factors }: Pick<BatchOptions, "split" | "batchSize" | "factors">,
): number {
  return Math.ceil((factors ? drawCount(factors) : splitSize(dataset, split)) / batchSize);
}

/**
 * The batches of one epoch, which has every sample. Samples that fill up the last batch are those that the next epoch
 * begins with, and appear again there.
 *
 * The same seed and epoch give the same samples, whatever `start`, `ahead` and `concurrency` are.
 *
 * @throws DatasetError when the iteration reaches a sample that cannot be read.
 */
export async function* batches(dataset: Dataset, options: BatchOptions): AsyncGenerator<Sample[]> {
  const {
    split,
    batchSize,
    inputSize,
    otherSizes,
    centerCrop,
    seed = 0,
    augment,
    flip,
    annotations,
    cache,
    fill = "short",
  } = options;
  const { start = 0, ahead = 2, concurrency = 2 } = options;
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new ConfigError(`batchSize: ${batchSize}.`, { cure: "Give a whole number from 1." });
  const factors = options.factors ?? new Float64Array(splitSize(dataset, split)).fill(1);
  const count = drawCount(factors);
  const end = fill === "wrap" ? batchCount(dataset, options) * batchSize : count;
  const load = async ({ orderEpoch, index, copy }: Place) => {
    const record = await readRecord(dataset, split, index);
    const own = augment && random(seed, "augment", orderEpoch, index, ...(copy > 0 ? [copy] : []));
    const place = { file: join(dataset.directory, dataset.manifest.samples), line: dataset.index[split].lines[index] };
    return inFile(place, () =>
      loadSample(dataset, record, {
        ...{ inputSize, otherSizes, centerCrop, augment, random: own, flip, annotations, cache },
      }),
    );
  };
  const places = sampleOrder({ ...options, factors, count, from: start * batchSize, to: end });
  let batch: Sample[] = [];
  for await (const sample of mapAhead(places, load, { ahead: (ahead + 1) * batchSize, concurrency })) {
    batch.push(sample);
    if (batch.length < batchSize) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

interface Place {
  /** The epoch whose order the sample is taken from. */
  readonly orderEpoch: number;
  readonly index: number;
  /** How often the sample was drawn before in that epoch. */
  readonly copy: number;
}

function* sampleOrder({
  seed = 0,
  epoch = 0,
  shuffle = false,
  factors,
  count,
  from,
  to,
}: Pick<BatchOptions, "seed" | "epoch" | "shuffle"> & {
  factors: Float64Array;
  count: number;
  from: number;
  to: number;
}): Generator<Place> {
  let order: ({ orderEpoch: number } & Draws) | undefined;
  for (let position = from; position < to; position++) {
    const orderEpoch = epoch + Math.floor(position / count);
    if (shuffle && order?.orderEpoch !== orderEpoch)
      order = { orderEpoch, ...drawEpoch(factors, random(seed, "order", orderEpoch)) };
    const at = position % count;
    yield { orderEpoch, index: order ? order.indices[at] : at, copy: order ? order.copies[at] : 0 };
  }
}
