/** Transposed convolutions whose channels are in groups or whose filters are dilated: TensorFlow.js has neither. */

import * as tf from "@tensorflow/tfjs";
import { type GroupedConvolution, groupedConv2d } from "./grouped-convolution.js";

/**
 * A convolution with the filter mirrored, over pixels with zeros between them (Dumoulin and Visin 2016,
 * arXiv:1603.07285, section 4).
 *
 * @param x `[batch, height, width, in]`.
 * @param filter `[height, width, out / groups, in]`.
 * @param options.pads rows and columns that are cut off the result.
 * @param options.size height and width of the result.
 * @returns `[batch, ...size, out]`; the caller disposes it.
 */
export function groupedConv2dTranspose(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  {
    groups,
    strides,
    dilations,
    pads,
    size,
  }: Omit<GroupedConvolution, "pads"> & {
    readonly pads: { readonly top: number; readonly left: number };
    readonly size: readonly [number, number];
  },
): tf.Tensor4D {
  return tf.tidy(() => {
    const spread = withZeros(x, strides);
    const kernel = filter.shape.slice(0, 2);
    const before = [pads.top, pads.left].map((amount, axis) => (kernel[axis] - 1) * dilations[axis] - amount);
    const after = size.map(
      (side, axis) => side - spread.shape[axis + 1] - before[axis] + (kernel[axis] - 1) * dilations[axis],
    );
    const [top, left, bottom, right] = [...before, ...after];
    return groupedConv2d(cut(spread, { top, left, bottom, right }), mirrored(filter, groups), {
      ...{ groups, dilations, strides: [1, 1] },
      pads: {
        ...{ top: Math.max(0, top), left: Math.max(0, left) },
        ...{ bottom: Math.max(0, bottom), right: Math.max(0, right) },
      },
    });
  });
}

/** Zeros after each row and column of pixels. */
function withZeros(x: tf.Tensor4D, [rows, columns]: readonly [number, number]): tf.Tensor4D {
  if (rows === 1 && columns === 1) return x;
  const [batch, height, width, channels] = x.shape;
  const apart = tf.reshape(x, [batch, height, 1, width, channels]);
  const tall = tf.pad(apart, [[0, 0], [0, 0], [0, rows - 1], [0, 0], [0, 0]]); // biome-ignore format: a table
  const pixels = tf.reshape(tall, [batch, height * rows, width, 1, channels]);
  const wide = tf.pad(pixels, [[0, 0], [0, 0], [0, 0], [0, columns - 1], [0, 0]]); // biome-ignore format: a table
  return tf.reshape(wide, [batch, height * rows, width * columns, channels]);
}

/** Where sides are negative, what lies there is cut off. */
function cut(x: tf.Tensor4D, { top, left, bottom, right }: GroupedConvolution["pads"]): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const [first, begin] = [Math.max(0, -top), Math.max(0, -left)];
  const size = [batch, height - first - Math.max(0, -bottom), width - begin - Math.max(0, -right), channels] as const;
  return tf.slice(x, [0, first, begin, 0], [...size]);
}

/** `[height, width, in / groups, out]`, rows and columns turned round. */
function mirrored(filter: tf.Tensor4D, groups: number): tf.Tensor4D {
  const [height, width, out, depth] = filter.shape;
  const apart = tf.reshape(tf.reverse(filter, [0, 1]), [height, width, out, groups, depth / groups]);
  const turned = tf.transpose(apart, [0, 1, 4, 3, 2]); // [height, width, in / groups, groups, out / groups]
  return tf.reshape(turned, [height, width, depth / groups, groups * out]);
}
