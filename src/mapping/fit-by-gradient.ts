/** Trains a mapping by gradients, from where it is: a U-Net, or a linear one for the layers that follow. */

import * as tf from "@tensorflow/tfjs";
import type { Sample } from "../core/annotation.js";
import { type NdArrays, ndArray } from "../core/nd-array.js";
import { random } from "../core/random.js";
import type { Engine, TensorFunction } from "../engine/engine.js";
import { imageInputs, imageShapes } from "../model/image-inputs.js";
import type { Model } from "../model/model.js";
import type { Network } from "../model/network.js";
import { biasCorrection } from "../train/adam.js";
import { firstMoment, secondMoment } from "../train/state-names.js";
import { applyGradients } from "../train/update.js";
import { bothFeatures } from "./mapping-data.js";

/** What is trained, and on what. */
export interface GradientFit {
  readonly engine: Engine;
  readonly model: Model;
  /** Of the model. */
  readonly network: string;
  /** Of the whole model; those of the mapping are where it starts. */
  readonly parameters: NdArrays;
  readonly images: readonly Sample[];
  readonly steps?: number;
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

const BATCH = 8;
const STEPS = 1200;
const RATE = 0.001;
/** Least variance of a layer that an error is divided by. */
const LEAST_VARIANCE = 1e-8;

/**
 * Adam on the squared error over the variance, at the target layer and at each later layer that a head reads; the rate
 * falls to 0 as a cosine. No label takes part: mappings that learn an answer can invent the features that it needs
 * (Balogh and Jelasity 2024, arXiv:2412.11299).
 *
 * @returns parameters of the mapping.
 */
export async function fitByGradient({
  engine,
  model,
  network: name,
  parameters,
  images,
  steps = STEPS,
  seed = 1,
  signal,
}: GradientFit): Promise<NdArrays> {
  const [network] = model.networks.filter(({ spec }) => spec.name === name);
  const isOwn = (parameter: string) => parameter.startsWith(`mapping/${name}/`);
  const trained = network.parameters.flatMap((spec) => (isOwn(spec.name) ? spec.name : []));
  const others = Object.fromEntries(Object.entries(parameters).filter(([key]) => !isOwn(key)));
  const zeros = (key: string) => ndArray(parameters[key].shape);
  const state = await engine.createState({
    ...Object.fromEntries(trained.map((key) => [key, parameters[key]])),
    ...Object.fromEntries(trained.flatMap((key) => [firstMoment, secondMoment].map((of) => [of(key), zeros(key)]))),
  });
  try {
    const compiled = await engine.compile(gradientStep(model, { network, trained }), {
      inputs: { ...imageShapes(model.spec, BATCH), "rate/heads": [] },
      constants: others,
      state,
      name: "mapping by gradient",
    });
    try {
      const order = shuffledForever(images, seed);
      for (let step = 0; step < steps; step++) {
        signal?.throwIfAborted();
        const batch = Array.from({ length: BATCH }, () => order.next().value as Sample);
        const rate = (RATE / 2) * (1 + Math.cos((Math.PI * step) / steps)) * biasCorrection(step);
        const inputs = imageInputs(model.spec, batch, { batchSize: BATCH });
        await compiled.run({ ...inputs, "rate/heads": ndArray([], Float32Array.of(rate)) });
      }
    } finally {
      await compiled.dispose();
    }
    return await state.read(trained);
  } finally {
    await state.dispose();
  }
}

/** State: parameters of the mapping and their moments. Output: `loss`. */
function gradientStep(
  model: Model,
  { network, trained }: { network: Network; trained: readonly string[] },
): TensorFunction {
  const { name, mapping } = network.spec;
  const read = model.aspects.flatMap(({ spec }) => (spec.network === name ? spec.taps : []));
  const layers = [...new Set([mapping.to, ...read])];
  return ({ inputs, constants, state }) => {
    const { source, target } = bothFeatures(
      model,
      { inputs, constants },
      { network: name, from: [mapping.from], to: layers },
    );
    const loss = (...values: tf.Tensor[]): tf.Scalar => {
      const own = Object.fromEntries(trained.map((key, index) => [key, values[index]]));
      const mapped = network.mappedFeatures({ ...constants, ...own }, source[mapping.from], layers);
      const errors = layers.map((layer, index) => {
        const spread = tf.sub(target[layer], tf.mean(target[layer], [0, 1, 2], true));
        const variance = tf.maximum(tf.mean(tf.square(spread)), LEAST_VARIANCE);
        return tf.div(tf.mean(tf.square(tf.sub(mapped[index], target[layer]))), variance);
      });
      return tf.addN(errors).asScalar();
    };
    const { value, grads } = tf.valueAndGrads(loss)(trained.map((key) => state[key]));
    const gradients = Object.fromEntries(trained.map((key, index) => [key, grads[index]]));
    return {
      outputs: { loss: value },
      state: applyGradients(gradients, { inputs, state, isAccumulated: false, isAveraged: false }),
    };
  };
}

/** Every image once before any comes again. */
function* shuffledForever(images: readonly Sample[], seed: number): Generator<Sample, never> {
  for (let epoch = 0; ; epoch++) {
    const stream = random(seed, "mapping", epoch);
    const places = images.map((_, index) => index);
    for (let i = places.length - 1; i > 0; i--) {
      const j = stream.integer(i + 1);
      [places[i], places[j]] = [places[j], places[i]];
    }
    for (const place of places) yield images[place];
  }
}
