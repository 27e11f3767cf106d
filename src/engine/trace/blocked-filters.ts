/** Filters as `nchwc.Conv` wants them, packed in the graph, since in training they change with every step. */

import { addNode, type Graph, integers, reshape, transpose, type Value } from "./graph.js";
import { natural } from "./layout.js";
import { reorderInput } from "./nchwc.js";
import { form, full, type TracedTensor } from "./traced-tensor.js";

/** Lower than any index, so that a slice with step -1 reaches the first element. */
const BEFORE_FIRST = -(2 ** 31);

/**
 * `[height, width, in, out]` packed, or `null` where the channels do not fill blocks (few inputs need not). `ReorderInput`
 * moves it, two to three times as fast as a Transpose: its channels-last form is just what turns `[rows, out]` into
 * `[out / block, rows, block]`.
 *
 * @returns `[out, in, height, width]` in name; in memory `[out / block, in / block, height, width, block (in), block]`,
 *   with few inputs `[out / block, in, height, width, block]`.
 */
export function packedFilter(graph: Graph, filter: TracedTensor): Value | null {
  const { block } = graph;
  const [height, width, inputs, outputs] = filter.shape;
  if (!block || outputs % block > 0 || (inputs % block > 0 && inputs > block)) return null;
  const group = inputs % block === 0 ? block : 1;
  const split = [height, width, inputs / group, group, outputs];
  const rows = transpose(graph, reshape(graph, rowMajor(graph, filter), split), split, [2, 0, 1, 3, 4]);
  const image = reshape(graph, rows, [1, inputs, height * width, outputs]);
  return reshape(graph, reorderInput(graph, image, { channelsLast: true }), [outputs, inputs, height, width]);
}

/**
 * The filter of the convolution that goes back: mirrored, inputs and outputs exchanged. `null` where either do not fill
 * blocks.
 *
 * @returns `[in, out, height, width]` in name; in memory `[in / block, out / block, height, width, block (out), block]`.
 */
export function packedBackwardFilter(graph: Graph, filter: TracedTensor): Value | null {
  const { block } = graph;
  const [height, width, inputs, outputs] = filter.shape;
  if (!block || outputs % block > 0 || inputs % block > 0) return null;
  const split = [height, width, inputs / block, block, outputs / block, block];
  const source = mirrored(graph, rowMajor(graph, filter), [height, width]);
  const rows = transpose(graph, reshape(graph, source, split), split, [2, 3, 4, 0, 1, 5]);
  const images = reshape(graph, rows, [inputs / block, block, height * width * outputs, 1]);
  return reshape(graph, reorderInput(graph, images, { channelsLast: false }), [inputs, outputs, height, width]);
}

/**
 * `[height, width, channels, 1]`, or `null` with a multiplier or where the channels do not fill blocks.
 *
 * @returns `[channels, 1, height, width]` in name; in memory `[channels / block, height, width, block]`.
 */
export function packedDepthwiseFilter(
  graph: Graph,
  filter: TracedTensor,
  { isMirrored = false }: { isMirrored?: boolean } = {},
): Value | null {
  const { block } = graph;
  const [height, width, channels, multiplier] = filter.shape;
  if (!block || multiplier > 1 || channels % block > 0) return null;
  const values = rowMajor(graph, filter);
  const source = isMirrored ? mirrored(graph, values, [height, width]) : values;
  const image = reshape(graph, source, [1, height, width, channels]);
  return reshape(graph, reorderInput(graph, image, { channelsLast: true }), [channels, 1, height, width]);
}

function rowMajor(graph: Graph, filter: TracedTensor): Value {
  return form(graph, full(graph, filter), natural(4));
}

/** Mirrors the first two axes, height and width. */
function mirrored(graph: Graph, value: Value, [height, width]: readonly number[]): Value {
  if (height * width === 1) return value;
  const lists = [
    [-1, -1],
    [BEFORE_FIRST, BEFORE_FIRST],
    [0, 1],
    [-1, -1],
  ];
  return addNode(graph, "Slice", [value, ...lists.map((list) => integers(graph, list))]);
}
