/** What the classifier says of images and of changed copies of them. */

import * as tf from "@tensorflow/tfjs";
import type { Sample, Task } from "../core/annotation.js";
import { logSumExp } from "../core/logistic.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import type { Engine, TensorFunction } from "../engine/engine.js";
import { overSamples } from "../explain/calibration/run-over-samples.js";
import { answer, type Model } from "../model/model.js";
import type { Parameters } from "../trunk/trunk.js";

export interface ClassifierRun {
  readonly engine: Engine;
  readonly constants: NdArrays;
  readonly batchSize?: number;
}

export interface Variants {
  readonly sample: Sample;
  /** Of the sample's image, `[S, S, 3]` each. */
  readonly images: readonly Uint8Array[];
}

/** @returns of each sample the logits of its images, `[1, classes]`, in order. */
export async function* answersOf<Item extends Variants>(
  model: Model,
  { variants, ...run }: ClassifierRun & { variants: AsyncIterable<readonly Item[]> },
): AsyncGenerator<{ of: Item; answers: readonly NdArray[] }> {
  const queue: Item[] = [];
  const stream = async function* () {
    for await (const batch of variants) {
      for (const item of batch) {
        queue.push(item);
        yield item.images.map((image) => ({ ...item.sample, image }));
      }
    }
  };
  let answers: NdArray[] = [];
  const fn = logitsFunction(model);
  for await (const { outputs } of overSamples(model, { ...run, fn, samples: stream(), name: "answers" })) {
    answers.push(outputs.logits);
    if (answers.length < queue[0].images.length) continue;
    yield { of: queue.shift() as Item, answers };
    answers = [];
  }
}

function logitsFunction({ classifier, trunk }: Model): TensorFunction {
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const parameters: Parameters = constants;
      const features = trunk.run(parameters, { input: inputs.image as tf.Tensor4D }, classifier.spec.taps);
      return { outputs: { logits: answer(classifier, parameters, features) } };
    });
}

/**
 * The target for one class, as `targetValue` gives it inside a graph.
 *
 * @param logits `[1, classes]`, or the value of a regression.
 */
export function targetOf({ data }: NdArray, { chosen, task }: { chosen: number; task: Task }): number {
  if (task !== "single") return data[chosen];
  return data[chosen] - logSumExp(data.filter((_, index) => index !== chosen));
}
