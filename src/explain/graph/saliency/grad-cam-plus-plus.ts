/** Grad-CAM++: each place's share in a filter's weight grows with how often the filter sees its thing. */

import * as tf from "@tensorflow/tfjs";
import { gradientAt, type SaliencyMethod, weighElements } from "./saliency.js";

/**
 * Chattopadhyay et al. 2018 (arXiv:1710.11063), eq. 5 and 19: `w_k = sum_ij alpha_ij relu(g_ij)` with
 * `alpha_ij = g_ij^2 / (2 g_ij^2 + sum_ab A_ab g_ij^3)`.
 *
 * @param gradient `[batch, height, width, channels]`, d(target) / d(features).
 * @param features the same shape: A, as it is, without a reference.
 * @returns `[batch, 1, 1, channels]`, zero or more; the caller disposes it.
 */
export function plusPlusWeights(gradient: tf.Tensor4D, { features }: { features: tf.Tensor4D }): tf.Tensor4D {
  return tf.tidy(() => {
    const total = tf.sum(features, [1, 2], true); // [batch, 1, 1, channels]
    // Both sides of the fraction divided by g^2, which keeps small gradients in float32's range.
    const below = tf.add(2, tf.mul(total, gradient));
    const shares = tf.div(tf.relu(gradient), tf.where(tf.equal(below, 0), tf.onesLike(below), below));
    return tf.sum(shares, [1, 2], true);
  });
}

/**
 * The paper's target is the exponential of a score, whose higher derivatives are powers of the first; ours is the score
 * itself, as in every implementation we know. The weights apply to the difference from the reference, as in Grad-CAM.
 */
export const gradCamPlusPlus: SaliencyMethod = ({ weighed }) =>
  weighElements(plusPlusWeights(gradientAt(weighed, weighed.features), weighed), weighed);
