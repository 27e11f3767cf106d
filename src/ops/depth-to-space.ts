/** Sub-pixel upsampling: rearranges channels into finer pixels, with the gradient that TensorFlow.js lacks. */

import * as tf from "@tensorflow/tfjs";

/**
 * Each cell's channels become a block of `factor` x `factor` pixels (Shi et al. 2016, arXiv:1609.05158).
 *
 * @param x `[batch, height, width, factor * factor * channels]`, the channels ordered row, column, channel.
 * @returns `[batch, height * factor, width * factor, channels]`; the caller disposes it.
 */
export function depthToSpace(x: tf.Tensor4D, factor: number): tf.Tensor4D {
  if (factor === 1) return x.clone();
  const [batch, height, width, depth] = x.shape;
  const toPixels = tf.customGrad((x) => ({
    value: tf.depthToSpace(x as tf.Tensor4D, factor),
    gradFunc: (dy: tf.Tensor) =>
      tf.tidy(() => {
        const rows = tf.reshape(dy, [batch * height, factor, width, depth / factor]);
        return tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [batch, height, width, depth]);
      }),
  }));
  return toPixels(x) as tf.Tensor4D;
}
