/** The sub-pixel step: channels laid out as finer pixels. */

import * as tf from "@tensorflow/tfjs";

/**
 * Each cell's channels become a block of `factor` x `factor` pixels (Shi et al. 2016, arXiv:1609.05158).
 *
 * @param x `[batch, height, width, factor * factor * channels]`, the channels ordered row, column, channel.
 * @returns `[batch, height * factor, width * factor, channels]`; the caller disposes it.
 */
export function depthToSpace(x: tf.Tensor4D, factor: number): tf.Tensor4D {
  const [batch, height, width, depth] = x.shape;
  const channels = depth / factor ** 2;
  return tf.tidy(() => {
    if (factor === 1) return x.clone();
    const rows = tf.reshape(x, [batch * height, width, factor, factor * channels]);
    const swapped = tf.transpose(rows, [0, 2, 1, 3]); // [batch * height, factor, width, factor * channels]
    return tf.reshape(swapped, [batch, height * factor, width * factor, channels]);
  });
}
