/** Gradients of regular convolutions with respect to their filter, as matrix products. */

import { TraceError } from "../../core/errors.js";
import { type ConvAttributes, type ConvGeometry, convGeometry } from "./convolution.js";
import { addConstant, addNode, type Graph, integers, reshape, transpose, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { blockedLayout, NCHW, natural } from "./layout.js";
import { nchwc, reorderInput, reorderOutput } from "./nchwc.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

/** Below this many positions an image, one product over the whole batch beats a product an image and their sum. */
const FEW_POSITIONS = 512;
/** With no more input channels than this, one-hot filters unfold the windows faster than a slice for each tap. */
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
  return addNode(graph, "ReduceSum", [products, integers(graph, [0])], { keepdims: 0 });
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
 * The gradient of a pointwise filter as a pointwise convolution: positions are its input channels, each block of channels
 * of x an image of `block` pixels, and dy the filter. Blocked features lie in memory as both want them, but for the
 * order of images and blocks; it runs at the speed of the convolutions, a fifth faster than a matrix product.
 */
function byConvolution(graph: Graph, x: TracedTensor, dy: TracedTensor): Value {
  const { block } = graph;
  const [batch, height, width, inputs] = x.shape;
  const outputs = dy.shape[3];
  const positions = batch * height * width;
  const byBlocks = (tensor: TracedTensor, channels: number) => {
    const sizes = [batch, channels / block, height * width * block];
    const value = form(graph, tensor, blockedLayout(block));
    return transpose(graph, reshape(graph, value, sizes), sizes, [1, 0, 2]); // [channels / block, positions, block]
  };
  const filter = reshape(graph, byBlocks(dy, outputs), [outputs, positions, 1, 1]);
  const pixels = reshape(graph, byBlocks(x, inputs), [inputs / block, positions, block, 1]);
  const images = reorderInput(graph, pixels, { channelsLast: false });
  const attributes = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: 1 };
  const products = nchwc(graph, "Conv", [images, filter], attributes); // [inputs / block, outputs, block, 1]
  const rows = reorderOutput(graph, products, { channels: outputs, channelsLast: true });
  return reshape(graph, rows, [1, 1, inputs, outputs]);
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
    const isWhole = [channels, columns, batch * positions].every((size) => size % graph.block === 0);
    if (graph.block && isWhole) return traced(graph, byConvolution(graph, x, dy), filterShape);
    if (graph.block && positions < FEW_POSITIONS) return traced(graph, byRows(graph, x, dy), filterShape);
    return traced(graph, reshape(graph, product(form(graph, x, NCHW), channels), filterShape), filterShape);
  }
  const source = form(graph, x, NCHW);
  if (channels <= FEW_CHANNELS) {
    const unfolded = unfold(graph, source, channels, geometry); // [batch, taps * channels, outHeight, outWidth]
    return traced(graph, reshape(graph, product(unfolded, taps * channels), filterShape), filterShape);
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

/** Each tap of each channel as a channel of its own, taps outermost as in a filter `[height, width, in, out]`. */
function unfold(graph: Graph, source: Value, channels: number, geometry: ConvGeometry): Value {
  const { kernel, strides, before, after } = geometry;
  const taps = kernel[0] * kernel[1];
  const filters = new Float32Array(taps * channels * channels * taps);
  for (let tap = 0; tap < taps; tap++) {
    for (let channel = 0; channel < channels; channel++) {
      filters[((tap * channels + channel) * channels + channel) * taps + tap] = 1;
    }
  }
  const weights = addConstant(graph, "float32", [taps * channels, channels, ...kernel], filters);
  const pads = [...before, ...after];
  return addNode(graph, "Conv", [source, weights], {
    kernel_shape: kernel,
    strides,
    pads,
    dilations: [1, 1],
    group: 1,
  });
}

function pad(graph: Graph, source: Value, { before, after }: ConvGeometry): Value {
  if (Math.max(...before, ...after) === 0) return source;
  return addNode(graph, "Pad", [source, integers(graph, [0, 0, ...before, 0, 0, ...after])], { mode: "constant" });
}

/** What one tap of the filter sees: every stride-th row and column from its place on. */
function window(graph: Graph, padded: Value, start: readonly number[], { outShape, strides }: ConvGeometry): Value {
  const ends = start.map((first, axis) => first + (outShape[axis + 1] - 1) * strides[axis] + 1);
  return addNode(graph, "Slice", [padded, ...[start, ends, [2, 3], strides].map((list) => integers(graph, list))]);
}

export const filterGradientKernels: KernelTable = {
  Conv2DBackpropFilter: filterGradient,
};
