/** Runs a compiled function over a stream of samples, at one batch size, and hands back each sample with its outputs. */

import type { Sample } from "../../core/annotation.js";
import { imageBatch } from "../../core/image-batch.js";
import { imageOutputs, type NdArrays, ndArray } from "../../core/nd-array.js";
import type { Engine, StateStore, TensorFunction } from "../../engine/engine.js";
import type { Model } from "../../model/model.js";

export interface SampleOutputs {
  readonly sample: Sample;
  /** First dimension 1. */
  readonly outputs: NdArrays;
}

/**
 * Every image with the default target (all zero), or the class that `classOf` names. Batches of any length are cut and padded to
 * `batchSize`.
 *
 * @param fn inputs `image` and `target` as `explainFunction`; it is compiled once, and disposed at the end.
 */
export async function* overSamples(
  model: Model,
  {
    engine,
    fn,
    constants,
    state,
    samples,
    classOf = () => undefined,
    batchSize = 8,
    name,
  }: {
    engine: Engine;
    fn: TensorFunction;
    constants: NdArrays;
    state?: StateStore;
    samples: AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;
    classOf?: (sample: Sample) => string | undefined;
    batchSize?: number;
    name?: string;
  },
): AsyncGenerator<SampleOutputs> {
  const size = model.spec.trunk.inputSize;
  const { classes } = model.classifier.spec;
  const target = ndArray([batchSize, Math.max(1, classes.length)]);
  const inputs = { image: [batchSize, size, size, 3], target: target.shape };
  const compiled = await engine.compile(fn, { inputs, constants, state, name });
  try {
    for await (const batch of samples) {
      for (let start = 0; start < batch.length; start += batchSize) {
        const some = batch.slice(start, start + batchSize);
        target.data.fill(0);
        for (const [index, sample] of some.entries()) {
          const chosen = classes.indexOf(classOf(sample) ?? "");
          if (chosen >= 0) target.data[index * classes.length + chosen] = 1;
        }
        const outputs = await compiled.run({ image: imageBatch(some, { batchSize, size }), target });
        for (const [index, sample] of some.entries()) yield { sample, outputs: imageOutputs(outputs, index) };
      }
    }
  } finally {
    await compiled.dispose();
  }
}
