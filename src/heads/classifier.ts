/** The classifier: pooling and one dense layer, for one class, several, or a number. */

import * as tf from "@tensorflow/tfjs";
import type { ParameterSpec } from "../core/parameters.js";
import { dropout } from "../ops/dropout.js";
import { generalizedMean } from "../ops/generalized-mean.js";
import { classifierShapes, encodeClasses } from "./classifier-reading.js";
import { checkFeatures } from "./fuse-taps.js";
import type { Head, HeadContext } from "./head.js";
import type { ClassifierSpec } from "./head-spec.js";
import { averageOverLabelled, binaryCrossEntropy, meanOfEach, sumOfEach } from "./losses.js";

/**
 * Pooled features of all taps, concatenated, into one dense layer: with mean pooling Grad-CAM's own setting
 * (arXiv:1610.02391). A mean over all places drowns what is small; see `generalizedMean`.
 *
 * The loss is cross-entropy; binary cross-entropy averaged over the classes (`multi`); or the squared error in units of
 * the training values' deviation (`regression`: not Huber, because `r2` and `rmse` are what it is judged by, and the
 * mean is what a squared error learns). Dropout, where a training step asks for it, drops pooled features.
 */
export function classifier(spec: ClassifierSpec, context: HeadContext): Head<ClassifierSpec> {
  const { task, scale = { mean: 0, deviation: 1 }, pooling = "mean" } = spec;
  const outputs = task === "regression" ? 1 : spec.classes.length;
  const channels = context.taps.reduce((sum, tap) => sum + tap.channels, 0);
  const kernel: ParameterSpec = {
    name: classifierKernel(spec),
    shape: [channels, outputs],
    initializer: "glorot",
    fanIn: channels,
    fanOut: outputs,
    isTrainable: true,
  };
  const bias: ParameterSpec = {
    name: `head/${spec.name}/bias`,
    shape: [outputs],
    initializer: 0,
    isTrainable: true,
  };
  return {
    spec,
    parameters: [kernel, bias],
    outputShape: [outputs],
    labelShapes: classifierShapes(spec),
    encode: (labels) => encodeClasses(labels, spec),
    forward: (parameters, features, { dropout: drop } = {}) =>
      tf.tidy(() => {
        checkFeatures(spec.name, context, features);
        const pool = pooling === "mean" ? (tap: tf.Tensor4D) => tf.mean(tap, [1, 2]) : generalizedMean;
        const parts = features.map(pool); // [batch, channels] each
        const pooled = parts.length === 1 ? parts[0] : tf.concat(parts, 1);
        const kept = drop ? dropout(pooled, drop) : pooled;
        const dense = tf.add(
          tf.matMul(kept as tf.Tensor2D, parameters[kernel.name] as tf.Tensor2D),
          parameters[bias.name],
        );
        return task === "regression" ? tf.add(tf.mul(dense, scale.deviation), scale.mean) : dense;
      }),
    loss: (logits, { target, labelled }) =>
      tf.tidy(() => {
        if (task === "multi") return averageOverLabelled(meanOfEach(binaryCrossEntropy(logits, target)), labelled);
        if (task === "single") {
          return averageOverLabelled(tf.neg(sumOfEach(tf.mul(tf.logSoftmax(logits), target))), labelled);
        }
        return averageOverLabelled(sumOfEach(tf.square(tf.div(tf.sub(logits, target), scale.deviation))), labelled);
      }),
  };
}

/** Name of its dense layer's kernel `[channels of all taps, outputs]`, in the taps' order. */
export function classifierKernel({ name }: Pick<ClassifierSpec, "name">): string {
  return `head/${name}/kernel`;
}
