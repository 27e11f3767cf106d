/** Convolutions in groups, and dilated ones: as one operator of ONNX, and as one more for the gradient of the input. */

import {
  GROUPED_CONVOLUTION,
  GROUPED_CONVOLUTION_INPUT_GRADIENT,
  type GroupedConvolution,
  type InputGradient,
} from "../../ops/grouped-convolution.js";
import { depthwiseFilter } from "./convolution.js";
import { type Attributes, addNode, type Graph, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { NCHW, OIHW } from "./layout.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

function convolve(
  graph: Graph,
  inputs: { readonly x: TracedTensor; readonly filter: TracedTensor },
  convolution: GroupedConvolution,
): TracedTensor {
  const [x, filter] = [full(graph, inputs.x), full(graph, inputs.filter)];
  const [batch, height, width] = x.shape;
  const { strides, dilations, pads } = convolution;
  const size = (side: number, axis: 0 | 1, [before, after]: readonly number[]) =>
    Math.floor((side + before + after - (filter.shape[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  const { isDepthwise, filters } = filtersOf(graph, filter, convolution);
  const shape = [
    batch,
    size(height, 0, [pads.top, pads.bottom]),
    size(width, 1, [pads.left, pads.right]),
    isDepthwise ? filter.shape[2] : filter.shape[3],
  ];
  const value = addNode(graph, "Conv", [form(graph, x, NCHW), filters], attributesOf(filter, convolution));
  return traced(graph, value, shape, { layout: NCHW });
}

function inputGradient(
  graph: Graph,
  inputs: { readonly dy: TracedTensor; readonly filter: TracedTensor },
  { shape, ...convolution }: InputGradient,
): TracedTensor {
  const [dy, filter] = [full(graph, inputs.dy), full(graph, inputs.filter)];
  const { strides, dilations, pads } = convolution;
  const rest = ([before, after]: readonly number[], axis: 0 | 1) =>
    shape[axis + 1] -
    ((dy.shape[axis + 1] - 1) * strides[axis] + (filter.shape[axis] - 1) * dilations[axis] + 1 - before - after);
  const { filters } = filtersOf(graph, filter, convolution);
  const value = addNode(graph, "ConvTranspose", [form(graph, dy, NCHW), filters], {
    ...attributesOf(filter, convolution),
    output_padding: [rest([pads.top, pads.bottom], 0), rest([pads.left, pads.right], 1)],
  });
  return traced(graph, value, shape, { layout: NCHW });
}

/** In ONNX's order, `[out, in / groups, height, width]`. */
function filtersOf(
  graph: Graph,
  filter: TracedTensor,
  { groups }: GroupedConvolution,
): { readonly isDepthwise: boolean; readonly filters: Value } {
  const isDepthwise = filter.shape[3] === 1 && filter.shape[2] === groups;
  return { isDepthwise, filters: isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, OIHW) };
}

function attributesOf({ shape }: TracedTensor, { groups, strides, dilations, pads }: GroupedConvolution): Attributes {
  const { top, left, bottom, right } = pads;
  return { kernel_shape: shape.slice(0, 2), strides, dilations, pads: [top, left, bottom, right], group: groups };
}

export const groupedConvolutionKernels: KernelTable = {
  [GROUPED_CONVOLUTION]: convolve,
  [GROUPED_CONVOLUTION_INPUT_GRADIENT]: inputGradient,
};
