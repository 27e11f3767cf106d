/** A maximum whose gradient reaches every position with a value near it. */

import * as tf from "@tensorflow/tfjs";
import { TINY } from "./tiny.js";

/**
 * The maximum over all positions. Its gradient is distributed over the positions by their share of the maximum: if
 * several positions respond to an object almost equally, all of them count as evidence, not only the largest.
 *
 * @param x `[batch, height, width, channels]`, zero or more.
 * @returns `[batch, channels]`; the caller disposes it.
 */
export function spreadMaximum(x: tf.Tensor4D): tf.Tensor2D {
  const maximum = tf.customGrad((...given) => {
    const [input, save] = given as unknown as [tf.Tensor4D, tf.GradSaveFunc];
    const kept = tf.max(input, [1, 2], true); // [batch, 1, 1, channels]
    save([input, kept]);
    const gradFunc = (dy: tf.Tensor, [whole, largest]: tf.Tensor[]) =>
      tf.mul(tf.reshape(dy, largest.shape), tf.div(whole, tf.maximum(largest, TINY)));
    return { value: tf.reshape(kept, [input.shape[0], -1]), gradFunc };
  });
  return maximum(x) as tf.Tensor2D;
}
