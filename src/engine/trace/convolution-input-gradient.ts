/** Gradients of convolutions with respect to their input: convolutions with the flipped filter, or transposed ones. */

import { TraceError } from "../../core/errors.js";
import { type ConvAttributes, type ConvGeometry, convGeometry, depthwiseFilter } from "./convolution.js";
import { addNode, type Graph, integers, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { form, full, NCHW, OIHW, type TracedTensor, traced } from "./traced-tensor.js";

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
  const dy = form(graph, full(graph, inputs.dy), NCHW);
  const filter = full(graph, inputs.filter);
  const geometry = convGeometry(inputShape, filter.shape, { ...attributes, isDepthwise });
  const { kernel, strides, dilations, before, after } = geometry;
  if (Math.max(...dilations) > 1) {
    throw new TraceError("the gradient of a dilated convolution cannot be recorded. Use dilation 1.");
  }
  const [, height, width, channels] = inputShape;
  const rest = unreached(geometry, [height, width]);
  const result = (value: Value) => traced(graph, value, inputShape, { layout: NCHW });
  const group = isDepthwise ? channels : 1;
  const isPlain = Math.max(...strides) === 1 && !(isDepthwise && filter.shape[3] > 1);
  const pads = [0, 1].map((axis) => kernel[axis] - 1 - before[axis]);
  const padsAfter = [0, 1].map((axis) => kernel[axis] - 1 - after[axis] + rest[axis]);
  if (isPlain && Math.min(...pads, ...padsAfter) >= 0) {
    const weights = flipped(graph, isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, "2301"), kernel);
    const conv = { kernel_shape: kernel, strides, dilations, pads: [...pads, ...padsAfter], group };
    return result(addNode(graph, "Conv", [dy, weights], conv));
  }
  const weights = isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, OIHW);
  const transposed = { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group };
  return result(addNode(graph, "ConvTranspose", [dy, weights], { ...transposed, output_padding: rest }));
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
