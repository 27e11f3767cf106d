/**
 * Features and filters in blocks of channels, NCHWc, as ONNX Runtime's own operators compute convolutions. The
 * runtime's optimizer makes the same of a graph whose weights are constants; where weights are inputs, as in training,
 * it does not, so its operators are recorded here.
 *
 * They are specific to one version of the runtime and one processor, so such a graph is made in each process and never
 * saved.
 */

import {
  type Attributes,
  addConstant,
  addNode,
  type Graph,
  type GraphNode,
  reshape,
  transpose,
  type Value,
} from "./graph.js";
import { NCHWC } from "./onnx-encoding.js";

/** Records an operator of the domain `com.microsoft.nchwc`. */
export function nchwc(graph: Graph, operator: string, inputs: readonly Value[], attributes: Attributes): Value {
  return addNode(graph, NCHWC + operator, inputs, attributes);
}

/**
 * NCHW (or NHWC, `channelsLast`) to blocks; the value is declared as NCHW. A constant in whole blocks is reordered
 * immediately.
 */
export function reorderInput(graph: Graph, value: Value, { channelsLast }: { channelsLast: boolean }): Value {
  const shape = graph.constants.get(value)?.shape;
  const channels = shape?.[channelsLast ? 3 : 1] ?? 0;
  if (shape && channels % graph.block === 0) {
    const blocks = [channels / graph.block, graph.block];
    const [split, axes] = channelsLast
      ? [
          [...shape.slice(0, 3), ...blocks],
          [0, 3, 1, 2, 4],
        ]
      : [
          [shape[0], ...blocks, ...shape.slice(2)],
          [0, 1, 3, 4, 2],
        ];
    return transpose(graph, reshape(graph, value, split), split, axes);
  }
  return nchwc(graph, "ReorderInput", [value], { channels_last: Number(channelsLast) });
}

/** Blocks to NCHW (or NHWC). */
export function reorderOutput(
  graph: Graph,
  value: Value,
  { channels, channelsLast }: { channels: number; channelsLast: boolean },
): Value {
  return nchwc(graph, "ReorderOutput", [value], { channels, channels_last: Number(channelsLast) });
}

/** Stands for `features + shift` until `optimize` has fused it, or made it a convolution. */
export const SHIFT_CHANNELS = `${NCHWC}ShiftChannels`;

/** A number a channel times the features, as a 1x1 depthwise convolution: one threaded pass. */
export function scaleChannels(graph: Graph, features: Value, scale: Value): Value {
  const { inputs, attributes } = scaling(graph, features, scale);
  return withShape(graph, nchwc(graph, "Conv", inputs, attributes), graph.shapes.get(features));
}

/** `|features - centre|`, in one pass. */
export function distance(graph: Graph, features: Value, centre: number): Value {
  const channels = graph.shapes.get(features)?.[1] ?? 0;
  const filled = (value: number) => addConstant(graph, "float32", [channels], new Float32Array(channels).fill(value));
  const { inputs, attributes } = scaling(graph, features, filled(1));
  const absolute = { activation: "LeakyRelu", activation_params: { floats: [-1] } };
  return nchwc(graph, "Conv", [...inputs, filled(-centre)], { ...attributes, ...absolute });
}

/** A number a channel added to the features. */
export function shiftChannels(graph: Graph, features: Value, shift: Value): Value {
  return withShape(graph, addNode(graph, SHIFT_CHANNELS, [features, shift]), graph.shapes.get(features));
}

/** What `scaleChannels` records. */
export function scaling(graph: Graph, features: Value, scale: Value): Pick<GraphNode, "inputs" | "attributes"> {
  const channels = graph.shapes.get(features)?.[1] ?? 0;
  const attributes = { kernel_shape: [1, 1], strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], group: channels };
  return { inputs: [features, reshape(graph, scale, [channels, 1, 1, 1])], attributes };
}

function withShape(graph: Graph, value: Value, shape: readonly number[] | undefined): Value {
  if (shape) graph.shapes.set(value, shape);
  return value;
}
