/** How an elementwise ONNX operator is recorded: in which layout, on which view, and when it needs no node at all. */

import { sizeOf } from "../../core/nd-array.js";
import { type Attributes, addConstant, addNode, floatConstant, type Graph, reshape, type Value } from "./graph.js";
import { axesOf, blockOf, fitsBlocks, type Layout, memorySizes, NCHW, natural, physical } from "./layout.js";
import { scaleChannels, shiftChannels } from "./nchwc.js";
import { dataType } from "./onnx-encoding.js";
import {
  broadcastSizes,
  broadcastTo,
  type DType,
  form,
  numbers,
  padSizes,
  reshaped,
  sameSizes,
  splat,
  splatValue,
  type TracedTensor,
  traced,
} from "./traced-tensor.js";

const FOLDED: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Max: Math.max,
  Min: Math.min,
  Pow: (a, b) => a ** b,
};

/** Records `operator(a, b)`; `dtype` is that of the result. */
export function binary(
  graph: Graph,
  operator: string,
  a: TracedTensor,
  b: TracedTensor,
  dtype: DType = a.dtype,
): TracedTensor {
  const shape = broadcastSizes(a.shape, b.shape);
  const simple = simplified(graph, operator, a, b, { shape, dtype });
  if (simple) return simple;
  const rank = shape.length;
  const extent = broadcastSizes(padSizes(a.extent, rank), padSizes(b.extent, rank));
  const layout = sharedLayout([a, b], rank);
  const byChannel = blockOf(layout) ? channelwise(graph, operator, [a, b], { extent, layout }) : null;
  const value = byChannel ?? recordBroadcast(graph, operator, [a, b], { extent, layout });
  return traced(graph, value, shape, { dtype, layout, extent });
}

/** Constants fold; adding zero and multiplying by one or zero need no node (0 * NaN counts as 0 here). */
function simplified(
  graph: Graph,
  operator: string,
  a: TracedTensor,
  b: TracedTensor,
  { shape, dtype }: { shape: readonly number[]; dtype: DType },
): TracedTensor | null {
  const left = splatValue(a);
  const right = splatValue(b);
  const fold = FOLDED[operator];
  if (fold && left !== null && right !== null) {
    const result = fold(left, right);
    return splat(shape, dtype, dtype === "int32" ? Math.trunc(result) : result);
  }
  if (dtype !== a.dtype || dtype !== b.dtype || dtype === "bool") return null;
  if (right !== null) {
    if ((operator === "Mul" || operator === "Div" || operator === "Pow") && right === 1)
      return broadcastTo(graph, a, shape);
    if ((operator === "Add" || operator === "Sub") && right === 0) return broadcastTo(graph, a, shape);
    if (operator === "Mul" && right === 0) return splat(shape, dtype, 0);
    if (operator === "Pow" && right === 2) return binary(graph, "Mul", a, broadcastTo(graph, a, shape), dtype);
    if (operator === "Div" && dtype === "float32" && right !== 0) {
      return binary(graph, "Mul", a, splat(b.shape, dtype, 1 / right), dtype);
    }
  }
  if (left !== null) {
    if ((operator === "Mul" && left === 1) || (operator === "Add" && left === 0)) return broadcastTo(graph, b, shape);
    if (operator === "Mul" && left === 0) return splat(shape, dtype, 0);
  }
  return null;
}

/**
 * A number a channel times blocked features, or added to them: a 1x1 depthwise convolution is one threaded pass, into
 * which `optimize` then fuses what follows. `null` where this is something else.
 */
function channelwise(
  graph: Graph,
  operator: string,
  [a, b]: readonly [TracedTensor, TracedTensor],
  { extent, layout }: { extent: readonly number[]; layout: Layout },
): Value | null {
  const channels = extent[3];
  const isWhole = (one: TracedTensor) => one.dtype === "float32" && !one.values && sameSizes(one.extent, extent);
  const isVector = (one: TracedTensor) =>
    one.dtype === "float32" && one.shape.at(-1) === channels && sizeOf(one.extent) === channels && channels > 1;
  const [features, vector] = isWhole(a) ? [a, b] : [b, a];
  if (!isWhole(features) || !isVector(vector) || isWhole(vector)) return null;
  const source = form(graph, features, layout);
  const values = reshape(graph, form(graph, vector, natural(vector.shape.length)), [channels]);
  if (operator === "Mul") return scaleChannels(graph, source, values);
  if (operator === "Add") return shiftChannels(graph, source, values);
  if (operator !== "Sub") return null;
  if (features === a) return shiftChannels(graph, source, addNode(graph, "Neg", [values]));
  const minusOne = addConstant(graph, "float32", [channels], new Float32Array(channels).fill(-1));
  return shiftChannels(graph, scaleChannels(graph, source, minusOne), values);
}

/**
 * The layout of the largest tensor that is no constant; among equals, blocks before a permuted one (features as NCHW)
 * before row-major.
 */
export function sharedLayout(tensors: readonly TracedTensor[], rank: number): Layout {
  const rankOf = (layout: Layout) => (blockOf(layout) ? 2 : layout === natural(rank) ? 0 : 1);
  let best: { size: number; layout: Layout } | null = null;
  for (const { values, shape, extent, layout } of tensors) {
    if (values || shape.length !== rank) continue;
    const size = sizeOf(extent);
    if (!best || size > best.size || (size === best.size && rankOf(layout) > rankOf(best.layout))) {
      best = { size, layout };
    }
  }
  const layout = best?.layout ?? natural(rank);
  const block = blockOf(layout);
  const fits = tensors.every(({ shape, extent }) => shape.length !== rank || fitsBlocks(extent, block));
  return block && !fits ? NCHW : layout;
}

/** A tensor as operand of a broadcast of some rank and layout, with its sizes there (`[]` for a single number). */
export function operand(
  graph: Graph,
  tensor: TracedTensor,
  rank: number,
  layout: Layout,
): { value: Value; sizes: readonly number[] } {
  if (splatValue(tensor) !== null && tensor.values) {
    return { value: addConstant(graph, tensor.dtype, [], tensor.values), sizes: [] };
  }
  if (blockOf(layout)) {
    const wide = reshaped(graph, tensor, padSizes(tensor.shape, rank));
    return { value: form(graph, wide, layout), sizes: memorySizes(wide.extent, layout) };
  }
  const missing = rank - tensor.shape.length;
  const own = axesOf(layout).flatMap((axis) => (axis >= missing ? axis - missing : []));
  const ownLayout = own.join("");
  const value = form(graph, tensor, ownLayout);
  const sizes = physical(padSizes(tensor.extent, rank), layout);
  const aligned = padSizes(physical(tensor.extent, ownLayout), rank);
  // ONNX aligns on the right, which in a permuted layout need not be where the axes belong.
  const isAligned = aligned.every((size, axis) => size === sizes[axis]);
  return { value: isAligned ? value : reshape(graph, value, sizes), sizes };
}

/**
 * Records an operator over operands that broadcast to `extent`. ONNX Runtime's broadcast loop is up to 50x slower where
 * the innermost span is short (trailing unit axes, or a single number against many short rows): such operators run on a
 * view with unit axes dropped and neighbouring axes merged.
 *
 * @returns the value in the layout's physical shape.
 */
export function recordBroadcast(
  graph: Graph,
  operator: string,
  tensors: readonly TracedTensor[],
  { extent, layout }: { extent: readonly number[]; layout: Layout },
): Value {
  const shape = physical(extent, layout);
  const sizes = memorySizes(extent, layout);
  const operands = tensors.map((tensor) => operand(graph, tensor, extent.length, layout));
  const hasSingle = operands.some((one) => sizeOf(one.sizes) === 1);
  const isSlow = sizes.length > 1 && sizeOf(sizes) > 1 && (sizes.at(-1) === 1 || hasSingle);
  const isAligned = !blockOf(layout) || operands.every((one) => sameSizes(one.sizes, sizes));
  // Parameters are flat as inputs and outputs, so computations on them need no other shape in between.
  const isRow = operands.some((one) => sameSizes(one.sizes, sizes) && rowBehind(graph, one.value));
  const inputs = (views: readonly Value[]) => addNode(graph, operator, views);
  if (!isSlow && isAligned && !isRow) return inputs(operands.map((one) => one.value));
  const groups = mergedAxes(
    sizes,
    operands.map((one) => padSizes(one.sizes, sizes.length)),
  );
  const views = operands.map((one) => {
    if (sizeOf(one.sizes) === 1) return reshape(graph, one.value, []);
    const padded = padSizes(one.sizes, sizes.length);
    const view = groups.map((group) => sizeOf(group.map((axis) => padded[axis])));
    return reshape(graph, one.value, view);
  });
  const result = inputs(views);
  graph.shapes.set(
    result,
    groups.map((group) => sizeOf(group.map((axis) => sizes[axis]))),
  );
  return reshape(graph, result, shape);
}

/** Whether a value is a view of a flat array. */
function rowBehind(graph: Graph, value: Value): boolean {
  const producer = graph.producers.get(value);
  return producer?.operator === "Reshape" && graph.shapes.get(producer.inputs[0])?.length === 1;
}

/** Wide axes, neighbours together where every operand either has both or repeats over both. */
function mergedAxes(sizes: readonly number[], operands: readonly (readonly number[])[]): number[][] {
  const groups: number[][] = [];
  const isRepeated = (axis: number) => operands.map((operandSizes) => operandSizes[axis] === 1).join();
  for (const [axis, size] of sizes.entries()) {
    if (size === 1) continue;
    const last = groups.at(-1);
    if (last && isRepeated(last[0]) === isRepeated(axis)) last.push(axis);
    else groups.push([axis]);
  }
  return groups;
}

/** Records a unary operator; `fold` computes it where the tensor is one repeated number. */
export function unary(
  graph: Graph,
  operator: string,
  x: TracedTensor,
  {
    attributes = {},
    extra = [],
    dtype = x.dtype,
    fold,
  }: { attributes?: Attributes; extra?: readonly Value[]; dtype?: DType; fold?: (value: number) => number } = {},
): TracedTensor {
  const single = splatValue(x);
  if (single !== null && fold) return splat(x.shape, dtype, fold(single));
  const source = form(graph, x, x.layout);
  const row = rowBehind(graph, source) ? reshape(graph, source, [sizeOf(x.extent)]) : source;
  const result = addNode(graph, operator, [row, ...extra], attributes);
  graph.shapes.set(result, graph.shapes.get(row) ?? physical(x.extent, x.layout));
  const value = reshape(graph, result, physical(x.extent, x.layout));
  return traced(graph, value, x.shape, { dtype, layout: x.layout, extent: x.extent });
}

/** Another dtype: fractions are cut, everything but zero is true; itself where nothing changes. */
export function cast(graph: Graph, x: TracedTensor, dtype: DType): TracedTensor {
  if (x.dtype === dtype) return x;
  if (x.values) {
    const convert = (value: number) =>
      dtype === "bool" ? Number(value !== 0) : dtype === "int32" ? Math.trunc(value) : value;
    return { ...x, dtype, values: numbers(dtype, Array.from(x.values, convert)), forms: new Map() };
  }
  return unary(graph, "Cast", x, { attributes: { to: dataType(dtype) }, dtype });
}

/** A float32 scalar for use as an operand. */
export function scalar(value: number): TracedTensor {
  return splat([], "float32", value);
}

/** Records `min(max(x, low), high)`. */
export function clipByValue(graph: Graph, x: TracedTensor, low: number, high: number): TracedTensor {
  const bounds =
    x.dtype === "int32"
      ? [low, high].map((bound) => addConstant(graph, "int32", [], Int32Array.of(bound)))
      : [floatConstant(graph, low), floatConstant(graph, high)];
  return unary(graph, "Clip", x, { extra: bounds, fold: (value) => Math.min(Math.max(value, low), high) });
}
