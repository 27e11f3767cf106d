/**
 * Gradient of a depthwise convolution with respect to its filter: as products of rows of x with rows of dy, of which
 * the pairs that a tap joins are then picked, or as a convolution with dy as the filter.
 */

import { TraceError } from "../../core/errors.js";
import { fromBlocks, inBlocks, wholeBlocks } from "./blocked-filters.js";
import { type ConvAttributes, type ConvGeometry, convGeometry } from "./convolution.js";
import { addConstant, addNode, type Graph, integerConstants, reshape, transpose, type Value } from "./graph.js";
import type { KernelTable } from "./kernel.js";
import { NCHW, natural } from "./layout.js";
import { nchwc } from "./nchwc.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

/** Up to this height and width, multiplying all rows of x with all rows of dy costs less than it saves. */
const SMALL = 32;
/** Rows of a block where images are larger: of the products, a share of `taps / rows` is used. */
const BLOCK_ROWS = [16, 15, 14, 13, 12];

interface Operands {
  /** `[batch, channels, height, width]` in memory. */
  readonly x: Value;
  /** `[batch, channels, outHeight, outWidth]` in memory. */
  readonly dy: Value;
  readonly batch: number;
  readonly channels: number;
  readonly size: readonly [number, number];
  readonly geometry: ConvGeometry;
}

/**
 * ONNX has no such operator, and a convolution with dy as the filter spends most of its time on unfolding x for a 3x3
 * output: matrix products are two to three times faster, although they compute many pairs of rows that no tap joins.
 */
function depthwiseFilterGradient(
  graph: Graph,
  inputs: { x: TracedTensor; dy: TracedTensor },
  { filterShape, ...attributes }: ConvAttributes & { readonly filterShape: number[] },
): TracedTensor {
  const x = full(graph, inputs.x);
  const dy = full(graph, inputs.dy);
  const geometry = convGeometry(x.shape, filterShape, { ...attributes, isDepthwise: true });
  if (Math.max(...geometry.dilations) > 1) {
    throw new TraceError("the gradient of a dilated convolution cannot be recorded. Use dilation 1.");
  }
  const [batch, height, width, channels] = x.shape;
  const multiplier = filterShape[3];
  if (wholeBlocks(graph, channels) && multiplier === 1) {
    return traced(graph, blockedConvolution(graph, { x, dy }, geometry), filterShape);
  }
  const operands: Operands = {
    x: form(graph, x, NCHW),
    dy: form(graph, dy, NCHW),
    batch,
    channels,
    size: [height, width],
    geometry,
  };
  const rows = BLOCK_ROWS.find((count) => height % count === 0);
  let taps: Value; // [channels, multiplier, kernel height, kernel width]
  if (multiplier > 1) taps = byConvolution(graph, operands, multiplier);
  else if (Math.max(height, width) <= SMALL) taps = byRows(graph, operands);
  else if (rows && isSameThreeByThree(operands)) taps = byBlocks(graph, operands, rows);
  else taps = byConvolution(graph, operands, multiplier);
  const shape = [channels, multiplier, ...geometry.kernel];
  return traced(graph, transpose(graph, reshape(graph, taps, shape), shape, [2, 3, 0, 1]), filterShape);
}

function isSameThreeByThree({ geometry }: Operands): boolean {
  const { kernel, strides, before, after } = geometry;
  return Math.max(...strides) === 1 && [...kernel, ...before, ...after].join() === "3,3,1,1,1,1";
}

/** `left` times the transpose of `right`, whose last axes are `[rows, width]`; ONNX Runtime fuses the Transpose. */
function rowProducts(graph: Graph, left: Value, right: Value, rank: number): Value {
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  perm.push(...perm.splice(rank - 2).reverse());
  return addNode(graph, "MatMul", [left, addNode(graph, "Transpose", [right], { perm })]);
}

/**
 * Each row of x, shifted and strided once for each column of the filter, times each row of dy; the row of the filter
 * says which pairs count.
 *
 * @returns `[channels, kernel height * kernel width]`.
 */
function byRows(graph: Graph, { x, dy, batch, channels, size, geometry }: Operands): Value {
  const [height, width] = size;
  const [, outHeight, outWidth] = geometry.outShape;
  const {
    kernel: [taps, columns],
    strides,
    before,
  } = geometry;
  const shifts = new Float32Array(width * columns * outWidth); // [width, columns, outWidth]
  for (let column = 0; column < columns; column++) {
    for (let to = 0; to < outWidth; to++) {
      const from = to * strides[1] + column - before[1];
      if (from >= 0 && from < width) shifts[(from * columns + column) * outWidth + to] = 1;
    }
  }
  // [height, columns, outHeight, taps, columns]
  const pairs = new Float32Array(height * columns * outHeight * taps * columns);
  for (let tap = 0; tap < taps; tap++) {
    for (let to = 0; to < outHeight; to++) {
      const from = to * strides[0] + tap - before[0];
      if (from < 0 || from >= height) continue;
      for (let column = 0; column < columns; column++) {
        pairs[(((from * columns + column) * outHeight + to) * taps + tap) * columns + column] = 1;
      }
    }
  }
  const groups = batch * channels;
  const wide = columns * outWidth;
  const shifted = addNode(graph, "MatMul", [
    reshape(graph, x, [groups * height, width]),
    addConstant(graph, "float32", [width, wide], shifts),
  ]);
  const products = rowProducts(
    graph,
    reshape(graph, shifted, [groups, height * columns, outWidth]),
    reshape(graph, dy, [groups, outHeight, outWidth]),
    3,
  ); // [groups, height * columns, outHeight]
  const pairCount = height * columns * outHeight;
  const picked = addNode(graph, "MatMul", [
    reshape(graph, products, [groups, pairCount]),
    addConstant(graph, "float32", [pairCount, taps * columns], pairs),
  ]);
  return overBatch(graph, reshape(graph, picked, [batch, channels, taps * columns]), [0]);
}

/**
 * Stride 1, 3x3, padded by 1: rows in blocks, so that few products are wasted; what joins the last row of a block and
 * the first of the next is added. A shift by a column is a Pad that also cuts.
 *
 * @returns `[channels, 3, 3]`.
 */
function byBlocks(graph: Graph, { x, dy, batch, channels, size: [height, width] }: Operands, rows: number): Value {
  const groups = batch * channels;
  const blocks = height / rows;
  const blocked = (value: Value) => reshape(graph, value, [groups, blocks, rows, width]);
  const pairs = new Float32Array(rows * rows * 3); // [rows of x, rows of dy, taps]
  for (let to = 0; to < rows; to++) {
    for (let from = Math.max(0, to - 1); from <= Math.min(rows - 1, to + 1); from++) {
      pairs[(from * rows + to) * 3 + from - to + 1] = 1;
    }
  }
  const pick = addConstant(graph, "float32", [rows * rows, 3], pairs);
  /** The first or last row of all blocks but the last or first, `[groups, (blocks - 1) * width]`. */
  const edge = (value: Value, which: "first" | "last") => {
    const start = which === "first" ? [1, 0] : [0, rows - 1];
    const lists = [start, start.map((begin, axis) => begin + [blocks - 1, 1][axis]), [1, 2]];
    const slice = addNode(graph, "Slice", [blocked(value), ...lists.map((list) => integerConstants(graph, list))]);
    return reshape(graph, slice, [groups, blocks - 1, 1, width]);
  };
  const joined = (left: Value, right: Value) => {
    const long = (blocks - 1) * width;
    const dot = addNode(graph, "MatMul", [
      reshape(graph, left, [groups, 1, long]),
      reshape(graph, right, [groups, long, 1]),
    ]);
    return reshape(graph, overBatch(graph, reshape(graph, dot, [batch, channels]), [0]), [channels, 1]);
  };
  const middle = addConstant(graph, "float32", [channels, 1], new Float32Array(channels));
  const columns = [1, 0, -1].map((shift) => {
    const pads = integerConstants(graph, [0, shift, 0, -shift]);
    const flat = reshape(graph, x, [groups * height, width]);
    const shifted = shift === 0 ? x : addNode(graph, "Pad", [flat, pads], { mode: "constant" });
    const products = rowProducts(graph, blocked(shifted), blocked(dy), 4); // [groups, blocks, rows, rows]
    const picked = addNode(graph, "MatMul", [reshape(graph, products, [groups * blocks, rows * rows]), pick]);
    const inside = overBatch(graph, reshape(graph, picked, [batch, channels, blocks, 3]), [0, 2]); // [channels, 3]
    if (blocks === 1) return reshape(graph, inside, [channels, 3, 1]);
    const above = joined(edge(shifted, "last"), edge(dy, "first"));
    const below = joined(edge(shifted, "first"), edge(dy, "last"));
    const across = addNode(graph, "Concat", [above, middle, below], { axis: 1 });
    const sum = addNode(graph, "Add", [inside, across]);
    graph.shapes.set(sum, [channels, 3]);
    return reshape(graph, sum, [channels, 3, 1]);
  });
  return addNode(graph, "Concat", columns, { axis: 2 });
}

/**
 * Each channel of each image is a group of its own: x `[1, batch * channels, H, W]` convolved with dy as the filter,
 * the stride as dilation. With a multiplier, a group has that many filters.
 *
 * @returns `[channels, multiplier, kernel height, kernel width]`.
 */
function byConvolution(graph: Graph, operands: Operands, multiplier: number): Value {
  const { batch, channels, size, geometry } = operands;
  const { outShape, kernel, strides, before } = geometry;
  const [, outHeight, outWidth] = outShape;
  const groups = batch * channels;
  const { after, made } = reachOf(geometry, size);
  const image = reshape(graph, operands.x, [1, groups, ...size]);
  const filter = reshape(graph, operands.dy, [groups * multiplier, 1, outHeight, outWidth]);
  const convolved = addNode(graph, "Conv", [image, filter], {
    kernel_shape: [outHeight, outWidth],
    strides: [1, 1],
    dilations: strides,
    pads: [...before, ...after],
    group: groups,
  });
  const isWhole = made[0] === kernel[0] && made[1] === kernel[1];
  const cut = [[0, 0], kernel, [2, 3]].map((list) => integerConstants(graph, list));
  const taps = isWhole ? convolved : addNode(graph, "Slice", [convolved, ...cut]);
  return overBatch(graph, reshape(graph, taps, [batch, channels, multiplier, ...kernel]), [0]);
}

/**
 * The same in blocks, where the operator is made for many groups and fast: with whole blocks of channels both operands
 * lie in memory as it wants them.
 *
 * @returns `[kernel height, kernel width, channels, 1]`.
 */
function blockedConvolution(
  graph: Graph,
  { x, dy }: { x: TracedTensor; dy: TracedTensor },
  geometry: ConvGeometry,
): Value {
  const { block } = graph;
  const [batch, height, width, narrow] = x.shape;
  const channels = wholeBlocks(graph, narrow);
  const { kernel, strides, before } = geometry;
  const groups = batch * channels;
  const { after, made } = reachOf(geometry, [height, width]);
  const out = geometry.outShape.slice(1, 3);
  const image = reshape(graph, inBlocks(graph, x), [1, groups, height, width]);
  const filter = reshape(graph, inBlocks(graph, dy), [groups, 1, ...out]);
  let taps = nchwc(graph, "Conv", [image, filter], {
    kernel_shape: out,
    strides: [1, 1],
    dilations: strides,
    pads: [...before, ...after],
    group: groups,
  });
  if (made[0] > kernel[0] || made[1] > kernel[1]) {
    const cut = [[0, 0], kernel, [1, 2]].map((list) => integerConstants(graph, list));
    taps = addNode(graph, "Slice", [reshape(graph, taps, [groups / block, ...made, block]), ...cut]);
  }
  const sum = overBatch(graph, reshape(graph, taps, [batch, channels * kernel[0] * kernel[1]]), [0]);
  const filters = fromBlocks(graph, reshape(graph, sum, [1, channels, ...kernel]), [1, ...kernel, narrow]);
  return reshape(graph, form(graph, filters, natural(4)), [...kernel, narrow, 1]);
}

/** Zeros after the last row and column, and how many taps a convolution with dy as the filter gives. */
function reachOf({ outShape, kernel, strides, before }: ConvGeometry, size: readonly number[]) {
  const reach = [0, 1].map((axis) => (outShape[axis + 1] - 1) * strides[axis] + kernel[axis]);
  const after = [0, 1].map((axis) => Math.max(0, reach[axis] - size[axis] - before[axis]));
  // Rows and columns that no window reaches give the gradients of taps that do not exist; they are cut off.
  const made = [0, 1].map((axis) => size[axis] + before[axis] + after[axis] - reach[axis] + kernel[axis]);
  return { after, made };
}

/** Sums over the batch and whatever else is left to sum. */
function overBatch(graph: Graph, value: Value, axes: readonly number[]): Value {
  return addNode(graph, "ReduceSum", [value, integerConstants(graph, axes)], { keepdims: 0 });
}

export const depthwiseFilterGradientKernels: KernelTable = {
  DepthwiseConv2dNativeBackpropFilter: depthwiseFilterGradient,
};
