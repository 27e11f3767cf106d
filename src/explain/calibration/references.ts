/** The reference of every layer: its average features, which say nothing of any one image. */

import * as tf from "@tensorflow/tfjs";
import { classLabels, type Sample, type Task } from "../../core/annotation.js";
import { type NdArray, type NdArrays, ndArray } from "../../core/nd-array.js";
import type { Engine, TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";
import { explainedTaps } from "../graph/explained-taps.js";
import { overSamples } from "./run-over-samples.js";

/**
 * Means of the features over space and training images, computed in one pass that holds no image longer than its batch.
 * `parameters` are folded; `samples` are the training split, without augmentation.
 *
 * @returns `TrainedModel.references`, by layer `[classes + 1, channels]`: row k over the images of the other classes,
 *   each class weighing the same (multi-label: over the labelled images without label k), or over all where there are
 *   none; the last row over all images. That row alone, `[1, channels]`, for a regression, and for layers that are
 *   neither explained by default nor the image.
 */
export async function computeReferences(
  model: Model,
  {
    engine,
    parameters,
    samples,
    batchSize = 8,
  }: {
    engine: Engine;
    parameters: NdArrays;
    samples: AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    batchSize?: number;
  },
): Promise<Record<string, NdArray>> {
  const { classes, task } = model.classifier.spec;
  const taps = model.trunk.taps.map(({ name }) => name);
  const isWhole = new Set(["input", ...explainedTaps(model)]);
  const tables = model.trunk.taps.map(({ name, channels }) =>
    createTable({ classes: isWhole.has(name) ? classes : [], task, channels }),
  );
  const fn = meanFeatures(model);
  for await (const { sample, outputs } of overSamples(model, {
    engine,
    fn,
    constants: parameters,
    samples,
    batchSize,
    name: "references",
  })) {
    const labels = classLabels(sample.target);
    for (const [index, tap] of taps.entries()) tables[index].add(outputs[tap].data, labels);
  }
  return Object.fromEntries(taps.map((tap, index) => [tap, tables[index].result()]));
}

/** Streaming sums of one layer's means, `add`ed image by image with the image's labels. */
export function createTable({
  classes,
  task,
  channels,
}: {
  classes: readonly string[];
  task: Task;
  channels: number;
}): { add(means: ArrayLike<number>, labels: readonly string[] | undefined): void; result(): NdArray } {
  const all = createSum(channels);
  const labelled = createSum(channels);
  const byClass = new Map(classes.map((name) => [name, createSum(channels)]));
  const others = (name: string): Sum[] => {
    if (task === "single") {
      return [...byClass].flatMap(([other, sum]) => (other !== name && sum.count > 0 ? [sum] : []));
    }
    const own = byClass.get(name);
    const without = {
      count: labelled.count - (own?.count ?? 0),
      total: labelled.total.map((value, channel) => value - (own?.total[channel] ?? 0)),
    };
    return without.count > 0 ? [without] : [];
  };
  return {
    add(means, labels) {
      accumulate(all, means);
      if (labels === undefined) return;
      accumulate(labelled, means);
      for (const name of labels) {
        const sum = byClass.get(name);
        if (sum) accumulate(sum, means);
      }
    },
    result() {
      const table = ndArray([classes.length + 1, channels]);
      for (const [row, name] of [...classes, undefined].entries()) {
        const found = name === undefined ? [] : others(name);
        const groups = found.length > 0 ? found : [all];
        for (let channel = 0; channel < channels; channel++) {
          const means = groups.map(({ count, total }) => total[channel] / Math.max(1, count));
          table.data[row * channels + channel] = means.reduce((sum, mean) => sum + mean, 0) / means.length;
        }
      }
      return table;
    },
  };
}

interface Sum {
  count: number;
  /** Float64: a training set has many images. */
  readonly total: Float64Array;
}

function createSum(channels: number): Sum {
  return { count: 0, total: new Float64Array(channels) };
}

function accumulate(sum: Sum, means: ArrayLike<number>): void {
  sum.count++;
  for (let channel = 0; channel < sum.total.length; channel++) sum.total[channel] += means[channel];
}

/** Outputs by layer, `[batch, channels]`: only the means leave the engine. */
function meanFeatures(model: Model): TensorFunction {
  const taps = model.trunk.taps.map(({ name }) => name);
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const values = model.trunk.run(constants, { input: inputs.image as tf.Tensor4D }, taps);
      return { outputs: Object.fromEntries(taps.map((tap) => [tap, tf.mean(values[tap], [1, 2])])) };
    });
}
