/** How raw pixels become what the first layer reads. */

import * as tf from "@tensorflow/tfjs";
import type { Architecture } from "./layer.js";

/** Mean of ImageNet in Caffe's order, blue, green, red (keras-applications, mode "caffe"). */
export const CAFFE_MEAN_BGR = [103.939, 116.779, 123.68];

/**
 * @param image `[batch, S, S, 3]`, RGB 0..255.
 * @returns the same shape, scaled; the caller disposes it.
 */
export function scaleImage(image: tf.Tensor4D, scaling: Architecture["scaling"]): tf.Tensor4D {
  if (scaling === "unit") return tf.sub(tf.mul(image, 1 / 127.5), 1);
  return tf.tidy(() => {
    // A 1x1 convolution turns RGB into BGR: it is exact, and its gradient runs on every engine.
    const swap = tf.tensor4d([0, 0, 1, 0, 1, 0, 1, 0, 0], [1, 1, 3, 3]);
    return tf.sub(tf.conv2d(image, swap, 1, "valid"), tf.tensor1d(CAFFE_MEAN_BGR));
  });
}
