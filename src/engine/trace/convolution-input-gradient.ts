/** Gradients of convolutions with respect to their input: convolutions with the flipped filter, or transposed ones. */

import { TraceError } from "../../core/errors.js";
import { fromBlocks, inBlocks, packedBackwardFilter, packedDepthwiseFilter, wholeBlocks } from "./blocked-filters.js";
import { type ConvAttributes, type ConvGeometry, convGeometry, depthwiseFilter } from "./convolution.js";
import { addConstant, addNode, type Graph, mirror, reshape, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { NCHW, OIHW, physical } from "./layout.js";
import { nchwc } from "./nchwc.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

/** Mirrors the last two axes, height and width. */
function flipped(graph: Graph, value: Value, [height, width]: readonly [number, number]): Value {
  return height * width === 1 ? value : mirror(graph, value, [2, 3]);
}

/** Number of input rows and columns that no window reaches. */
function unreached(
  { outShape, kernel, strides, before, after }: ConvGeometry,
  size: readonly [number, number],
): number[] {
  return size.map((length, axis) => {
    const covered = (outShape[axis + 1] - 1) * strides[axis] + kernel[axis] - before[axis] - after[axis];
    return length - covered;
  });
}

function inputGradient(
  graph: Graph,
  inputs: { dy: TracedTensor; filter: TracedTensor },
  { isDepthwise, inputShape, ...attributes }: ConvAttributes & { inputShape: readonly number[]; isDepthwise: boolean },
): TracedTensor {
  const filter = full(graph, inputs.filter);
  const given = full(graph, inputs.dy);
  const geometry = convGeometry(inputShape, filter.shape, { ...attributes, isDepthwise });
  const { kernel, strides, dilations, before, after } = geometry;
  if (Math.max(...dilations) > 1) {
    throw new TraceError("the gradient of a dilated convolution cannot be recorded. Use dilation 1.");
  }
  const [, height, width, channels] = inputShape;
  const rest = unreached(geometry, [height, width]);
  const result = (value: Value) => traced(graph, value, inputShape, { layout: NCHW });
  const group = isDepthwise ? channels : 1;
  const blocked = blockedInputGradient(graph, given, filter, { geometry, inputShape, isDepthwise });
  if (blocked) return blocked;
  // A strided depthwise ConvTranspose takes its channels one by one, several times as slow as a convolution of dy with
  // zeros between; a regular one is a single matrix product.
  const isConvolution = isDepthwise ? filter.shape[3] === 1 : Math.max(...strides) === 1;
  const { sizes, pads } = spread(geometry, inputShape);
  if (isConvolution && Math.min(...pads) >= 0) {
    const between = Math.max(...strides) === 1 ? given : withZeros(graph, given, sizes, strides);
    const weights = flipped(graph, isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, "2301"), kernel);
    const conv = { kernel_shape: kernel, strides: [1, 1], dilations, pads, group };
    return result(addNode(graph, "Conv", [form(graph, between, NCHW), weights], conv));
  }
  const dy = form(graph, given, NCHW);
  const weights = isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, OIHW);
  const transposed = { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group };
  return result(addNode(graph, "ConvTranspose", [dy, weights], { ...transposed, output_padding: rest }));
}

/**
 * Height and width of dy with the zeros that the stride skips, and the pads of a convolution of it that gives the
 * input's size.
 */
function spread({ outShape, kernel, strides, before }: ConvGeometry, inputShape: readonly number[]) {
  const sizes = [outShape[1] * strides[0], outShape[2] * strides[1]] as const;
  const pads = [0, 1].map((axis) => kernel[axis] - 1 - before[axis]);
  const after = [0, 1].map((axis) => inputShape[axis + 1] - sizes[axis] - pads[axis] + kernel[axis] - 1);
  return { sizes, pads: [...pads, ...after] };
}

/**
 * Zeros after each row and column of features, by one product: each row becomes itself with zeros between, and the rows
 * of zeros after it.
 */
function withZeros(
  graph: Graph,
  features: TracedTensor,
  [height, width]: readonly [number, number],
  [rowStep, columnStep]: readonly [number, number],
): TracedTensor {
  const [batch, fromHeight, fromWidth, channels] = features.shape;
  const length = rowStep * width;
  const spreading = new Float32Array(fromWidth * length);
  for (let column = 0; column < fromWidth; column++) spreading[column * length + column * columnStep] = 1;
  const rows = reshape(graph, form(graph, features, NCHW), [batch * channels * fromHeight, fromWidth]);
  const value = addNode(graph, "MatMul", [rows, addConstant(graph, "float32", [fromWidth, length], spreading)]);
  const shape = [batch, height, width, channels];
  return traced(graph, reshape(graph, value, physical(shape, NCHW)), shape, { layout: NCHW });
}

/**
 * In blocks: a convolution with stride 1 of dy, between whose rows and columns lie as many zeros as the stride skips.
 */
function blockedInputGradient(
  graph: Graph,
  dy: TracedTensor,
  filter: TracedTensor,
  options: { geometry: ConvGeometry; inputShape: readonly number[]; isDepthwise: boolean },
): TracedTensor | null {
  const { inputShape, isDepthwise } = options;
  const { outShape, kernel, strides } = options.geometry;
  const [batch, outHeight, outWidth] = outShape;
  const { sizes, pads } = spread(options.geometry, inputShape);
  if (Math.min(...pads) < 0) return null;
  const packed = isDepthwise
    ? packedDepthwiseFilter(graph, filter, { isMirrored: true })
    : packedBackwardFilter(graph, filter);
  if (!packed) return null;
  const { block } = graph;
  const outputs = wholeBlocks(graph, outShape[3]);
  let source = inBlocks(graph, dy);
  if (Math.max(...strides) > 1) {
    // Columns by a product with [one, 0...], rows by one with (1, 0): Pad and broadcasts over blocks run at a fraction.
    const columns = [block, strides[1] * block];
    const identity = Float32Array.from({ length: columns[0] * columns[1] }, (_, index) =>
      Math.floor(index / columns[1]) === index % columns[1] ? 1 : 0,
    );
    const pixels = reshape(graph, source, [(batch * outputs * outHeight * outWidth) / block, block]);
    const wide = addNode(graph, "MatMul", [pixels, addConstant(graph, "float32", columns, identity)]);
    const rows = reshape(graph, wide, [(batch * outputs * outHeight) / block, 1, outWidth * columns[1]]);
    const first = addConstant(graph, "float32", [strides[0], 1], new Float32Array(strides[0]).fill(1, 0, 1));
    const padded = strides[0] > 1 ? addNode(graph, "Mul", [rows, first]) : rows;
    source = reshape(graph, padded, [batch, outputs, ...sizes]);
  }
  const conv = {
    kernel_shape: kernel,
    strides: [1, 1],
    dilations: [1, 1],
    pads,
    group: isDepthwise ? outputs : 1,
  };
  return fromBlocks(graph, nchwc(graph, "Conv", [source, packed], conv), inputShape);
}

type GradientAttributes = ConvAttributes & { readonly inputShape: number[] };
interface GradientInputs {
  readonly dy: TracedTensor;
  readonly filter: TracedTensor;
}

export const inputGradientKernels: KernelTable = {
  Conv2DBackpropInput: (graph: Graph, inputs: GradientInputs, attributes: GradientAttributes) =>
    inputGradient(graph, inputs, { ...attributes, isDepthwise: false }),
  DepthwiseConv2dNativeBackpropInput: (graph: Graph, inputs: GradientInputs, attributes: GradientAttributes) =>
    inputGradient(graph, inputs, { ...attributes, isDepthwise: true }),
};
