/** Pooling between the mean and the maximum: large values count more, and all that are above 0 have a gradient. */

import * as tf from "@tensorflow/tfjs";

/** Smaller values count as this one, as in the paper's code: the root has no gradient at 0. */
const LEAST = 1e-6;

/**
 * The cubic mean over all positions, `(mean x^3)^(1/3)`: generalised-mean pooling (GeM, Radenovic et al. 2018,
 * arXiv:1711.02512) with the exponent fixed at the 3 that it starts from there. Of n positions of which one is x and the
 * others 0 it keeps `x / n^(1/3)`, where a mean keeps `x / n`.
 *
 * @param x `[batch, height, width, channels]`; what is below 0 counts as 0.
 * @returns `[batch, channels]`; the caller disposes it.
 */
export function generalizedMean(x: tf.Tensor4D): tf.Tensor2D {
  return tf.tidy(() => {
    const positive = tf.maximum(x, LEAST);
    const cubes = tf.mul(positive, tf.mul(positive, positive));
    return tf.exp(tf.div(tf.log(tf.mean(cubes, [1, 2])), 3)) as tf.Tensor2D;
  });
}
