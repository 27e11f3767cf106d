/** Average pooling that counts the image alone, with its gradient: TensorFlow.js divides gradients by the whole window. */

import * as tf from "@tensorflow/tfjs";

/** Pairs are `[height, width]`. */
export interface AveragePool {
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Places outside the image, which do not count. */
  readonly pads: { readonly top: number; readonly left: number; readonly bottom: number; readonly right: number };
}

/**
 * The mean of what each window holds of the image.
 *
 * @param x `[batch, height, width, channels]`.
 * @returns `[batch, height', width', channels]`; the caller disposes it.
 */
export function averagePool(x: tf.Tensor4D, { kernel, strides, pads }: AveragePool): tf.Tensor4D {
  const { top, left, bottom, right } = pads;
  const mean = (wide: tf.Tensor4D) => tf.avgPool(wide, [...kernel], [...strides], "valid");
  if (Math.max(top, left, bottom, right) === 0) return mean(x);
  return tf.tidy(() => {
    const paddings = [[0, 0], [top, bottom], [left, right], [0, 0]] as [number, number][]; // biome-ignore format: a table
    const withZeros = mean(tf.pad(x, paddings));
    const [, height, width] = withZeros.shape;
    const shares = (axis: 0 | 1, count: number, before: number) =>
      Float32Array.from({ length: count }, (_, index) => {
        const first = index * strides[axis] - before;
        return kernel[axis] / (Math.min(x.shape[axis + 1], first + kernel[axis]) - Math.max(0, first));
      });
    const rows = tf.tensor(shares(0, height, top), [1, height, 1, 1]);
    const columns = tf.tensor(shares(1, width, left), [1, 1, width, 1]);
    return tf.mul(withZeros, tf.mul(rows, columns)) as tf.Tensor4D;
  });
}
