/** Convolutions forward, regular and depthwise, with the geometry that their gradients share. */

import { backend_util } from "@tensorflow/tfjs";
import { TraceError } from "../../core/errors.js";
import { activate, type FusedActivation } from "./activation.js";
import { fromBlocks, inBlocks, packedDepthwiseFilter, packedFilter, padded, wholeBlocks } from "./blocked-filters.js";
import { binary } from "./elementwise.js";
import { type Attributes, addNode, type Graph, reshape, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { NCHW, OIHW } from "./layout.js";
import { nchwc } from "./nchwc.js";
import { form, full, naturalValue, type TracedTensor, traced } from "./traced-tensor.js";

type Pair = readonly [number, number];

/** Attributes that TensorFlow.js passes to every convolution kernel. */
export interface ConvAttributes {
  readonly strides: [number, number] | number;
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dilations?: [number, number] | number;
  readonly dataFormat?: "NHWC" | "NCHW";
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/** A convolution in ONNX' terms; pairs are `[height, width]`. */
export interface ConvGeometry {
  readonly outShape: readonly [number, number, number, number];
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
  /** Zeros before the first row and column. */
  readonly before: Pair;
  /** Zeros after the last. */
  readonly after: Pair;
}

/**
 * @param shape `[batch, height, width, channels]`; `filter` is `[height, width, in, out or multiplier]`.
 * @throws TraceError for NCHW data.
 */
export function convGeometry(
  shape: readonly number[],
  filter: readonly number[],
  { isDepthwise, ...attributes }: ConvAttributes & { isDepthwise: boolean },
): ConvGeometry {
  const { strides, pad, dilations = 1, dataFormat = "NHWC", dimRoundingMode } = attributes;
  if (dataFormat !== "NHWC") throw new TraceError("the data format NCHW cannot be recorded. Transpose to NHWC.");
  const info = backend_util.computeConv2DInfo(
    shape as [number, number, number, number],
    filter as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
    isDepthwise,
  );
  return {
    outShape: info.outShape,
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    before: [info.padInfo.top, info.padInfo.left],
    after: [info.padInfo.bottom, info.padInfo.right],
  };
}

/** Attributes of ONNX Conv. */
function convAttributes(geometry: ConvGeometry, group: number): Attributes {
  const { kernel, strides, dilations, before, after } = geometry;
  return { kernel_shape: kernel, strides, dilations, pads: [...before, ...after], group };
}

/** A depthwise filter in ONNX's order, `[channels * multiplier, 1, height, width]`. */
export function depthwiseFilter(graph: Graph, filter: TracedTensor): Value {
  const [height, width, channels, multiplier] = filter.shape;
  return reshape(graph, form(graph, filter, "2301"), [channels * multiplier, 1, height, width]);
}

interface ConvInputs {
  readonly x: TracedTensor;
  readonly filter: TracedTensor;
}

interface FusedInputs extends ConvInputs {
  readonly bias?: TracedTensor;
  readonly preluActivationWeights?: TracedTensor;
}

function convolve(
  graph: Graph,
  inputs: ConvInputs,
  { isDepthwise, bias, ...attributes }: ConvAttributes & { isDepthwise: boolean; bias?: TracedTensor },
): TracedTensor {
  const x = full(graph, inputs.x);
  const filter = full(graph, inputs.filter);
  const geometry = convGeometry(x.shape, filter.shape, { ...attributes, isDepthwise });
  const channels = x.shape[3];
  const biases = bias ? [naturalValue(graph, bias)] : [];
  const packed = isDepthwise ? packedDepthwiseFilter(graph, filter) : packedFilter(graph, filter);
  if (packed) {
    const outputs = geometry.outShape[3];
    const whole = wholeBlocks(graph, outputs);
    const source = !isDepthwise && channels < graph.block ? form(graph, x, NCHW) : inBlocks(graph, x);
    const wideBiases = biases.map((value) => padded(graph, value, [outputs], [whole]));
    const conv = convAttributes(geometry, isDepthwise ? whole : 1);
    return fromBlocks(graph, nchwc(graph, "Conv", [source, packed, ...wideBiases], conv), geometry.outShape);
  }
  const conv = convAttributes(geometry, isDepthwise ? channels : 1);
  const weights = isDepthwise ? depthwiseFilter(graph, filter) : form(graph, filter, OIHW);
  const value = addNode(graph, "Conv", [form(graph, x, NCHW), weights, ...biases], conv);
  return traced(graph, value, geometry.outShape, { layout: NCHW });
}

function fused(
  graph: Graph,
  inputs: FusedInputs,
  attributes: ConvAttributes & FusedActivation & { isDepthwise: boolean },
): TracedTensor {
  const { bias, preluActivationWeights } = inputs;
  const isVector = bias?.shape.length === 1;
  const result = convolve(graph, inputs, { ...attributes, bias: isVector ? bias : undefined });
  const sum = bias && !isVector ? binary(graph, "Add", result, bias) : result;
  return activate(graph, sum, attributes, preluActivationWeights);
}

export const convolutionKernels: KernelTable = {
  Conv2D: (graph: Graph, inputs: ConvInputs, attributes: ConvAttributes) =>
    convolve(graph, inputs, { ...attributes, isDepthwise: false }),
  DepthwiseConv2dNative: (graph: Graph, inputs: ConvInputs, attributes: ConvAttributes) =>
    convolve(graph, inputs, { ...attributes, isDepthwise: true }),
  FusedConv2D: (graph: Graph, inputs: FusedInputs, attributes: ConvAttributes & FusedActivation) =>
    fused(graph, inputs, { ...attributes, isDepthwise: false }),
  FusedDepthwiseConv2D: (graph: Graph, inputs: FusedInputs, attributes: ConvAttributes & FusedActivation) =>
    fused(graph, inputs, { ...attributes, isDepthwise: true }),
};
