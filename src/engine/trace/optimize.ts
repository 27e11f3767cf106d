/**
 * Optimizes a complete graph: removes unused nodes, and turns a channel vector added to a convolution into its bias.
 */

import { addConstant, type Graph, reshape, type Value } from "./graph.js";
import { mergeBranches } from "./merge-branches.js";
import { neededNodes, sorted } from "./node-order.js";
import { fuseBlocked } from "./optimize-blocked.js";

/** Keeps what `outputs` need, in an order in which every node follows its inputs. */
export function optimize(graph: Graph, outputs: readonly Value[]): void {
  fuseBiases(graph, outputs);
  if (graph.block) fuseBlocked(graph, outputs);
  mergeBranches(graph, outputs);
  graph.nodes = sorted(graph.nodes);
  prune(graph, outputs);
}

/** Drops nodes and constants that nothing needs; nothing may be recorded afterwards. Expects nodes in order. */
function prune(graph: Graph, outputs: readonly Value[]): void {
  const { nodes, needed } = neededNodes(graph, outputs);
  graph.nodes = nodes;
  for (const name of graph.constants.keys()) if (!needed.has(name)) graph.constants.delete(name);
}

/** Comes before pruning: a bias may be found in a node or constant that nothing else needs. */
function fuseBiases(graph: Graph, outputs: readonly Value[]): void {
  const { nodes } = neededNodes(graph, outputs);
  const uses = new Map<Value, number>();
  for (const value of [...outputs, ...nodes.flatMap((node) => node.inputs)]) {
    uses.set(value, (uses.get(value) ?? 0) + 1);
  }
  for (const add of nodes) {
    if (add.operator !== "Add") continue;
    for (const [sum, vector] of [add.inputs, [...add.inputs].reverse()]) {
      const convolution = graph.producers.get(sum);
      const bias = channelVector(graph, vector);
      if (convolution?.operator !== "Conv" || convolution.inputs.length !== 2 || uses.get(sum) !== 1 || !bias) continue;
      if (graph.shapes.get(sum)?.[1] !== graph.shapes.get(bias)?.[0]) continue; // the sum repeats a single channel
      convolution.inputs.push(bias);
      convolution.outputs = add.outputs;
      graph.producers.set(add.outputs[0], convolution);
      add.outputs = [];
      break;
    }
  }
}

/** The `[channels]` vector that a value of shape `[1, channels, 1, 1]` was made from, or `null`. */
function channelVector(graph: Graph, value: Value): Value | null {
  const shape = graph.shapes.get(value);
  if (shape?.length !== 4 || shape[0] !== 1 || shape[2] !== 1 || shape[3] !== 1) return null;
  const constant = graph.constants.get(value);
  if (constant) return addConstant(graph, constant.elementType, [shape[1]], constant.data);
  return graph.producers.get(value)?.operator === "Reshape" ? reshape(graph, value, [shape[1]]) : null;
}
