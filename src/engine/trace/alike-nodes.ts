/** Finds nodes that compute the same of the same values with other constants, and whose results are used alike. */

import type { Graph, GraphNode, Value } from "./graph.js";
import { ABSENT } from "./graph.js";

/**
 * Sets of two or more alike nodes, each set after those that it reads. Two nodes are alike where the whole computation
 * that leads to them differs in nothing but the numbers of constants, and so does what follows.
 *
 * @param nodes in an order in which they can run.
 */
export function alikeNodes(graph: Graph, nodes: readonly GraphNode[], outputs: readonly Value[]): GraphNode[][] {
  const isConstant = constantValues(graph, nodes);
  const idOf = interning();
  const before = new Map<GraphNode, number>();
  const came = (value: Value): string => {
    if (value === ABSENT) return "absent";
    if (isConstant.has(value)) return kindOfConstant(graph, value);
    const producer = graph.producers.get(value);
    const id = producer && before.get(producer);
    return producer && id !== undefined ? `${id}.${producer.outputs.indexOf(value)}` : `input ${value}`;
  };
  for (const node of nodes) {
    const { operator, attributes, inputs } = node;
    before.set(node, idOf(`${operator}|${JSON.stringify(attributes)}|${inputs.map(came).join()}`));
  }
  // What follows: which graph outputs are outputs, and the alike consumers, whatever their number of equal ones.
  const isOutput = new Set(outputs);
  const consumers = new Map<Value, Set<GraphNode>>();
  for (const node of nodes) {
    for (const input of node.inputs) consumers.set(input, (consumers.get(input) ?? new Set()).add(node));
  }
  const after = new Map<GraphNode, number>();
  for (const node of [...nodes].reverse()) {
    const uses = node.outputs.map((output) => {
      const ids = [...(consumers.get(output) ?? [])].map((consumer) => after.get(consumer) ?? -1);
      return `${isOutput.has(output)} ${ids.sort((a, b) => a - b).join()}`;
    });
    after.set(node, idOf(`${before.get(node)}|${uses.join(";")}`));
  }
  const sets = new Map<number, GraphNode[]>();
  for (const node of nodes) {
    if (node.inputs.every((input) => isConstant.has(input))) continue;
    const id = after.get(node) ?? -1;
    sets.set(id, [...(sets.get(id) ?? []), node]);
  }
  const position = new Map(nodes.map((node, index) => [node, index]));
  const last = (set: readonly GraphNode[]) => Math.max(...set.map((node) => position.get(node) ?? 0));
  return [...sets.values()].filter((set) => set.length > 1).sort((a, b) => last(a) - last(b));
}

/** Constants, and what is computed from constants alone. */
export function constantValues(graph: Graph, nodes: readonly GraphNode[]): Set<Value> {
  const found = new Set<Value>(graph.constants.keys());
  for (const { inputs, outputs } of nodes) {
    const given = inputs.filter((input) => input !== ABSENT);
    if (given.length > 0 && given.every((input) => found.has(input))) for (const output of outputs) found.add(output);
  }
  return found;
}

/** Shape and type; axes, sizes and places by what they say. */
function kindOfConstant(graph: Graph, value: Value): string {
  const constant = graph.constants.get(value);
  if (constant?.elementType === "int64") return `integers ${constant.shape} ${constant.data.join()}`;
  return `constant ${constant?.elementType ?? ""} ${graph.shapes.get(value) ?? value}`;
}

function interning(): (key: string) => number {
  const ids = new Map<string, number>();
  return (key) => {
    const known = ids.get(key);
    if (known !== undefined) return known;
    ids.set(key, ids.size);
    return ids.size - 1;
  };
}
