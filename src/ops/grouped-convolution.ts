/** Convolutions whose channels are in groups or whose filters are dilated, with gradients: TensorFlow.js has neither. */

import * as tf from "@tensorflow/tfjs";
import { stridedSlice } from "./strided-slice.js";

/** Kernels of backends that compute them at once; others put them together of ordinary convolutions. */
export const GROUPED_CONVOLUTION = "GroupedConv2D";
export const GROUPED_CONVOLUTION_INPUT_GRADIENT = "GroupedConv2DInputGradient";

/** Pairs are `[height, width]`. */
export interface GroupedConvolution {
  readonly groups: number;
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Zeros on each side of the image. */
  readonly pads: { readonly top: number; readonly left: number; readonly bottom: number; readonly right: number };
}

/** Attributes of `GROUPED_CONVOLUTION_INPUT_GRADIENT`, whose inputs are `dy` and `filter`. */
export interface InputGradient extends GroupedConvolution {
  /** Of the input. */
  readonly shape: readonly [number, number, number, number];
}

/**
 * Channels `g * in / groups` to `(g + 1) * in / groups` are convolved with filters of their own (Krizhevsky et al. 2012;
 * Xie et al. 2017, arXiv:1611.05431). With as many groups as channels it is depthwise.
 *
 * @param x `[batch, height, width, in]`.
 * @param filter `[height, width, in / groups, out]`, the filters of each group together; or, depthwise,
 *   `[height, width, in, 1]`.
 * @returns `[batch, height', width', out]`; the caller disposes it.
 */
export function groupedConv2d(x: tf.Tensor4D, filter: tf.Tensor4D, convolution: GroupedConvolution): tf.Tensor4D {
  const { groups, strides, dilations, pads } = convolution;
  if (!tf.getKernel(GROUPED_CONVOLUTION, tf.getBackend()))
    return tf.tidy(() => byTaps(x, groupedFilter(filter, groups), convolution));
  // As attributes they must be plain.
  const attributes = { groups, strides, dilations, pads } as unknown as tf.NamedAttrMap;
  return tf.engine().runKernel(GROUPED_CONVOLUTION, { x, filter }, attributes);
}

tf.registerGradient({
  kernelName: GROUPED_CONVOLUTION,
  inputsToSave: ["x", "filter"],
  gradFunc: (given, saved, attributes) => {
    const [dy, [x, filter]] = [given as tf.Tensor4D, saved as tf.Tensor4D[]];
    const convolution = attributes as unknown as GroupedConvolution;
    const { shape } = x;
    return {
      x: () =>
        tf.engine().runKernel(GROUPED_CONVOLUTION_INPUT_GRADIENT, { dy, filter }, {
          ...convolution,
          shape,
        } as unknown as tf.NamedAttrMap),
      filter: () => filterGradient(x, dy, { ...convolution, filterShape: filter.shape }),
    };
  },
});

/** `[height, width, in / groups, out]` of a depthwise filter `[height, width, in, 1]` too. */
function groupedFilter(filter: tf.Tensor4D, groups: number): tf.Tensor4D {
  const [height, width, depth, count] = filter.shape;
  return count === 1 && depth === groups ? tf.reshape(filter, [height, width, 1, depth]) : filter;
}

/** Of each place of the filter, the pixels that it meets: `[batch, height', width', in]`. */
function seenBy(x: tf.Tensor4D, kernel: readonly number[], { strides, dilations, pads }: GroupedConvolution) {
  const { top, left, bottom, right } = pads;
  const wide: tf.Tensor4D = tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // biome-ignore format: a table
  const count = [0, 1].map((axis) => {
    const window = (kernel[axis] - 1) * dilations[axis] + 1;
    return Math.floor((wide.shape[axis + 1] - window) / strides[axis]) + 1;
  });
  return (row: number, column: number): tf.Tensor4D => {
    const begin = [0, row * dilations[0], column * dilations[1], 0];
    return stridedSlice(wide, { begin, size: [x.shape[0], ...count, x.shape[3]], steps: [1, ...strides, 1] });
  };
}

/** The sum over the filter's places of a matrix for each group. */
function byTaps(x: tf.Tensor4D, filter: tf.Tensor4D, convolution: GroupedConvolution): tf.Tensor4D {
  const { groups } = convolution;
  const [rows, columns, depth, out] = filter.shape;
  const at = seenBy(x, [rows, columns], convolution);
  const products: tf.Tensor[] = [];
  let shape: readonly number[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const pixels = at(row, column);
      shape = pixels.shape.slice(0, 3);
      const own = tf.reshape(tf.slice(filter, [row, column, 0, 0], [1, 1, depth, out]), [depth, groups, out / groups]);
      products.push(tf.matMul(byGroup(pixels, groups), tf.transpose(own, [1, 0, 2])));
    }
  const sum = tf.addN(products); // [groups, positions, out / groups]
  return tf.reshape(tf.transpose(sum, [1, 0, 2]), [...shape, out] as [number, number, number, number]);
}

/** `[groups, positions, channels / groups]`. */
function byGroup(x: tf.Tensor4D, groups: number): tf.Tensor3D {
  const [batch, height, width, channels] = x.shape;
  return tf.transpose(tf.reshape(x, [batch * height * width, groups, channels / groups]), [1, 0, 2]);
}

/** At each place of the filter, what the pixels that it meets have in common with `dy`, group by group. */
function filterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  { filterShape, ...convolution }: GroupedConvolution & { filterShape: readonly number[] },
): tf.Tensor4D {
  const { groups } = convolution;
  const [rows, columns] = filterShape;
  const [depth, out] = [x.shape[3] / groups, dy.shape[3]];
  const at = seenBy(x, [rows, columns], convolution);
  const products: tf.Tensor[] = [];
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      products.push(tf.matMul(byGroup(at(row, column), groups), byGroup(dy, groups), true, false)); // [groups, depth, out / groups]
  const all = tf.transpose(tf.stack(products), [0, 2, 1, 3]); // [places, depth, groups, out / groups]
  return tf.reshape(tf.reshape(all, [rows, columns, depth, out]), filterShape as [number, number, number, number]);
}
