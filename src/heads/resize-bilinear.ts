/**
 * Bilinear resizing with half-pixel centres, from slices and products: TensorFlow.js' own resize has a wrong gradient
 * on its cpu backend.
 */

import * as tf from "@tensorflow/tfjs";

/**
 * Resizes the two middle axes; pixel centres keep their place (`align_corners=False` of PyTorch), edges are repeated.
 * Linear in `x`, and its gradient is exact on every backend.
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, toHeight, toWidth, channels]`; the caller disposes it.
 */
export function resizeBilinear(x: tf.Tensor4D, [toHeight, toWidth]: readonly [number, number]): tf.Tensor4D {
  const [, height, width] = x.shape;
  return tf.tidy(() => {
    if (height === toHeight && width === toWidth) return x.clone();
    return resizeAxis(resizeAxis(x, 1, toHeight), 2, toWidth);
  });
}

/**
 * Twice as many cells along an axis: the first half of a cell lies a quarter towards the cell before, the second towards
 * the cell after. A few passes over the data, where a product with a matrix costs a whole row for each pixel.
 */
function doubleAxis(x: tf.Tensor4D, axis: 1 | 2): tf.Tensor4D {
  const last = x.shape[axis] - 1;
  const part = (from: number, count: number) => {
    const begin = [0, 0, 0, 0];
    const size = [-1, -1, -1, -1];
    begin[axis] = from;
    size[axis] = count;
    return tf.slice(x, begin, size);
  };
  const before = last > 0 ? tf.concat([part(0, 1), part(0, last)], axis) : x;
  const after = last > 0 ? tf.concat([part(1, last), part(last, 1)], axis) : x;
  const own = tf.mul(x, 0.75);
  const halves = [before, after].map((neighbour) => tf.add(own, tf.mul(neighbour, 0.25)));
  const shape = [...x.shape] as [number, number, number, number];
  shape[axis] *= 2;
  return tf.reshape(tf.concat(halves, axis + 1), shape); // side by side on the next axis, so that each cell's follow each other
}

function resizeAxis(x: tf.Tensor4D, axis: 1 | 2, to: number): tf.Tensor4D {
  const from = x.shape[axis];
  if (from === to) return x;
  if (to === 2 * from) return doubleAxis(x, axis);
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
