/** Gradients of convolutions with respect to their input: convolutions with the flipped filter, or transposed ones. */

import { TraceError } from "../../core/errors.js";
import { fromBlocks, inBlocks, packedBackwardFilter, packedDepthwiseFilter, wholeBlocks } from "./blocked-filters.js";
import { type ConvAttributes, type ConvGeometry, convGeometry, depthwiseFilter } from "./convolution.js";
import { addConstant, addNode, type Graph, integers, reshape, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { NCHW, OIHW } from "./layout.js";
import { nchwc } from "./nchwc.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

/** Lower than any index, so that a slice with step -1 reaches the first element. */
const BEFORE_FIRST = -(2 ** 31);

/** Mirrors the last two axes, height and width. */
export function flipped(graph: Graph, value: Value, [height, width]: readonly [number, number]): Value {
  if (height * width === 1) return value;
  const ends = [BEFORE_FIRST, BEFORE_FIRST];
  const inputs = [[-1, -1], ends, [2, 3], [-1, -1]].map((list) => integers(graph, list));
  return addNode(graph, "Slice", [value, ...inputs]);
}

/** How many input rows and columns no window reaches. */
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
  const isPlain = Math.max(...strides) === 1 && !(isDepthwise && filter.shape[3] > 1);
  const pads = [0, 1].map((axis) => kernel[axis] - 1 - before[axis]);
  const padsAfter = [0, 1].map((axis) => kernel[axis] - 1 - after[axis] + rest[axis]);
  const dy = form(graph, given, NCHW);
  if (isPlain && Math.min(...pads, ...padsAfter) >= 0) {
    const weights = flipped(graph, isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, "2301"), kernel);
    const conv = { kernel_shape: kernel, strides, dilations, pads: [...pads, ...padsAfter], group };
    return result(addNode(graph, "Conv", [dy, weights], conv));
  }
  const weights = isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, OIHW);
  const transposed = { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group };
  return result(addNode(graph, "ConvTranspose", [dy, weights], { ...transposed, output_padding: rest }));
}

/** In blocks: a convolution with stride 1 of dy, between whose rows and columns lie as many zeros as the stride skips. */
function blockedInputGradient(
  graph: Graph,
  dy: TracedTensor,
  filter: TracedTensor,
  options: { geometry: ConvGeometry; inputShape: readonly number[]; isDepthwise: boolean },
): TracedTensor | null {
  const { inputShape, isDepthwise } = options;
  const { outShape, kernel, strides, before } = options.geometry;
  const [batch, outHeight, outWidth] = outShape;
  const spread = [outHeight * strides[0], outWidth * strides[1]];
  const pads = [0, 1].map((axis) => kernel[axis] - 1 - before[axis]);
  const padsAfter = [0, 1].map((axis) => inputShape[axis + 1] - spread[axis] - pads[axis] + kernel[axis] - 1);
  if (Math.min(...pads, ...padsAfter) < 0) return null;
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
    source = reshape(graph, padded, [batch, outputs, ...spread]);
  }
  const conv = {
    kernel_shape: kernel,
    strides: [1, 1],
    dilations: [1, 1],
    pads: [...pads, ...padsAfter],
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
