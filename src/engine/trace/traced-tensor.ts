/**
 * A tensor while tracing: its logical shape, its lazily broadcast extent, and its forms in different memory layouts.
 */

import { TraceError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { addConstant, addNode, type Graph, integerConstants, reshape, transpose, type Value } from "./graph.js";
import { axesOf, blockOf, type Layout, memoryOrder, NCHW, natural, physical } from "./layout.js";
import { reorderInput, reorderOutput } from "./nchwc.js";

export type DType = "float32" | "int32" | "bool";
export type Numbers = Float32Array | Int32Array | Uint8Array;

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

/** The single number that a constant repeats, or `null`. */
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
  const equal = [...tensor.forms].find(([other]) => memoryOrder(extent, other) === memoryOrder(extent, layout));
  const value = tensor.values
    ? constantForm(graph, tensor, tensor.values, layout)
    : equal
      ? reshape(graph, equal[1], physical(extent, layout))
      : rearranged(graph, tensor, layout);
  if (!graph.shapes.has(value)) graph.shapes.set(value, physical(extent, layout));
  tensor.forms.set(layout, value);
  return value;
}

function constantForm(graph: Graph, { extent, dtype }: TracedTensor, values: Numbers, layout: Layout): Value {
  const source = addConstant(graph, dtype, extent, values);
  const block = blockOf(layout);
  if (!block || extent[3] === 1) return transpose(graph, source, extent, axesOf(block ? NCHW : layout));
  const [batch, height, width, channels] = extent;
  const split = [batch, height, width, channels / block, block];
  const inBlocks = transpose(graph, reshape(graph, source, split), split, [0, 3, 1, 2, 4]);
  return reshape(graph, inBlocks, physical(extent, layout));
}

/** Changes the layout of a value, by one node if possible. */
function rearranged(graph: Graph, tensor: TracedTensor, layout: Layout): Value {
  const { extent, dtype } = tensor;
  const block = blockOf(layout) || blockOf(tensor.layout);
  if (blockOf(layout)) {
    if (extent[3] === 1) return form(graph, tensor, NCHW);
    if (dtype !== "float32")
      return splitTranspose(graph, form(graph, tensor, NCHW), extent, { block, isInverse: false });
    const from = tensor.layout === natural(4) ? tensor.layout : NCHW;
    return reorderInput(graph, form(graph, tensor, from), { channelsLast: from === natural(4) });
  }
  const plain = [...tensor.forms].find(([other]) => !blockOf(other));
  if (!plain && (layout === NCHW || layout === natural(4))) {
    const [, value] = primary(tensor);
    if (dtype !== "float32" && layout === NCHW) return splitTranspose(graph, value, extent, { block, isInverse: true });
    if (dtype === "float32")
      return reorderOutput(graph, value, { channels: extent[3], channelsLast: layout === natural(4) });
  }
  const [from, source] = plain ?? [NCHW, form(graph, tensor, NCHW)];
  const axes = axesOf(layout).map((axis) => from.indexOf(String(axis)));
  return transpose(graph, source, physical(extent, from), axes);
}

/** Between NCHW and blocks for numbers that are not float32, which ONNX Runtime's own operators do not move. */
function splitTranspose(
  graph: Graph,
  value: Value,
  extent: readonly number[],
  { block, isInverse }: { block: number; isInverse: boolean },
): Value {
  const [batch, height, width, channels] = extent;
  const split = [batch, channels / block, block, height, width];
  const blocked = [batch, channels / block, height, width, block];
  const moved = isInverse
    ? transpose(graph, reshape(graph, value, blocked), blocked, [0, 1, 4, 2, 3])
    : transpose(graph, reshape(graph, value, split), split, [0, 1, 3, 4, 2]);
  return reshape(graph, moved, physical(extent, NCHW));
}

/** The same tensor in a layout that is an order of its axes, for kernels that look at single axes. */
export function plain(graph: Graph, tensor: TracedTensor): TracedTensor {
  if (!blockOf(tensor.layout)) return tensor;
  form(graph, tensor, NCHW);
  const forms = new Map([...tensor.forms].filter(([layout]) => !blockOf(layout)));
  return { ...tensor, forms, layout: NCHW };
}

/** The same in row-major order, repeated to the full shape. */
export function naturalValue(graph: Graph, tensor: TracedTensor): Value {
  return form(graph, full(graph, tensor), natural(tensor.shape.length));
}

/** Repeats what was broadcast lazily; `tensor` itself where nothing was. */
export function full(graph: Graph, tensor: TracedTensor): TracedTensor {
  const { shape, extent, dtype, values } = tensor;
  if (sameSizes(shape, extent)) return tensor;
  if (values) {
    const strides = extent.map((size, axis) => (size === 1 ? 0 : sizeOf(extent.slice(axis + 1))));
    return { ...tensor, extent: shape, values: repeated(values, shape, strides), forms: new Map() };
  }
  const short = plain(graph, tensor);
  const { layout } = short;
  const value = addNode(graph, "Expand", [
    form(graph, short, layout),
    integerConstants(graph, physical(shape, layout)),
  ]);
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
export function reshaped(graph: Graph, given: TracedTensor, shape: readonly number[]): TracedTensor {
  if (sameSizes(shape, given.shape)) return { ...given, forms: new Map(given.forms) };
  const tensor = plain(graph, given);
  const { dtype, extent } = tensor;
  if (sizeOf(shape) !== sizeOf(tensor.shape)) {
    throw new TraceError(`cannot reshape [${tensor.shape}] to [${shape}]`);
  }
  const single = splatValue(tensor);
  if (single !== null) return splat(shape, dtype, single);
  if (tensor.values)
    return { ...full(graph, tensor), shape, extent: shape, forms: new Map(), layout: natural(shape.length) };
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

export function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

function primary(tensor: TracedTensor): [Layout, Value] {
  const value = tensor.forms.get(tensor.layout);
  if (value === undefined) throw new TraceError(`a traced tensor lost its ${tensor.layout} form`);
  return [tensor.layout, value];
}

function wideAxes(shape: readonly number[]): number[] {
  return shape.flatMap((size, axis) => (size === 1 ? [] : axis));
}
