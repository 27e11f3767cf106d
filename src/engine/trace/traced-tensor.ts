/** What a tensor is while tracing: a logical shape, a lazily broadcast extent, and the physical forms that exist of it. */

import { TraceError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { addConstant, addNode, type Graph, integers, reshape, transpose, type Value } from "./graph.js";

export type DType = "float32" | "int32" | "bool";
export type Numbers = Float32Array | Int32Array | Uint8Array;

/**
 * Order of the logical axes in memory, a digit each: `"0312"` holds an NHWC tensor as NCHW. A blocked form would be one
 * more kind of layout.
 */
export type Layout = string;

/** Features as ONNX convolutions want them. */
export const NCHW: Layout = "0312";
/** Filters `[height, width, in, out]` as ONNX convolutions want them. */
export const OIHW: Layout = "3201";

export interface TracedTensor {
  readonly shape: readonly number[];
  /** The shape, with 1 on axes along which all values are equal and not yet repeated. */
  readonly extent: readonly number[];
  readonly dtype: DType;
  /** A constant's values, row-major over `extent`. */
  readonly values: Numbers | null;
  /** Values of the graph that hold `extent` in some layout. Never shared between tensors of different extent. */
  readonly forms: Map<Layout, Value>;
  /** The form that costs nothing. */
  readonly layout: Layout;
}

/** Row-major order of a rank: `"0123"`. */
export function natural(rank: number): Layout {
  return "0123456789".slice(0, rank);
}

/** Axes in memory order. */
export function axesOf(layout: Layout): number[] {
  return [...layout].map(Number);
}

/** Sizes in memory order. */
export function physical(sizes: readonly number[], layout: Layout): number[] {
  return axesOf(layout).map((axis) => sizes[axis]);
}

/** A tensor that a value of the graph holds. */
export function traced(
  graph: Graph,
  value: Value,
  shape: readonly number[],
  {
    dtype = "float32",
    layout = natural(shape.length),
    extent = shape,
  }: { dtype?: DType; layout?: Layout; extent?: readonly number[] } = {},
): TracedTensor {
  graph.shapes.set(value, physical(extent, layout));
  return { shape: [...shape], extent: [...extent], dtype, values: null, forms: new Map([[layout, value]]), layout };
}

/** A constant; one whose values are all equal keeps a single number. */
export function constant(shape: readonly number[], dtype: DType, values: Numbers): TracedTensor {
  const isUniform = values.length > 0 && values.every((value) => Object.is(value, values[0]));
  return {
    shape: [...shape],
    extent: isUniform ? shape.map(() => 1) : [...shape],
    dtype,
    values: isUniform ? values.slice(0, 1) : values,
    forms: new Map(),
    layout: natural(shape.length),
  };
}

/** A constant of one repeated number. */
export function splat(shape: readonly number[], dtype: DType, value: number): TracedTensor {
  const extent = shape.map(() => 1);
  return {
    shape: [...shape],
    extent,
    dtype,
    values: numbers(dtype, [value]),
    forms: new Map(),
    layout: natural(shape.length),
  };
}

/** The number of which a constant consists, or `null`. */
export function splatValue(tensor: TracedTensor): number | null {
  return tensor.values?.length === 1 ? tensor.values[0] : null;
}

/** Numbers as the typed array of a dtype. */
export function numbers(dtype: DType, values: ArrayLike<number>): Numbers {
  if (dtype === "float32") return new Float32Array(values);
  return dtype === "int32" ? new Int32Array(values) : new Uint8Array(values);
}

/** The value that holds the extent of `tensor` in a layout; made when first asked for. */
export function form(graph: Graph, tensor: TracedTensor, layout: Layout): Value {
  const known = tensor.forms.get(layout);
  if (known !== undefined) return known;
  const { extent } = tensor;
  let value: Value;
  if (tensor.values) {
    const source = addConstant(graph, tensor.dtype, extent, tensor.values);
    value = transpose(graph, source, extent, axesOf(layout));
  } else {
    const twin = [...tensor.forms].find(([other]) => memoryOrder(extent, other) === memoryOrder(extent, layout));
    if (twin) value = reshape(graph, twin[1], physical(extent, layout));
    else {
      const [from, source] = primary(tensor);
      const axes = axesOf(layout).map((axis) => from.indexOf(String(axis)));
      value = transpose(graph, source, physical(extent, from), axes);
    }
  }
  tensor.forms.set(layout, value);
  return value;
}

/** The same in row-major order, repeated to the full shape. */
export function naturalValue(graph: Graph, tensor: TracedTensor): Value {
  return form(graph, full(graph, tensor), natural(tensor.shape.length));
}

/** Repeats what was broadcast lazily; `tensor` itself where nothing was. */
export function full(graph: Graph, tensor: TracedTensor): TracedTensor {
  const { shape, extent, dtype, values, layout } = tensor;
  if (sameSizes(shape, extent)) return tensor;
  if (values) {
    const strides = extent.map((size, axis) => (size === 1 ? 0 : sizeOf(extent.slice(axis + 1))));
    return { ...tensor, extent: shape, values: repeated(values, shape, strides), forms: new Map() };
  }
  const value = addNode(graph, "Expand", [form(graph, tensor, layout), integers(graph, physical(shape, layout))]);
  return traced(graph, value, shape, { dtype, layout });
}

/** Copies `values` into `shape`, stepping by `strides` (0 where an axis repeats). */
function repeated(values: Numbers, shape: readonly number[], strides: readonly number[]): Numbers {
  const size = sizeOf(shape);
  const result =
    values instanceof Float32Array
      ? new Float32Array(size)
      : values instanceof Int32Array
        ? new Int32Array(size)
        : new Uint8Array(size);
  const index = shape.map(() => 0);
  for (let to = 0; to < result.length; to++) {
    result[to] = values[index.reduce((offset, position, axis) => offset + position * strides[axis], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return result;
}

/** All values of a constant, row-major over its shape. */
export function constantValues(graph: Graph, tensor: TracedTensor): Numbers | null {
  return full(graph, tensor).values;
}

/** Another logical view of the same numbers in row-major order; moving or adding unit axes keeps every layout free. */
export function reshaped(graph: Graph, tensor: TracedTensor, shape: readonly number[]): TracedTensor {
  const { dtype, extent } = tensor;
  if (sizeOf(shape) !== sizeOf(tensor.shape)) {
    throw new TraceError(`cannot reshape [${tensor.shape}] to [${shape}]`);
  }
  const single = splatValue(tensor);
  if (single !== null) return splat(shape, dtype, single);
  if (tensor.values)
    return { ...full(graph, tensor), shape, extent: shape, forms: new Map(), layout: natural(shape.length) };
  if (sameSizes(shape, tensor.shape)) return { ...tensor, forms: new Map(tensor.forms) };
  const before = wideAxes(tensor.shape);
  const after = wideAxes(shape);
  const onlyUnitAxesMove =
    before.length === after.length && before.every((axis, k) => tensor.shape[axis] === shape[after[k]]);
  if (!onlyUnitAxesMove) return traced(graph, reshape(graph, naturalValue(graph, tensor), shape), shape, { dtype });
  const moved = new Map(before.map((axis, k) => [axis, after[k]]));
  const newExtent = shape.map(() => 1);
  for (const [from, to] of moved) newExtent[to] = extent[from];
  const [layout, value] = primary(tensor);
  const axes = axesOf(layout).flatMap((axis) => moved.get(axis) ?? []);
  for (const [axis, size] of shape.entries()) if (size === 1) axes.splice(Math.min(axis, axes.length), 0, axis);
  const newLayout = axes.join("");
  const source = reshape(graph, value, physical(newExtent, newLayout));
  return traced(graph, source, shape, { dtype, layout: newLayout, extent: newExtent });
}

/** A lazily repeated view. */
export function broadcastTo(graph: Graph, tensor: TracedTensor, shape: readonly number[]): TracedTensor {
  const wide = reshaped(graph, tensor, padSizes(tensor.shape, shape.length));
  return { ...wide, shape: [...shape], forms: new Map(wide.forms) };
}

/** @throws TraceError where the shapes do not broadcast. */
export function broadcastSizes(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const [left, right] = [padSizes(a, rank), padSizes(b, rank)];
  return left.map((size, axis) => {
    if (size !== right[axis] && size !== 1 && right[axis] !== 1) {
      throw new TraceError(`shapes [${a}] and [${b}] do not broadcast`);
    }
    return size === 1 ? right[axis] : size;
  });
}

/** Unit axes in front, up to a rank. */
export function padSizes(sizes: readonly number[], rank: number): number[] {
  return [...Array.from({ length: rank - sizes.length }, () => 1), ...sizes];
}

function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Two layouts with the same order of wide axes hold the same bytes. */
function memoryOrder(extent: readonly number[], layout: Layout): string {
  return [...layout].filter((axis) => extent[Number(axis)] > 1).join("");
}

function primary(tensor: TracedTensor): [Layout, Value] {
  const value = tensor.forms.get(tensor.layout);
  if (value === undefined) throw new TraceError(`a traced tensor lost its ${tensor.layout} form`);
  return [tensor.layout, value];
}

function wideAxes(shape: readonly number[]): number[] {
  return shape.flatMap((size, axis) => (size === 1 ? [] : axis));
}
