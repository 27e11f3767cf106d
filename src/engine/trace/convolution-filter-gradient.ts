/** Gradients of regular convolutions with respect to their filter, as matrix products. */

import { TraceError } from "../../core/errors.js";
import { fromBlocks, inBlocks, packedFilter, wholeBlocks } from "./blocked-filters.js";
import { type ConvAttributes, type ConvGeometry, convGeometry } from "./convolution.js";
import { addNode, type Graph, integerConstants, reshape, transpose, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { NCHW, natural, OIHW } from "./layout.js";
import { nchwc, reorderInput, reorderOutput } from "./nchwc.js";
import { constant, form, full, type TracedTensor, traced } from "./traced-tensor.js";

/** With fewer positions per image than this, one product over the batch is faster than one per image and their sum. */
const FEW_POSITIONS = 512;
/** Up to this many input channels, one-hot filters unfold the windows faster than a slice for each tap. */
const FEW_CHANNELS = 8;

interface GradientInputs {
  readonly x: TracedTensor;
  readonly dy: TracedTensor;
}
type GradientAttributes = ConvAttributes & { readonly filterShape: number[] };

function geometryOf(x: TracedTensor, { filterShape, ...attributes }: GradientAttributes): ConvGeometry {
  const geometry = convGeometry(x.shape, filterShape, { ...attributes, isDepthwise: false });
  if (Math.max(...geometry.dilations) === 1) return geometry;
  throw new TraceError("the gradient of a dilated convolution cannot be recorded. Use dilation 1.");
}

/**
 * Sum over images and positions of the outer products of two sets of channels.
 *
 * @param left `[batch, rows, positions]`; `right` `[batch, columns, positions]`.
 * @returns `[rows, columns]`.
 */
function outerProducts(
  graph: Graph,
  left: Value,
  right: Value,
  sizes: { batch: number; rows: number; columns: number; positions: number },
): Value {
  const { batch, rows, columns, positions } = sizes;
  // A bare Transpose before MatMul is fused into it by ONNX Runtime.
  const turned = (value: Value, perm: readonly number[]) => addNode(graph, "Transpose", [value], { perm });
  if (batch === 1 || positions < FEW_POSITIONS) {
    const flat = (value: Value, channels: number) =>
      reshape(graph, transpose(graph, value, [batch, channels, positions], [1, 0, 2]), [channels, batch * positions]);
    return addNode(graph, "MatMul", [flat(left, rows), turned(flat(right, columns), [1, 0])]);
  }
  const products = addNode(graph, "MatMul", [left, turned(right, [0, 2, 1])]); // [batch, rows, columns]
  return addNode(graph, "ReduceSum", [products, integerConstants(graph, [0])], { keepdims: 0 });
}

/** Whether positions fill blocks as well as channels do. */
function canConvolve(graph: Graph, x: TracedTensor, dy: TracedTensor): boolean {
  const [batch, height, width] = dy.shape;
  const positions = batch * height * width;
  return [x, dy].every(({ shape }) => wholeBlocks(graph, shape[3]) > 0) && positions % graph.block === 0;
}

/** One product over the positions of all images, of which blocked features are brought into row-major order at once. */
function byRows(graph: Graph, x: TracedTensor, dy: TracedTensor): Value {
  const rows = ({ shape }: TracedTensor) => [shape[0] * shape[1] * shape[2], shape[3]];
  const [left, right] = [x, dy].map((one) => reshape(graph, form(graph, one, natural(4)), rows(one)));
  const turned = addNode(graph, "Transpose", [left], { perm: [1, 0] });
  const product = addNode(graph, "MatMul", [turned, right]);
  return reshape(graph, product, [1, 1, x.shape[3], dy.shape[3]]);
}

/**
 * The gradient of a pointwise filter as a pointwise convolution: positions are its input channels, each block of
 * channels of x an image of `block` pixels, and dy the filter. Blocked features lie in memory as both want them, but
 * for the order of images and blocks; it runs at the speed of the convolutions, a fifth faster than a matrix product.
 *
 * @returns `[in, out]`.
 */
function byConvolution(graph: Graph, x: TracedTensor, dy: TracedTensor): Value {
  const { block } = graph;
  const [batch, height, width] = x.shape;
  const [inputs, outputs] = [x, dy].map(({ shape }) => wholeBlocks(graph, shape[3]));
  const positions = batch * height * width;
  const byBlocks = (tensor: TracedTensor, channels: number) => {
    const sizes = [batch, channels / block, height * width * block];
    const value = reshape(graph, inBlocks(graph, tensor), sizes);
    return transpose(graph, value, sizes, [1, 0, 2]); // [channels / block, positions, block]
  };
  const filter = reshape(graph, byBlocks(dy, outputs), [outputs, positions, 1, 1]);
  const pixels = reshape(graph, byBlocks(x, inputs), [inputs / block, positions, block, 1]);
  const images = reorderInput(graph, pixels, { channelsLast: false });
  const attributes = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 };
  const products = nchwc(graph, "Conv", [images, filter], attributes); // [inputs / block, outputs, block, 1]
  const rows = reorderOutput(graph, products, { channels: dy.shape[3], channelsLast: true });
  return cut(graph, reshape(graph, rows, [inputs, dy.shape[3]]), inputs, x.shape[3]);
}

/** The first rows of a matrix. */
function cut(graph: Graph, matrix: Value, rows: number, wanted: number): Value {
  if (rows === wanted) return matrix;
  return addNode(graph, "Slice", [matrix, ...[[0], [wanted], [0]].map((list) => integerConstants(graph, list))]);
}

function filterGradient(graph: Graph, inputs: GradientInputs, attributes: GradientAttributes): TracedTensor {
  const x = full(graph, inputs.x);
  const dy = full(graph, inputs.dy);
  const geometry = geometryOf(x, attributes);
  const [batch, outHeight, outWidth, columns] = geometry.outShape;
  const { kernel, strides } = geometry;
  const [, , , channels] = x.shape;
  const taps = kernel[0] * kernel[1];
  const positions = outHeight * outWidth;
  const right = () => reshape(graph, form(graph, dy, NCHW), [batch, columns, positions]);
  const product = (source: Value, rows: number) => {
    const left = reshape(graph, source, [batch, rows, positions]);
    return outerProducts(graph, left, right(), { batch, rows, columns, positions });
  };
  const { filterShape } = attributes;
  const isPointwise = taps === 1 && Math.max(...geometry.before, ...geometry.after) === 0;
  if (isPointwise && Math.max(...strides) === 1) {
    if (canConvolve(graph, x, dy))
      return traced(graph, reshape(graph, byConvolution(graph, x, dy), filterShape), filterShape);
    if (graph.block && positions < FEW_POSITIONS) return traced(graph, byRows(graph, x, dy), filterShape);
    return traced(graph, reshape(graph, product(form(graph, x, NCHW), channels), filterShape), filterShape);
  }
  const source = form(graph, x, NCHW);
  if (channels <= FEW_CHANNELS) {
    const unfolded = unfold(graph, source, channels, geometry); // [batch, outHeight, outWidth, taps * channels]
    if (canConvolve(graph, unfolded, dy)) {
      const rows = cut(graph, byConvolution(graph, unfolded, dy), unfolded.shape[3], taps * channels);
      return traced(graph, reshape(graph, rows, filterShape), filterShape);
    }
    return traced(
      graph,
      reshape(
        graph,
        cut(graph, product(form(graph, unfolded, NCHW), unfolded.shape[3]), unfolded.shape[3], taps * channels),
        filterShape,
      ),
      filterShape,
    );
  }
  const padded = pad(graph, source, geometry);
  const parts: Value[] = [];
  for (let row = 0; row < kernel[0]; row++) {
    for (let column = 0; column < kernel[1]; column++) {
      const view = window(graph, padded, [row, column], geometry); // [batch, channels, outHeight, outWidth]
      parts.push(reshape(graph, product(view, channels), [1, channels, columns]));
    }
  }
  const all = parts.length === 1 ? parts[0] : addNode(graph, "Concat", parts, { axis: 0 });
  return traced(graph, reshape(graph, all, filterShape), filterShape);
}

/**
 * Each tap of each channel as a channel of its own, taps outermost as in a filter `[height, width, in, out]`; in blocks
 * followed by zeros that fill the last one.
 */
function unfold(graph: Graph, source: Value, channels: number, geometry: ConvGeometry): TracedTensor {
  const { kernel, strides, before, after, outShape } = geometry;
  const rows = kernel[0] * kernel[1] * channels;
  const count = wholeBlocks(graph, rows) || rows;
  // One-hot: as a matrix [height * width * in, taps * in] it is the identity.
  const filters = Float32Array.from({ length: rows * count }, (_, index) => (index % (count + 1) === 0 ? 1 : 0));
  const filter = constant([...kernel, channels, count], "float32", filters);
  const conv = { kernel_shape: kernel, strides, pads: [...before, ...after], dilations: [1, 1], group: 1 };
  const shape = [...outShape.slice(0, 3), count];
  const packed = packedFilter(graph, filter);
  if (packed) return fromBlocks(graph, nchwc(graph, "Conv", [source, packed], conv), shape);
  return traced(graph, addNode(graph, "Conv", [source, form(graph, filter, OIHW)], conv), shape, { layout: NCHW });
}

function pad(graph: Graph, source: Value, { before, after }: ConvGeometry): Value {
  if (Math.max(...before, ...after) === 0) return source;
  return addNode(graph, "Pad", [source, integerConstants(graph, [0, 0, ...before, 0, 0, ...after])], {
    mode: "constant",
  });
}

/** The inputs of one tap of the filter: every stride-th row and column, starting at its position. */
function window(graph: Graph, padded: Value, start: readonly number[], { outShape, strides }: ConvGeometry): Value {
  const ends = start.map((first, axis) => first + (outShape[axis + 1] - 1) * strides[axis] + 1);
  return addNode(graph, "Slice", [
    padded,
    ...[start, ends, [2, 3], strides].map((list) => integerConstants(graph, list)),
  ]);
}

export const filterGradientKernels: KernelTable = {
  Conv2DBackpropFilter: filterGradient,
};
