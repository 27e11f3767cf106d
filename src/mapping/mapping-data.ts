/** Runs the images of a mapping through both networks, batch by batch. */

import type * as tf from "@tensorflow/tfjs";
import type { Sample } from "../core/annotation.js";
import { type NdArrays, ndArray } from "../core/nd-array.js";
import type { Engine, TensorFunction } from "../engine/engine.js";
import { imageInputs, imageShapes } from "../model/image-inputs.js";
import type { Model } from "../model/model.js";

/** Images as `batches` gives them, the same each time. */
export type Images = () => AsyncIterable<readonly Sample[]> | Iterable<readonly Sample[]>;

/** What is run: `fn` also gets the input `weight`, `[batch, 1, 1, 1]`, 1 for images and 0 for rows that fill a batch up. */
export interface PairedRun {
  readonly engine: Engine;
  readonly model: Model;
  readonly fn: TensorFunction;
  readonly parameters: NdArrays;
  readonly images: Images;
  readonly batchSize?: number;
  readonly name: string;
}

/** @yields the outputs of each batch, and the images in it. */
export async function* overImages({
  engine,
  model,
  fn,
  parameters,
  images,
  batchSize = 8,
  name,
}: PairedRun): AsyncGenerator<{ outputs: NdArrays; samples: readonly Sample[] }> {
  const inputs = { ...imageShapes(model.spec, batchSize), weight: [batchSize, 1, 1, 1] };
  const compiled = await engine.compile(fn, { inputs, constants: parameters, name });
  try {
    for await (const batch of images()) {
      for (let start = 0; start < batch.length; start += batchSize) {
        const samples = batch.slice(start, start + batchSize);
        const weight = ndArray([batchSize, 1, 1, 1]);
        weight.data.fill(1, 0, samples.length);
        yield { outputs: await compiled.run({ ...imageInputs(model.spec, samples, { batchSize }), weight }), samples };
      }
    }
  } finally {
    await compiled.dispose();
  }
}

/** Features of some layers of the classifier's network, and of some of another network. */
export function bothFeatures(
  model: Model,
  { inputs, constants }: Pick<Parameters<TensorFunction>[0], "inputs" | "constants">,
  { network, from, to }: { network: string; from: readonly string[]; to: readonly string[] },
): { source: Record<string, tf.Tensor4D>; target: Record<string, tf.Tensor4D> } {
  const own = model.networks.find(({ spec }) => spec.name === network);
  const targets = own?.ownFeatures(constants, inputs, to) ?? [];
  return {
    source: model.trunk.run(constants, { input: inputs.image as tf.Tensor4D }, from),
    target: Object.fromEntries(to.map((layer, index) => [layer, targets[index]])),
  };
}

/** One of how many images is held out of every fit. */
const HELD_OUT = 5;

/** Whether the fit leaves an image out, by its place among all. */
export function isHeldOut(index: number): boolean {
  return index % HELD_OUT === HELD_OUT - 1;
}

/** Some of the images, by their places among all. */
export function chosenImages(images: Images, isChosen: (index: number) => boolean): Images {
  return async function* () {
    let seen = 0;
    for await (const batch of images()) {
      const some = batch.filter((_, index) => isChosen(seen + index));
      seen += batch.length;
      if (some.length > 0) yield some;
    }
  };
}
