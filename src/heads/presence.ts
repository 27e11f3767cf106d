/** The presence head: whether the aspect is anywhere in the image. */

import * as tf from "@tensorflow/tfjs";
import type { ParameterSpec } from "../core/parameters.js";
import { fusedTaps } from "./fuse-taps.js";
import type { Head, HeadContext, PresenceSpec } from "./head.js";
import { averageOverLabelled, binaryCrossEntropy, meanOfEach } from "./losses.js";
import { encodePresence, presenceShapes } from "./presence-reading.js";

const WIDTH = 32;

/** Keeps 0 / 0 at 0. */
const TINY = 1e-30;

/** 1x1 to 32, relu; the largest and the mean over all places, since an aspect may be one spot or everywhere; dense. */
export function presence(spec: PresenceSpec, context: HeadContext): Head<PresenceSpec> {
  const taps = fusedTaps(spec.name, context, { width: WIDTH });
  const kernel: ParameterSpec = {
    name: `head/${spec.name}/output/kernel`,
    shape: [2 * WIDTH, 1],
    initializer: "glorot",
    fanIn: 2 * WIDTH,
    fanOut: 1,
    isTrainable: true,
  };
  const bias: ParameterSpec = { name: `head/${spec.name}/output/bias`, shape: [1], initializer: 0, isTrainable: true };
  return {
    spec,
    parameters: [...taps.parameters, kernel, bias],
    outputShape: [1],
    answerShapes: presenceShapes,
    encode: encodePresence,
    forward: (parameters, features, { spreadsMaximum = false } = {}) =>
      tf.tidy(() => {
        const fused = taps.forward(parameters, features); // [batch, size, size, 32]
        const largest = spreadsMaximum ? spreadMaximum(fused) : tf.max(fused, [1, 2]);
        const pooled = tf.concat([largest, tf.mean(fused, [1, 2])], 1); // [batch, 64]
        return tf.add(tf.matMul(pooled as tf.Tensor2D, parameters[kernel.name] as tf.Tensor2D), parameters[bias.name]);
      }),
    loss: (logits, { present, labelled }) =>
      tf.tidy(() => averageOverLabelled(meanOfEach(binaryCrossEntropy(logits, present)), labelled)),
  };
}

/**
 * The maximum over all places. Its gradient reaches each place by the share that it has of the maximum: of a thing that many places
 * see nearly as well, the first of them is not the only evidence.
 *
 * @param x `[batch, height, width, channels]`, zero or more.
 * @returns `[batch, channels]`; the caller disposes it.
 */
export function spreadMaximum(x: tf.Tensor4D): tf.Tensor2D {
  const maximum = tf.customGrad((...given) => {
    const [input, save] = given as unknown as [tf.Tensor4D, tf.GradSaveFunc];
    const kept = tf.max(input, [1, 2], true); // [batch, 1, 1, channels]
    save([input, kept]);
    const gradFunc = (dy: tf.Tensor, [whole, largest]: tf.Tensor[]) =>
      tf.mul(tf.reshape(dy, largest.shape), tf.div(whole, tf.maximum(largest, TINY)));
    return { value: tf.reshape(kept, [input.shape[0], -1]), gradFunc };
  });
  return maximum(x) as tf.Tensor2D;
}
