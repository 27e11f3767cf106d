/**
 * Bilinear resizing with half-pixel centres and a gradient that is exact on every backend (that of TensorFlow.js is
 * wrong on its cpu backend).
 */

import * as tf from "@tensorflow/tfjs";
import { mixAxis } from "./mix-axis.js";

/**
 * Resizes the two middle axes, with half-pixel centres (PyTorch's `align_corners=False`) and repeated edges. Linear in
 * `x`.
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, toHeight, toWidth, channels]`; the caller disposes it.
 */
export function resizeBilinear(x: tf.Tensor4D, [toHeight, toWidth]: readonly [number, number]): tf.Tensor4D {
  const [, height, width] = x.shape;
  if (height === toHeight && width === toWidth) return x.clone();
  const resize = tf.customGrad((x) => ({
    value: tf.image.resizeBilinear(x as tf.Tensor4D, [toHeight, toWidth], false, true),
    gradFunc: (dy: tf.Tensor) => tf.tidy(() => gradient(dy as tf.Tensor4D, [height, width])),
  }));
  return resize(x) as tf.Tensor4D;
}

/**
 * @returns `[batch, height, width, channels]`: every element of `dy` distributed over the pixels that it was
 *   interpolated from.
 */
function gradient(dy: tf.Tensor4D, [height, width]: readonly [number, number]): tf.Tensor4D {
  const [, toHeight, toWidth, channels] = dy.shape;
  if (toHeight !== 2 * height || toWidth !== 2 * width) {
    const rows = toHeight === height ? dy : mixAxis(dy, 1, interpolation(height, toHeight), height);
    return toWidth === width ? rows : mixAxis(rows, 2, interpolation(width, toWidth), width);
  }
  // When a side doubles, a pixel contributes 3/4 to each of its two halves and 1/4 to the next one on either side; at
  // the edge, which is repeated, that quarter goes to the pixel itself.
  const shares = tf.tensor1d([0.25, 0.75, 0.75, 0.25]);
  const filter = tf.tile(tf.reshape(tf.outerProduct(shares, shares), [4, 4, 1, 1]), [1, 1, channels, 1]);
  const wide = tf.mirrorPad(dy, [[0, 0], [1, 1], [1, 1], [0, 0]], "symmetric"); // biome-ignore format: a table
  return tf.depthwiseConv2d(wide, filter as tf.Tensor4D, 2, "valid");
}

/** `[to, from]`: row j holds the weights of the two source pixels around the centre of target pixel j. */
function interpolation(from: number, to: number): Float32Array {
  const matrix = new Float32Array(to * from);
  for (let j = 0; j < to; j++) {
    const at = Math.min(Math.max(((j + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    matrix[j * from + low] += 1 - (at - low);
    matrix[j * from + Math.min(low + 1, from - 1)] += at - low;
  }
  return matrix;
}
