/**
 * Fuses into a blocked convolution what follows it: a shift of its channels, a sum with other features, an activation.
 */

import { ABSENT, type Attributes, addConstant, type Graph, type GraphNode, haveOneShape, type Value } from "./graph.js";
import { SHIFT_CHANNELS, scaling } from "./nchwc.js";
import { neededNodes, sorted } from "./node-order.js";
import { NCHWC } from "./onnx-encoding.js";

const CONV = `${NCHWC}Conv`;
const BIAS = 2;
const SUM = 3;

/** Leaves no `SHIFT_CHANNELS`: those that follow no convolution become one. */
export function fuseBlocked(graph: Graph, outputs: readonly Value[]): void {
  graph.nodes = sorted(graph.nodes);
  const { nodes } = neededNodes(graph, outputs);
  const uses = new Map<Value, number>();
  for (const value of [...outputs, ...nodes.flatMap((node) => node.inputs)]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  /** The convolution that computes a value for one reader alone, and has no activation, which would come last. */
  const convolutionOf = (value: Value) => {
    const node = graph.producers.get(value);
    return node?.operator === CONV && uses.get(value) === 1 && !node.attributes.activation ? node : null;
  };
  const absorb = (convolution: GraphNode, node: GraphNode) => {
    convolution.outputs = node.outputs;
    graph.producers.set(node.outputs[0], convolution);
    node.outputs = [];
  };
  for (const node of nodes) {
    if (node.operator === SHIFT_CHANNELS) {
      const [features, shift] = node.inputs;
      const convolution = convolutionOf(features);
      if (convolution && convolution.inputs.length === BIAS) {
        convolution.inputs.push(shift);
        absorb(convolution, node);
      } else asConvolution(graph, node);
    } else if (node.operator === "Add") {
      const found = node.inputs.findIndex((value, index) => {
        const convolution = convolutionOf(value);
        const other = node.inputs[1 - index];
        return convolution && convolution.inputs.length <= SUM && value !== other && haveOneShape(graph, value, other);
      });
      if (found < 0) continue;
      const convolution = convolutionOf(node.inputs[found]) as GraphNode; // just found
      while (convolution.inputs.length < SUM) convolution.inputs.push(ABSENT);
      convolution.inputs.push(node.inputs[1 - found]);
      absorb(convolution, node);
    } else {
      const activation = activationOf(graph, node);
      const convolution = activation && convolutionOf(node.inputs[0]);
      if (!convolution) continue;
      Object.assign(convolution, { attributes: { ...convolution.attributes, ...activation } });
      absorb(convolution, node);
    }
  }
}

function asConvolution(graph: Graph, node: GraphNode): void {
  const [features, shift] = node.inputs;
  const channels = graph.shapes.get(features)?.[1] ?? 0;
  const ones = addConstant(graph, "float32", [channels], new Float32Array(channels).fill(1));
  const { inputs, attributes } = scaling(graph, features, ones);
  Object.assign(node, { operator: CONV, inputs: [...inputs, shift], attributes });
}

/** Attributes of `nchwc.Conv` that do the same as a node, or `null`. */
function activationOf(graph: Graph, { operator, inputs, attributes }: GraphNode): Attributes | null {
  const parameters = activationParameters(graph, operator, inputs.slice(1), attributes);
  return parameters && { activation: operator, activation_params: { floats: parameters } };
}

function activationParameters(
  graph: Graph,
  operator: string,
  extra: readonly Value[],
  attributes: Attributes,
): readonly number[] | null {
  if (operator === "Relu" || operator === "Sigmoid" || operator === "Tanh") return [];
  if (operator === "LeakyRelu") return [numberOf(attributes.alpha)];
  if (operator !== "Clip" || extra.length < 2) return null;
  const bounds = extra.map((value) => graph.constants.get(value)?.data);
  return bounds.every((data) => data instanceof Float32Array) ? bounds.map((data) => Number(data[0])) : null;
}

function numberOf(attribute: Attributes[string] | undefined): number {
  return typeof attribute === "object" && "float" in attribute ? attribute.float : 0;
}
