/** Kernels that cut tensors, join them, and repeat or mirror what is in them. */

import { backend_util, slice_util, util } from "@tensorflow/tfjs";
import { TraceError } from "../../core/errors.js";
import { sharedLayout } from "./elementwise.js";
import { addConstant, addNode, BEFORE_FIRST, type Graph, integerConstants, mirror, reshape } from "./graph.js";
import type { KernelTable, One } from "./kernel.js";
import { axesOf, blockOf, NCHW, natural, physical } from "./layout.js";
import {
  form,
  full,
  naturalValue,
  numbers,
  plain,
  reshaped,
  splat,
  splatValue,
  type TracedTensor,
  traced,
} from "./traced-tensor.js";

/** Constants have no layout yet, so any will do; other tensors keep theirs. */
function concat(graph: Graph, tensors: readonly TracedTensor[], axis: number): TracedTensor {
  const [first] = tensors;
  const present = tensors.filter((tensor) => tensor.shape[axis] > 0);
  if (present.length === 1) return { ...present[0], forms: new Map(present[0].forms) };
  const shape = [...first.shape];
  shape[axis] = tensors.reduce((sum, tensor) => sum + tensor.shape[axis], 0);
  const shared = sharedLayout(present, shape.length);
  // Blocked features with whole blocks of channels follow each other in memory as their images and channels do.
  const isByBlocks = (axis === 0 || axis === 3) && present.every((tensor) => tensor.shape[3] % blockOf(shared) === 0);
  // A single channel lies the same in every layout: joined as last axis, the result needs no transposition.
  const isOfSingles = axis === 3 && present.every((tensor) => tensor.shape.length === 4 && tensor.shape[3] === 1);
  const layout = isOfSingles ? natural(4) : blockOf(shared) && !isByBlocks ? NCHW : shared;
  const values = present.map((tensor) => form(graph, full(graph, tensor), layout));
  const order = blockOf(layout) ? NCHW : layout;
  const value = addNode(graph, "Concat", values, { axis: order.indexOf(String(axis)) });
  return traced(graph, value, shape, { dtype: first.dtype, layout });
}

/** Axes that are not sliced are left out, and a lazily repeated axis only gets shorter. */
function slice(graph: Graph, given: TracedTensor, begin: readonly number[], size: readonly number[]): TracedTensor {
  const x = plain(graph, given);
  const single = splatValue(x);
  if (single !== null) return splat(size, x.dtype, single);
  const axes = axesOf(x.layout);
  const cut = axes.filter((axis) => x.extent[axis] > 1 && size[axis] !== x.shape[axis]);
  const extent = size.map((length, axis) => (x.extent[axis] === 1 ? 1 : length));
  const source = form(graph, x, x.layout);
  if (cut.length === 0) return traced(graph, source, size, { dtype: x.dtype, layout: x.layout, extent });
  const starts = cut.map((axis) => begin[axis]);
  const ends = cut.map((axis) => begin[axis] + size[axis]);
  const positions = cut.map((axis) => axes.indexOf(axis));
  const value = addNode(graph, "Slice", [
    source,
    ...[starts, ends, positions].map((list) => integerConstants(graph, list)),
  ]);
  return traced(graph, value, size, { dtype: x.dtype, layout: x.layout, extent });
}

interface StridedSliceAttributes {
  readonly begin: number[];
  readonly end: number[];
  readonly strides: number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

function stridedSlice(graph: Graph, { x }: One, given: StridedSliceAttributes): TracedTensor {
  const { finalShape, begin, end, strides } = slice_util.sliceInfo(
    [...x.shape],
    given.begin,
    given.end,
    given.strides,
    given.beginMask,
    given.endMask,
    given.ellipsisMask,
    given.newAxisMask,
    given.shrinkAxisMask,
  );
  const ends = end.map((last, axis) => (strides[axis] < 0 && last < 0 ? BEFORE_FIRST : last));
  const lists = [begin, ends, begin.map((_, axis) => axis), strides].map((list) => integerConstants(graph, list));
  const value = addNode(graph, "Slice", [naturalValue(graph, x), ...lists]);
  return traced(graph, reshape(graph, value, finalShape), finalShape, { dtype: x.dtype });
}

function split(graph: Graph, x: TracedTensor, sizes: readonly number[], axis: number): TracedTensor[] {
  let start = 0;
  return sizes.map((length) => {
    const begin = x.shape.map((_, other) => (other === axis ? start : 0));
    start += length;
    return slice(
      graph,
      x,
      begin,
      x.shape.map((size, other) => (other === axis ? length : size)),
    );
  });
}

function unpack(graph: Graph, value: TracedTensor, axis: number): TracedTensor[] {
  const shape = value.shape.filter((_, other) => other !== axis);
  const sizes = Array.from({ length: value.shape[axis] }, () => 1);
  return split(graph, value, sizes, axis).map((part) => reshaped(graph, part, shape));
}

function pack(graph: Graph, tensors: readonly TracedTensor[], axis: number): TracedTensor {
  const rank = tensors[0].shape.length + 1;
  const place = (axis + rank) % rank;
  const parts = tensors.map((tensor) => {
    const shape = [...tensor.shape];
    shape.splice(place, 0, 1);
    return reshaped(graph, tensor, shape);
  });
  return concat(graph, parts, place);
}

type Paddings = readonly (readonly [number, number])[];

function pad(
  graph: Graph,
  given: TracedTensor,
  paddings: Paddings,
  options: { mode: string; value?: number },
): TracedTensor {
  const x = plain(graph, full(graph, given));
  const shape = x.shape.map((size, axis) => size + paddings[axis][0] + paddings[axis][1]);
  const axes = axesOf(x.layout);
  const amounts = [...axes.map((axis) => paddings[axis][0]), ...axes.map((axis) => paddings[axis][1])];
  const fill = options.value === undefined ? [] : [addConstant(graph, x.dtype, [], numbers(x.dtype, [options.value]))];
  const inputs = [form(graph, x, x.layout), integerConstants(graph, amounts), ...fill];
  return traced(graph, addNode(graph, "Pad", inputs, { mode: options.mode }), shape, {
    dtype: x.dtype,
    layout: x.layout,
  });
}

/** Axes with one value are repeated lazily. */
function tile(graph: Graph, { x }: One, { reps }: { reps: number[] }): TracedTensor {
  const shape = x.shape.map((size, axis) => size * reps[axis]);
  if (reps.every((count, axis) => count === 1 || x.extent[axis] === 1)) return { ...x, shape, forms: new Map(x.forms) };
  const whole = plain(graph, full(graph, x));
  const repeats = integerConstants(graph, physical(reps, whole.layout));
  const value = addNode(graph, "Tile", [form(graph, whole, whole.layout), repeats]);
  return traced(graph, value, shape, { dtype: x.dtype, layout: whole.layout });
}

function reverse(graph: Graph, given: One, { dims }: { dims: number | number[] }): TracedTensor {
  const x = plain(graph, full(graph, given.x));
  const axes = util.parseAxisParam(dims, [...x.shape]);
  if (axes.length === 0) return { ...x, forms: new Map(x.forms) };
  const places = axes.map((axis) => x.layout.indexOf(String(axis)));
  const value = mirror(graph, form(graph, x, x.layout), places);
  return traced(graph, value, x.shape, { dtype: x.dtype, layout: x.layout });
}

/** Channels of a block become its pixels, in TensorFlow's order (ONNX mode DCR). */
function depthToSpace(graph: Graph, { x }: One, attributes: { blockSize: number; dataFormat: string }): TracedTensor {
  const { blockSize, dataFormat } = attributes;
  if (dataFormat !== "NHWC") throw new TraceError("the data format NCHW cannot be recorded. Transpose to NHWC.");
  const [batch, height, width, channels] = x.shape;
  const shape = [batch, height * blockSize, width * blockSize, channels / blockSize ** 2];
  const source = form(graph, full(graph, x), NCHW);
  const value = addNode(graph, "DepthToSpace", [source], { blocksize: blockSize, mode: "DCR" });
  return traced(graph, value, shape, { dtype: x.dtype, layout: NCHW });
}

type Many = Readonly<Record<string, TracedTensor>>;

export const pieceKernels: KernelTable = {
  Concat: (graph: Graph, inputs: Many, { axis }: { axis: number }) => {
    const tensors = Object.values(inputs);
    return concat(graph, tensors, util.parseAxisParam(axis, [...tensors[0].shape])[0]);
  },
  Slice: (graph: Graph, { x }: One, given: { begin: number[]; size: number[] }) => {
    // Only the shape of the tensor is read.
    const [begin, size] = slice_util.parseSliceParams({ shape: [...x.shape] } as never, given.begin, given.size);
    return slice(graph, x, begin, size);
  },
  StridedSlice: stridedSlice,
  SplitV: (graph: Graph, { x }: One, given: { numOrSizeSplits: number | number[]; axis: number }) => {
    const [axis] = util.parseAxisParam(given.axis, [...x.shape]);
    // Only the shape of the tensor is read.
    const sizes = backend_util.prepareSplitSize({ shape: [...x.shape] } as never, given.numOrSizeSplits, axis);
    return split(graph, x, sizes, axis);
  },
  Pack: (graph: Graph, inputs: Many, { axis }: { axis: number }) => pack(graph, Object.values(inputs), axis),
  Unpack: (graph: Graph, { value }: { value: TracedTensor }, { axis }: { axis: number }) =>
    unpack(graph, value, (axis + value.shape.length) % value.shape.length),
  PadV2: (graph: Graph, { x }: One, given: { paddings: Paddings; constantValue: number }) =>
    pad(graph, x, given.paddings, { mode: "constant", value: given.constantValue }),
  MirrorPad: (graph: Graph, { x }: One, given: { paddings: Paddings; mode: "reflect" | "symmetric" }) => {
    if (given.mode === "reflect") return pad(graph, x, given.paddings, { mode: "reflect" });
    // One element mirrored about the edge is the edge repeated, which ONNX has.
    if (given.paddings.flat().every((amount) => amount <= 1)) return pad(graph, x, given.paddings, { mode: "edge" });
    throw new TraceError('the mode "symmetric" cannot be recorded for more than one element. Use "reflect".');
  },
  Tile: tile,
  Reverse: reverse,
  DepthToSpace: depthToSpace,
};
