/** Grad-CAM: one weight a filter from the mean gradient, and the map that those weights draw. */

import * as tf from "@tensorflow/tfjs";

/**
 * Filter weights of one target (Selvaraju et al. 2017, eq. 1, arXiv:1610.02391).
 *
 * @param gradients `[batch, height, width, channels]`, d(target) / d(features).
 * @returns `[batch, 1, 1, channels]`, signed, not normalised; the caller disposes it.
 */
export function filterWeights(gradients: tf.Tensor4D): tf.Tensor4D {
  return tf.mean(gradients, [1, 2], true);
}

/**
 * The Grad-CAM map (eq. 2), of what features have beyond the reference. The paper weighs the features themselves, which
 * takes zeros for "nothing"; no network has seen zeros, so we weigh the difference from a typical representation.
 *
 * @param difference `[batch, height, width, channels]`, features minus reference.
 * @param weights `[batch, 1, 1, channels]`.
 * @returns `[batch, height, width, 1]`, zero or more; the caller disposes it.
 */
export function gradCamMap(difference: tf.Tensor4D, weights: tf.Tensor4D): tf.Tensor4D {
  return tf.tidy(() => tf.relu(tf.sum(tf.mul(difference, weights), 3, true)));
}
