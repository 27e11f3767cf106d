/**
 * Bilinear resizing with half-pixel centres, built from products alone: TensorFlow.js' own resize has a wrong gradient
 * on its cpu backend.
 */

import * as tf from "@tensorflow/tfjs";
import { depthToSpace } from "./depth-to-space.js";

/**
 * Resizes the two middle axes; pixel centres keep their place (`align_corners=False` of PyTorch), edges are repeated.
 * Linear in `x`, and its gradient is exact on every backend.
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, toHeight, toWidth, channels]`; the caller disposes it.
 */
export function resizeBilinear(x: tf.Tensor4D, [toHeight, toWidth]: readonly [number, number]): tf.Tensor4D {
  const [, height, width, channels] = x.shape;
  return tf.tidy(() => {
    if (height === toHeight && width === toWidth) return x.clone();
    if (channels === 1 && toHeight === 2 * height && toWidth === 2 * width) return double(x);
    return resizeAxis(resizeAxis(x, 1, toHeight), 2, toWidth);
  });
}

/** Weights of the cell before, the cell itself and the cell after, for the first and the second half of a cell. */
const HALVES = [
  [0.25, 0.75, 0],
  [0, 0.75, 0.25],
];

/** Doubling one channel, the commonest case, as one 3x3 convolution: 9 products a pixel, not a whole row and column. */
function double(x: tf.Tensor4D): tf.Tensor4D {
  const [, height, width] = x.shape;
  const rows = tf.concat([tf.slice(x, [0, 0, 0, 0], [-1, 1, -1, -1]), x, tf.slice(x, [0, height - 1, 0, 0])], 1);
  const padded = tf.concat(
    [tf.slice(rows, [0, 0, 0, 0], [-1, -1, 1, -1]), rows, tf.slice(rows, [0, 0, width - 1, 0])],
    2,
  ); // [batch, height + 2, width + 2, 1]
  const kernel = new Float32Array(9 * 4); // [3, 3, 1, 4]
  for (let i = 0; i < 9; i++) {
    for (let half = 0; half < 4; half++)
      kernel[4 * i + half] = HALVES[half >> 1][Math.floor(i / 3)] * HALVES[half & 1][i % 3];
  }
  return depthToSpace(tf.conv2d(padded as tf.Tensor4D, tf.tensor4d(kernel, [3, 3, 1, 4]), 1, "valid"), 2);
}

function resizeAxis(x: tf.Tensor4D, axis: 1 | 2, to: number): tf.Tensor4D {
  const from = x.shape[axis];
  if (from === to) return x;
  const last = axis === 1 ? [0, 3, 2, 1] : [0, 1, 3, 2]; // swaps `axis` with the channels; its own inverse
  const moved = tf.transpose(x, last);
  const [a, b, c] = moved.shape;
  const product = tf.matMul(tf.reshape(moved, [a * b * c, from]), tf.tensor2d(interpolation(from, to), [from, to]));
  return tf.transpose(tf.reshape(product, [a, b, c, to]), last);
}

/** `[from, to]`: column j holds the shares of the two source pixels around the centre of target pixel j. */
function interpolation(from: number, to: number): Float32Array {
  const matrix = new Float32Array(from * to);
  for (let j = 0; j < to; j++) {
    const at = Math.min(Math.max(((j + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    matrix[low * to + j] += 1 - (at - low);
    matrix[Math.min(low + 1, from - 1) * to + j] += at - low;
  }
  return matrix;
}
