/** The gradients of the target at one tap: at the features, and half way to the reference. */

import * as tf from "@tensorflow/tfjs";

/** The logits `[batch, classes]` as a function of one tap's features, whatever lies between. */
export type LogitsAt = (features: tf.Tensor4D) => tf.Tensor2D;

/**
 * @param logitsAt runs the rest of the trunk and the classifier.
 * @param value of each image's logits, `[batch]`, its weights resolved beforehand.
 * @returns `atFeatures`, from which filter weights are read, and `mean` of both points, from which evidence is read
 *   (FACTS: the gradient at f alone fails on saturated classifiers; more than two points are hardly better). Each
 *   `[batch, height, width, channels]`; the caller disposes them.
 */
export function targetGradients(
  logitsAt: LogitsAt,
  {
    features,
    reference,
    value,
  }: { features: tf.Tensor4D; reference: tf.Tensor4D; value: (logits: tf.Tensor2D) => tf.Tensor1D },
): { atFeatures: tf.Tensor4D; mean: tf.Tensor4D } {
  return tf.tidy(() => {
    // Images do not mix on the way, so the gradient of the sum holds each image's own.
    const gradient = tf.grad((at: tf.Tensor) => tf.sum(value(logitsAt(at as tf.Tensor4D))));
    const atFeatures = gradient(features) as tf.Tensor4D;
    const halfWay = gradient(tf.mul(tf.add(features, reference), 0.5)) as tf.Tensor4D;
    return { atFeatures, mean: tf.mul(tf.add(atFeatures, halfWay), 0.5) };
  });
}
