/** A maximum whose gradient reaches every place that comes near it. */

import * as tf from "@tensorflow/tfjs";
import { TINY } from "./tiny.js";

/**
 * The maximum over all places. Its gradient reaches each place by the share that it has of the maximum: of a thing that
 * many places see nearly as well, the first of them is not the only evidence.
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
