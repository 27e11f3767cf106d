/** Reductions over axes: sums, means, extremes, products, and where the extreme lies. */

import { util } from "@tensorflow/tfjs";
import { binary, cast } from "./elementwise.js";
import {
  addConstant,
  addNode,
  floatConstant,
  type Graph,
  haveOneShape,
  integerConstants,
  reshape,
  type Value,
} from "./graph.js";
import type { Kernel, KernelTable, One } from "./kernel.js";
import { axesOf, blockOf, type Layout, NCHW } from "./layout.js";
import { nchwc } from "./nchwc.js";
import { dataType } from "./onnx-encoding.js";
import {
  form,
  naturalValue,
  plain,
  reshaped,
  sameSizes,
  splat,
  splatValue,
  type TracedTensor,
  traced,
} from "./traced-tensor.js";

interface Axes {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

type Reduction = "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd";

function reduce(graph: Graph, operator: Reduction, given: TracedTensor, attributes: Axes): TracedTensor {
  const { keepDims = false } = attributes;
  const axes = axesFrom(given, attributes);
  const byChannel = reduceInBlocks(graph, operator, given, { axes, keepDims });
  if (byChannel) return byChannel;
  const x = plain(graph, given);
  if (axes.length === 0) return { ...x, forms: new Map(x.forms) };
  const keep = (sizes: readonly number[]) =>
    sizes.flatMap((size, axis) => (!axes.includes(axis) ? size : keepDims ? 1 : []));
  const shape = keep(x.shape);
  /** How often each value of a lazily repeated tensor counts. */
  const repeats = axes.reduce((count, axis) => (x.extent[axis] === 1 ? count * x.shape[axis] : count), 1);
  const single = splatValue(x);
  if (single !== null) {
    const folded = operator === "ReduceSum" ? single * repeats : operator === "ReduceProd" ? single ** repeats : single;
    return splat(shape, x.dtype, folded);
  }
  const special =
    channelSums(graph, operator, x, { axes, keepDims }) ?? globalMean(graph, operator, x, { axes, keepDims });
  if (special) return special;
  const order = axesOf(x.layout);
  const positions = order.flatMap((axis, position) => (axes.includes(axis) ? position : []));
  const source = form(graph, x, x.layout);
  const value = addNode(graph, operator, [source, integerConstants(graph, positions)], { keepdims: Number(keepDims) });
  const result = traced(graph, value, shape, {
    dtype: x.dtype,
    layout: keepDims ? x.layout : withoutAxes(x.layout, axes),
    extent: keep(x.extent),
  });
  if (repeats === 1 || operator === "ReduceMean" || operator === "ReduceMax" || operator === "ReduceMin") return result;
  return binary(graph, operator === "ReduceSum" ? "Mul" : "Pow", result, splat([], x.dtype, repeats));
}

/**
 * Sums and means of blocked features over their positions, with or without the images: by ONNX Runtime's own pooling,
 * and those of a product without the product, by a convolution with one factor as the filter. `null` for anything else.
 */
function reduceInBlocks(
  graph: Graph,
  operator: Reduction,
  x: TracedTensor,
  { axes, keepDims }: { axes: readonly number[]; keepDims: boolean },
): TracedTensor | null {
  const isOverPositions = axes.includes(1) && axes.includes(2) && !axes.includes(3);
  const isSum = operator === "ReduceSum";
  if (!blockOf(x.layout) || !isOverPositions || !(isSum || operator === "ReduceMean")) return null;
  if (x.dtype !== "float32" || !sameSizes(x.extent, x.shape)) return null;
  const [batch, height, width, channels] = x.shape;
  const source = form(graph, x, x.layout);
  const product = graph.producers.get(source);
  const isProduct = product?.operator === "Mul" && product.inputs.every((input) => haveOneShape(graph, input, source));
  const sums = isProduct
    ? dotProducts(graph, product.inputs, x.shape)
    : nchwc(graph, "GlobalAveragePool", [source], {});
  graph.shapes.set(sums, isProduct ? [1, batch * channels, 1, 1] : [batch, channels, 1, 1]);
  const imageScale = isProduct ? (isSum ? 1 : 1 / (height * width)) : isSum ? height * width : 1;
  let value = reshape(graph, sums, [batch, channels]);
  if (axes.includes(0)) value = addNode(graph, operator, [value, integerConstants(graph, [0])], { keepdims: 0 });
  if (imageScale !== 1) value = addNode(graph, "Mul", [value, floatConstant(graph, imageScale)]);
  const sizes = axes.includes(0) ? [channels] : [batch, channels];
  const result = traced(graph, value, sizes);
  return keepDims ? reshaped(graph, result, [axes.includes(0) ? 1 : batch, 1, 1, channels]) : result;
}

/**
 * Means of NCHW features over their positions, by an operator that ONNX Runtime runs in blocks too. `null` for anything
 * else.
 */
function globalMean(
  graph: Graph,
  operator: Reduction,
  x: TracedTensor,
  { axes, keepDims }: { axes: readonly number[]; keepDims: boolean },
): TracedTensor | null {
  const isOverPositions = x.layout === NCHW && x.shape.length === 4 && sameSizes(axes.toSorted(), [1, 2]);
  if (!isOverPositions || operator !== "ReduceMean" || x.dtype !== "float32") return null;
  if (!sameSizes(x.extent, x.shape)) return null;
  const [batch, , , channels] = x.shape;
  const value = addNode(graph, "GlobalAveragePool", [form(graph, x, NCHW)]);
  const result = traced(graph, value, [batch, 1, 1, channels], { layout: NCHW });
  return keepDims ? result : reshaped(graph, result, [batch, channels]);
}

/**
 * Sums and means of NCHW features over their channels, as a product with a row of ones (five times as fast as the
 * runtime's reduction over an axis that is not the last). `null` for anything else.
 */
function channelSums(
  graph: Graph,
  operator: Reduction,
  x: TracedTensor,
  { axes, keepDims }: { axes: readonly number[]; keepDims: boolean },
): TracedTensor | null {
  const isOverChannels = x.layout === NCHW && x.shape.length === 4 && axes.length === 1 && axes[0] === 3;
  if (!isOverChannels || !(operator === "ReduceSum" || operator === "ReduceMean")) return null;
  if (x.dtype !== "float32" || !sameSizes(x.extent, x.shape)) return null;
  const [batch, height, width, channels] = x.shape;
  const share = operator === "ReduceSum" ? 1 : 1 / channels;
  const row = addConstant(graph, "float32", [1, channels], new Float32Array(channels).fill(share));
  const maps = reshape(graph, form(graph, x, NCHW), [batch, channels, height * width]);
  const sums = addNode(graph, "MatMul", [row, maps]);
  graph.shapes.set(sums, [batch, 1, height * width]);
  const result = traced(graph, reshape(graph, sums, [batch, 1, height, width]), [batch, height, width, 1], {
    layout: NCHW,
  });
  return keepDims ? result : reshaped(graph, result, [batch, height, width]);
}

/**
 * Sum over the positions of each channel of each image of a product of blocked features, `[1, batch * channels, 1, 1]`.
 */
function dotProducts(graph: Graph, factors: readonly Value[], shape: readonly number[]): Value {
  const [batch, height, width, channels] = shape;
  const groups = batch * channels;
  const kernel = [height, width];
  const operands = [
    reshape(graph, factors[0], [1, groups, ...kernel]),
    reshape(graph, factors[1], [groups, 1, ...kernel]),
  ];
  const none = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] };
  return nchwc(graph, "Conv", operands, { kernel_shape: kernel, ...none, group: groups });
}

/** The layout that remains once `axes` are gone and the others renumbered. */
function withoutAxes(layout: Layout, axes: readonly number[]): Layout {
  const rest = axesOf(layout).filter((axis) => !axes.includes(axis));
  const renumbered = [...rest].sort((a, b) => a - b);
  return rest.map((axis) => renumbered.indexOf(axis)).join("");
}

function axesFrom(x: TracedTensor, { axis, reductionIndices }: Axes): number[] {
  const given = reductionIndices ?? axis;
  return util.parseAxisParam(given ?? x.shape.map((_, index) => index), [...x.shape]);
}

function reduction(operator: Reduction): Kernel {
  return (graph: Graph, { x }: One, attributes: Axes) => reduce(graph, operator, x, attributes);
}

/** Index of the first extreme along one axis, int32. */
function extremeIndex(operator: "ArgMax" | "ArgMin"): Kernel {
  return (graph: Graph, { x }: One, attributes: Axes) => {
    const [axis] = axesFrom(x, attributes);
    const source = naturalValue(graph, cast(graph, x, "float32"));
    const index = addNode(graph, operator, [source], { axis, keepdims: 0 });
    const value = addNode(graph, "Cast", [index], { to: dataType("int32") });
    return traced(
      graph,
      value,
      x.shape.filter((_, other) => other !== axis),
      { dtype: "int32" },
    );
  };
}

function every(operator: "ReduceMin" | "ReduceMax"): Kernel {
  return (graph: Graph, { x }: One, attributes: Axes) =>
    cast(graph, reduce(graph, operator, cast(graph, x, "int32"), attributes), "bool");
}

export const reduceKernels: KernelTable = {
  Sum: (graph: Graph, { x }: One, attributes: Axes) =>
    reduce(graph, "ReduceSum", x.dtype === "bool" ? cast(graph, x, "int32") : x, attributes),
  Mean: (graph: Graph, { x }: One, attributes: Axes) =>
    reduce(graph, "ReduceMean", cast(graph, x, "float32"), attributes),
  Max: reduction("ReduceMax"),
  Min: reduction("ReduceMin"),
  Prod: reduction("ReduceProd"),
  All: every("ReduceMin"),
  Any: every("ReduceMax"),
  ArgMax: extremeIndex("ArgMax"),
  ArgMin: extremeIndex("ArgMin"),
};
