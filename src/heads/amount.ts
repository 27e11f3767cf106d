/** The amount head: how much of the aspect there is, 0..1, in the whole image or at each pixel. */

import * as tf from "@tensorflow/tfjs";
import type { ParameterSpec } from "../core/parameters.js";
import { shapeOf } from "../core/size.js";
import { amountShapes, encodeAmounts } from "./amount-reading.js";
import { fusedTaps } from "./fuse-taps.js";
import type { Head, HeadContext } from "./head.js";
import type { AmountSpec } from "./head-spec.js";
import { averageOverLabelled, binaryCrossEntropy, meanOfEach, meanOfKnown } from "./losses.js";
import { maskNetwork } from "./mask-network.js";

const WIDTH = 32;

/**
 * Cross-entropy against the amount itself, a soft target, so that the sigmoid of the logit is the amount and the
 * logit has room at both ends. A number pools 1x1 features; a map is the network of a segmentation head.
 */
export function amount(spec: AmountSpec, context: HeadContext): Head<AmountSpec> {
  const { inputSize } = context;
  const network = spec.form === "map" ? maskNetwork(spec.name, context, { prior: -2 }) : pooled(spec, context);
  return {
    spec,
    parameters: network.parameters,
    outputShape: spec.form === "map" ? [...shapeOf(inputSize), 1] : [1],
    forward: network.forward,
    labelShapes: amountShapes(spec, { inputSize }),
    encode: (labels) => encodeAmounts(labels, spec, { inputSize }),
    loss: (logits, { amount, known, labelled }) =>
      tf.tidy(() => {
        const each = binaryCrossEntropy(logits, amount);
        return averageOverLabelled(known ? meanOfKnown(each, known) : meanOfEach(each), labelled); // a number: no `known`
      }),
  };
}

/** 1x1 to 32, relu, the mean over all places, dense. */
function pooled({ name }: AmountSpec, context: HeadContext): Pick<Head, "parameters" | "forward"> {
  const taps = fusedTaps(name, context, { width: WIDTH });
  const kernel: ParameterSpec = {
    name: `head/${name}/output/kernel`,
    shape: [WIDTH, 1],
    initializer: "glorot",
    fanIn: WIDTH,
    fanOut: 1,
    isTrainable: true,
  };
  const bias: ParameterSpec = { name: `head/${name}/output/bias`, shape: [1], initializer: 0, isTrainable: true };
  return {
    parameters: [...taps.parameters, kernel, bias],
    forward: (parameters, features) =>
      tf.tidy(() => {
        const mean = tf.mean(taps.forward(parameters, features), [1, 2]); // [batch, 32]
        return tf.add(tf.matMul(mean as tf.Tensor2D, parameters[kernel.name] as tf.Tensor2D), parameters[bias.name]);
      }),
  };
}
