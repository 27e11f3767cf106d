/**
 * Runs a compiled function over a stream of samples, at one batch size, and hands back each sample with its outputs.
 */

import type { Sample } from "../../core/annotation.js";
import { imageOutputs, type NdArrays, ndArray } from "../../core/nd-array.js";
import type { Engine, TensorFunction } from "../../engine/engine.js";
import type { StateStore } from "../../engine/state-store.js";
import { imageInputs, imageShapes } from "../../model/image-inputs.js";
import type { Model } from "../../model/model.js";

/** The outputs of one sample. */
export interface SampleOutputs {
  readonly sample: Sample;
  /** First dimension 1. */
  readonly outputs: NdArrays;
}

/** Samples batch by batch, as `batches` gives them. */
export type SampleStream = AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;

/** Whose class is explained; the predicted one where it names none. */
export type ClassOf = (sample: Sample) => string | undefined;

/** A function to run over samples, and the engine that runs it. */
export interface SampleFunction {
  readonly engine: Engine;
  /** Inputs `image` and `target` as `explainFunction`. */
  readonly fn: TensorFunction;
  readonly constants: NdArrays;
  readonly state?: StateStore;
  readonly batchSize?: number;
  readonly name?: string;
}

/** A function that is compiled once for any number of streams. */
export interface CompiledForSamples {
  /** Batches of any length are cut and padded to the batch size; no more is read than the batch that runs. */
  over(samples: SampleStream, options?: { classOf?: ClassOf }): AsyncGenerator<SampleOutputs>;
  dispose(): Promise<void>;
}

/**
 * Runs a function over samples, and gives the outputs of each.
 *
 * Every image has the default target (all zero), or the class that `classOf` names. The compiled function is disposed
 * at the end.
 */
export async function* overSamples(
  model: Model,
  { samples, classOf, ...given }: SampleFunction & { samples: SampleStream; classOf?: ClassOf },
): AsyncGenerator<SampleOutputs> {
  const compiled = await compileForSamples(model, given);
  try {
    yield* compiled.over(samples, { classOf });
  } finally {
    await compiled.dispose();
  }
}

/** The caller disposes it. */
export async function compileForSamples(
  { spec, classifier }: Model,
  { engine, fn, constants, state, batchSize = 8, name }: SampleFunction,
): Promise<CompiledForSamples> {
  const { classes } = classifier.spec;
  const target = ndArray([batchSize, Math.max(1, classes.length)]);
  const inputs = { ...imageShapes(spec, batchSize), target: target.shape };
  const compiled = await engine.compile(fn, { inputs, constants, state, name });
  return {
    async *over(samples, { classOf = () => undefined } = {}) {
      for await (const batch of samples) {
        for (let start = 0; start < batch.length; start += batchSize) {
          const some = batch.slice(start, start + batchSize);
          target.data.fill(0);
          for (const [index, sample] of some.entries()) {
            const chosen = classes.indexOf(classOf(sample) ?? "");
            if (chosen >= 0) target.data[index * classes.length + chosen] = 1;
          }
          const outputs = await compiled.run({ ...imageInputs(spec, some, { batchSize }), target });
          for (const [index, sample] of some.entries()) yield { sample, outputs: imageOutputs(outputs, index) };
        }
      }
    },
    dispose: () => compiled.dispose(),
  };
}

/** The first samples of a stream that qualify, batch by batch. */
export async function* firstSamples(
  samples: SampleStream,
  limit: number,
  qualifies: (sample: Sample) => boolean = () => true,
): AsyncGenerator<readonly Sample[]> {
  let count = 0;
  for await (const batch of samples) {
    const wanted = batch.filter(qualifies).slice(0, limit - count);
    count += wanted.length;
    if (wanted.length > 0) yield wanted;
    if (count >= limit) return;
  }
}

/** Those samples in memory: read once, for streams that are run through several models. */
export async function keptSamples(samples: SampleStream): Promise<readonly (readonly Sample[])[]> {
  const kept: (readonly Sample[])[] = [];
  for await (const batch of samples) kept.push(batch);
  return kept;
}
