/** How an elementwise ONNX operator is recorded: in which layout, on which view, and when it needs no node at all. */

import { sizeOf } from "../../core/nd-array.js";
import { type Attributes, addConstant, addNode, float, type Graph, reshape, type Value } from "./graph.js";
import { dataType } from "./onnx-encoding.js";
import {
  axesOf,
  broadcastSizes,
  broadcastTo,
  type DType,
  form,
  type Layout,
  natural,
  numbers,
  padSizes,
  physical,
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
  const value = recordBroadcast(graph, operator, [a, b], physical(extent, layout), layout);
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

/** The layout of the largest tensor that is no constant; among equals, a permuted one (features as NCHW). */
export function sharedLayout(tensors: readonly TracedTensor[], rank: number): Layout {
  let best: { size: number; isNatural: boolean; layout: Layout } | null = null;
  for (const tensor of tensors) {
    if (tensor.values || tensor.shape.length !== rank) continue;
    const { layout } = tensor;
    const size = sizeOf(tensor.extent);
    const isNatural = layout === natural(rank);
    if (!best || size > best.size || (size === best.size && best.isNatural && !isNatural)) {
      best = { size, isNatural, layout };
    }
  }
  return best?.layout ?? natural(rank);
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
 * Records an operator over operands that broadcast to `sizes`. ONNX Runtime's broadcast loop is up to 50x slower where
 * the innermost span is short (trailing unit axes, or a single number against many short rows): such operators run on a
 * view with unit axes dropped and neighbouring axes merged.
 */
export function recordBroadcast(
  graph: Graph,
  operator: string,
  tensors: readonly TracedTensor[],
  sizes: readonly number[],
  layout: Layout,
): Value {
  const operands = tensors.map((tensor) => operand(graph, tensor, sizes.length, layout));
  const hasSingle = operands.some((one) => sizeOf(one.sizes) === 1);
  const isSlow = sizes.length > 1 && sizeOf(sizes) > 1 && (sizes.at(-1) === 1 || hasSingle);
  const inputs = (views: readonly Value[]) => addNode(graph, operator, views);
  if (!isSlow) return inputs(operands.map((one) => one.value));
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
  return reshape(graph, result, sizes);
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
  const value = addNode(graph, operator, [form(graph, x, x.layout), ...extra], attributes);
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
export function clip(graph: Graph, x: TracedTensor, low: number, high: number): TracedTensor {
  const bounds =
    x.dtype === "int32"
      ? [low, high].map((bound) => addConstant(graph, "int32", [], Int32Array.of(bound)))
      : [float(graph, low), float(graph, high)];
  return unary(graph, "Clip", x, { extra: bounds, fold: (value) => Math.min(Math.max(value, low), high) });
}
