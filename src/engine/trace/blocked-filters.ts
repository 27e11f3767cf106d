/**
 * Filters and features in the form that `nchwc.Conv` needs. Filters are packed in the graph, since in training they
 * change with every step. Channels that do not fill their last block are padded with zeros for the convolution, and cut
 * off after it.
 */

import { addNode, type Graph, integerConstants, mirror, padConstant, reshape, transpose, type Value } from "./graph.js";
import { blockedLayout, NCHW, natural } from "./layout.js";
import { reorderInput, reorderOutput } from "./nchwc.js";
import { form, full, type TracedTensor, traced } from "./traced-tensor.js";

/**
 * Number of channels rounded up to whole blocks; 0 if too many would be padding, or ONNX Runtime cannot pad (the number
 * is not a multiple of 4).
 */
export function wholeBlocks({ block }: Graph, channels: number): number {
  return block > 0 && channels >= block / 2 && channels % 4 === 0 ? Math.ceil(channels / block) * block : 0;
}

/** Features in whole blocks of channels. */
export function inBlocks(graph: Graph, tensor: TracedTensor): Value {
  const features = full(graph, tensor);
  const { shape, layout } = features;
  if (shape[3] % graph.block === 0) return form(graph, features, blockedLayout(graph.block));
  const channelsLast = layout === natural(4);
  const value = reorderInput(graph, form(graph, features, channelsLast ? layout : NCHW), { channelsLast });
  graph.shapes.set(value, [shape[0], wholeBlocks(graph, shape[3]), shape[1], shape[2]]);
  return value;
}

/** What a convolution gave in whole blocks, as features of the shape that they should have. */
export function fromBlocks(graph: Graph, value: Value, shape: readonly number[]): TracedTensor {
  const channels = shape[3];
  if (channels % graph.block === 0) return traced(graph, value, shape, { layout: blockedLayout(graph.block) });
  graph.shapes.set(value, [shape[0], wholeBlocks(graph, channels), shape[1], shape[2]]);
  return traced(graph, reorderOutput(graph, value, { channels, channelsLast: false }), shape, { layout: NCHW });
}

/** Zeros after the values of a row-major array, up to other sizes. The runtime would pad a constant in every run. */
export function padded(graph: Graph, value: Value, sizes: readonly number[], to: readonly number[]): Value {
  if (to.every((size, axis) => size === sizes[axis])) return value;
  const constant = graph.constants.get(value);
  if (constant) return padConstant(graph, value, { ...constant, shape: sizes }, to);
  const amounts = [...sizes.map(() => 0), ...sizes.map((size, axis) => to[axis] - size)];
  return addNode(graph, "Pad", [value, integerConstants(graph, amounts)], { mode: "constant" });
}

/**
 * `[height, width, in, out]` packed, or `null` where the channels are too few. `ReorderInput` moves it, two to three
 * times as fast as a Transpose: its channels-last form is just what turns `[rows, out]` into
 * `[out / block, rows, block]`.
 *
 * @returns `[out, in, height, width]` in name; in memory `[out / block, in / block, height, width, block (in), block]`.
 *   Fewer inputs than a block are read as they are, NCHW: `[out / block, in, height, width, block]`.
 */
export function packedFilter(graph: Graph, filter: TracedTensor): Value | null {
  const { block } = graph;
  const [height, width, inputs, outputs] = filter.shape;
  const wideOutputs = wholeBlocks(graph, outputs);
  const isNarrow = inputs < block;
  const wideInputs = isNarrow ? inputs : wholeBlocks(graph, inputs);
  if (!wideOutputs || !wideInputs) return null;
  const sizes = [height, width, wideInputs, wideOutputs];
  const group = isNarrow ? 1 : block;
  const split = [height, width, wideInputs / group, group, wideOutputs];
  const whole = padded(graph, rowMajor(graph, filter), filter.shape, sizes);
  const rows = transpose(graph, reshape(graph, whole, split), split, [2, 0, 1, 3, 4]);
  const image = reshape(graph, rows, [1, wideInputs, height * width, wideOutputs]);
  return reshape(graph, reorderInput(graph, image, { channelsLast: true }), [wideOutputs, wideInputs, height, width]);
}

/**
 * The filter of the backward convolution: mirrored, with inputs and outputs exchanged. `null` if either are too few.
 *
 * @returns `[in, out, height, width]` in name; in memory
 *   `[in / block, out / block, height, width, block (out), block]`.
 */
export function packedBackwardFilter(graph: Graph, filter: TracedTensor): Value | null {
  const { block } = graph;
  const [height, width] = filter.shape;
  const [inputs, outputs] = filter.shape.slice(2).map((channels) => wholeBlocks(graph, channels));
  if (!inputs || !outputs) return null;
  const split = [height, width, inputs / block, block, outputs / block, block];
  const whole = padded(graph, rowMajor(graph, filter), filter.shape, [height, width, inputs, outputs]);
  const source = mirrored(graph, whole, [height, width]);
  const rows = transpose(graph, reshape(graph, source, split), split, [2, 3, 4, 0, 1, 5]);
  const images = reshape(graph, rows, [inputs / block, block, height * width * outputs, 1]);
  return reshape(graph, reorderInput(graph, images, { channelsLast: false }), [inputs, outputs, height, width]);
}

/**
 * `[height, width, channels, 1]`, or `null` with a multiplier or too few channels.
 *
 * @returns `[channels, 1, height, width]` in name; in memory `[channels / block, height, width, block]`.
 */
export function packedDepthwiseFilter(
  graph: Graph,
  filter: TracedTensor,
  { isMirrored = false }: { isMirrored?: boolean } = {},
): Value | null {
  const [height, width, narrow, multiplier] = filter.shape;
  const channels = wholeBlocks(graph, narrow);
  if (!channels || multiplier > 1) return null;
  const values = padded(graph, rowMajor(graph, filter), filter.shape, [height, width, channels, 1]);
  const source = isMirrored ? mirrored(graph, values, [height, width]) : values;
  const image = reshape(graph, source, [1, height, width, channels]);
  return reshape(graph, reorderInput(graph, image, { channelsLast: true }), [channels, 1, height, width]);
}

function rowMajor(graph: Graph, filter: TracedTensor): Value {
  return form(graph, full(graph, filter), natural(4));
}

/** Mirrors the first two axes, height and width. */
function mirrored(graph: Graph, value: Value, [height, width]: readonly number[]): Value {
  return height * width === 1 ? value : mirror(graph, value, [0, 1]);
}
