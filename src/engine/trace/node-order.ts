/** Finds the nodes of a graph that are needed, and an order in which they can run. */

import type { Graph, GraphNode, Value } from "./graph.js";

/** The nodes that `outputs` depend on, in their present order, and every value that they or the outputs read. */
export function neededNodes(graph: Graph, outputs: readonly Value[]): { nodes: GraphNode[]; needed: Set<Value> } {
  const needed = new Set(outputs);
  const nodes: GraphNode[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((output) => needed.has(output))) continue;
    nodes.push(node);
    for (const input of node.inputs) needed.add(input);
  }
  return { nodes: nodes.reverse(), needed };
}

/** In an order in which every node follows what it reads. */
export function sorted(nodes: readonly GraphNode[]): GraphNode[] {
  const producers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const done = new Set<GraphNode>();
  const order: GraphNode[] = [];
  for (const root of nodes) {
    const stack = [root]; // not recursive: graphs are thousands of nodes deep
    for (let node = stack.at(-1); node; node = stack.at(-1)) {
      const waiting = done.has(node)
        ? undefined
        : node.inputs.map((input) => producers.get(input)).find((producer) => producer && !done.has(producer));
      if (waiting) stack.push(waiting);
      else {
        stack.pop();
        if (!done.has(node)) order.push(node);
        done.add(node);
      }
    }
  }
  return order;
}
