/** A product with a matrix along one axis of an image. */

import * as tf from "@tensorflow/tfjs";

/**
 * @param x `[batch, height, width, channels]`.
 * @param matrix `[from, to]`, row-major; `from` is the size of the axis.
 * @returns the same with `to` places along the axis; the caller disposes it.
 */
export function mixAxis(x: tf.Tensor4D, axis: 1 | 2, matrix: Float32Array, to: number): tf.Tensor4D {
  return tf.tidy(() => {
    const from = x.shape[axis];
    const last = axis === 1 ? [0, 3, 2, 1] : [0, 1, 3, 2]; // swaps `axis` with the channels; its own inverse
    const moved = tf.transpose(x, last);
    const [a, b, c] = moved.shape;
    const product = tf.matMul(tf.reshape(moved, [a * b * c, from]), tf.tensor2d(matrix, [from, to]));
    return tf.transpose(tf.reshape(product, [a, b, c, to]), last);
  });
}
