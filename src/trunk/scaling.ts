/** How raw pixels become what the first layer reads. */

import * as tf from "@tensorflow/tfjs";
import type { Architecture } from "./architecture.js";

/** Mean of ImageNet in Caffe's order, blue, green, red (keras-applications, mode "caffe"). */
export const CAFFE_MEAN_BGR = [103.939, 116.779, 123.68];

/** Mean and deviation of ImageNet's pixels in [0, 1], red, green, blue (torchvision's transforms). */
export const IMAGENET_MEAN = [0.485, 0.456, 0.406];
export const IMAGENET_DEVIATION = [0.229, 0.224, 0.225];

/**
 * @param image `[batch, S, S, 3]`, RGB 0..255.
 * @returns the same shape, scaled; the caller disposes it.
 */
export function scaleImage(image: tf.Tensor4D, scaling: Architecture["scaling"]): tf.Tensor4D {
  if (scaling === "unit") return tf.sub(tf.mul(image, 1 / 127.5), 1);
  if (scaling === "imagenet")
    return tf.tidy(() => {
      const factor = IMAGENET_DEVIATION.map((deviation) => 1 / (255 * deviation));
      const shift = IMAGENET_MEAN.map((mean, channel) => mean / IMAGENET_DEVIATION[channel]);
      return tf.sub(tf.mul(image, tf.tensor1d(factor)), tf.tensor1d(shift));
    });
  return tf.tidy(() => {
    // A 1x1 convolution turns RGB into BGR: it is exact, and its gradient runs on every engine.
    const swap = tf.tensor4d([0, 0, 1, 0, 1, 0, 1, 0, 0], [1, 1, 3, 3]);
    return tf.sub(tf.conv2d(image, swap, 1, "valid"), tf.tensor1d(CAFFE_MEAN_BGR));
  });
}
