/** How the loss of a batch is made where only some of its samples are labelled, and the terms of every head's loss. */

import * as tf from "@tensorflow/tfjs";

/**
 * Sum over the labelled samples / max(1, how many are labelled).
 *
 * @param each `[batch]`, finite everywhere; an unlabelled sample is multiplied by 0, so its gradient is exactly 0.
 * @param labelled `[batch]`, 1 or 0.
 */
export function averageOverLabelled(each: tf.Tensor, labelled: tf.Tensor): tf.Scalar {
  return tf.tidy(() => tf.div(tf.sum(tf.mul(each, labelled)), tf.maximum(tf.sum(labelled), 1)));
}

/**
 * -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)), element by element, for soft or hard targets t; never overflows.
 */
export function binaryCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.tidy(() => tf.sub(tf.softplus(logits), tf.mul(logits, targets)));
}

/** Mean over everything but the batch: `[batch, ...]` to `[batch]`. */
export function meanOfEach(x: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => tf.mean(tf.reshape(x, [x.shape[0], -1]), 1));
}

/**
 * Mean over the known elements of each sample, `[batch, ...]` to `[batch]`; the others have exactly zero gradient.
 *
 * @param x finite everywhere. @param known of the shape of `x`, 1 or 0; 0 where there is none.
 */
export function meanOfKnown(x: tf.Tensor, known: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => tf.div(sumOfEach(tf.mul(x, known)), tf.maximum(sumOfEach(known), 1)));
}

/** Sum over everything but the batch: `[batch, ...]` to `[batch]`. */
export function sumOfEach(x: tf.Tensor): tf.Tensor1D {
  return tf.tidy(() => tf.sum(tf.reshape(x, [x.shape[0], -1]), 1));
}
