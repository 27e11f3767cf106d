/** The presence head: whether the aspect is anywhere in the image. */

import * as tf from "@tensorflow/tfjs";
import type { ParameterSpec } from "../core/parameters.js";
import { spreadMaximum } from "../ops/spread-maximum.js";
import { fusedTaps } from "./fuse-taps.js";
import type { Head, HeadContext } from "./head.js";
import type { PresenceSpec } from "./head-spec.js";
import { averageOverLabelled, binaryCrossEntropy, meanOfEach } from "./losses.js";
import { encodePresence, presenceShapes } from "./presence-reading.js";

const WIDTH = 32;

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
    labelShapes: presenceShapes,
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
