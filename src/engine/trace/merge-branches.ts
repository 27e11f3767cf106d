/**
 * Computes alike branches side by side: of several heads that read the same features with weights of their own, each
 * operation becomes one over all of them. At small sizes a graph's time is that of starting its nodes, so a further
 * head then costs little more than its arithmetic.
 *
 * This is superword-level parallelism (Larsen and Amarasinghe 2000, doi:10.1145/349299.349320) with convolutions as
 * seeds: their filters are joined, and those of what follows become the groups of one convolution. Unlike compilers,
 * which pack neighbouring loads of equal width, it compares whole computations, as `vmap` of JAX would batch them.
 */

import { sizeOf } from "../../core/nd-array.js";
import { alikeNodes, constantValues } from "./alike-nodes.js";
import { addNodes, type Graph, type GraphNode, integerConstants, reshape, type Value } from "./graph.js";
import { neededNodes, sorted } from "./node-order.js";
import { isSeed, type Operand, type SideBySide, sideBySide } from "./side-by-side.js";

/** What replaces a set of alike nodes. */
interface Merged extends SideBySide {
  readonly nodes: readonly GraphNode[];
  /** One value a branch, in the order in which they lie side by side. */
  readonly values: readonly Value[];
}

/** Replaces the nodes of alike branches. */
export function mergeBranches(graph: Graph, outputs: readonly Value[]): void {
  graph.nodes = sorted(graph.nodes);
  const { nodes } = neededNodes(graph, outputs);
  const isConstant = constantValues(graph, nodes);
  /** Of a value of one branch: what it became a part of, and which part. */
  const placeOf = new Map<Value, { merged: Merged; branch: number }>();
  const all: Merged[] = [];
  for (const set of alikeNodes(graph, nodes, outputs)) {
    if (set[0].outputs.length !== 1) continue;
    const ordered = inOrder(set, placeOf);
    const operands = ordered && operandsOf(graph, ordered, { placeOf, isConstant });
    if (!ordered || !operands) continue;
    if (operands.every(({ kind }) => kind !== "merged") && !isSeed(graph, ordered[0], operands)) continue;
    graph.operation = ordered[0].operation;
    const result = sideBySide(graph, ordered[0], operands, ordered.length);
    if (!result) continue;
    const merged = { ...result, nodes: ordered, values: ordered.map(({ outputs }) => outputs[0]) };
    for (const [branch, value] of merged.values.entries()) placeOf.set(value, { merged, branch });
    all.push(merged);
  }
  replace(graph, all, outputs);
}

/** The nodes of a set in the order in which what they read lies side by side; as they are where they read no such. */
function inOrder(
  set: readonly GraphNode[],
  placeOf: ReadonlyMap<Value, { merged: Merged; branch: number }>,
): readonly GraphNode[] | null {
  const input = set[0].inputs.findIndex((value) => placeOf.has(value));
  if (input < 0) return set;
  const merged = placeOf.get(set[0].inputs[input])?.merged;
  const ordered: GraphNode[] = [];
  for (const node of set) {
    const place = placeOf.get(node.inputs[input]);
    if (!place || place.merged !== merged || ordered[place.branch]) return null;
    ordered[place.branch] = node;
  }
  return ordered.length === set.length && merged?.values.length === set.length ? ordered : null;
}

/** What the nodes read at each place, or `null` where it is not alike. */
function operandsOf(
  graph: Graph,
  nodes: readonly GraphNode[],
  {
    placeOf,
    isConstant,
  }: { placeOf: ReadonlyMap<Value, { merged: Merged; branch: number }>; isConstant: ReadonlySet<Value> },
): Operand<Merged>[] | null {
  const operands: Operand<Merged>[] = [];
  for (const [input, first] of nodes[0].inputs.entries()) {
    const values = nodes.map((node) => node.inputs[input]);
    const merged = placeOf.get(first)?.merged;
    if (values.every((value) => value === first || areEqual(graph, value, first)))
      operands.push({ kind: "shared", value: first });
    else if (values.every((value) => isConstant.has(value) && graph.shapes.has(value)))
      operands.push({ kind: "constants", values });
    else if (merged && values.every((value, branch) => isPlace(placeOf.get(value), merged, branch)))
      operands.push({ kind: "merged", of: merged });
    else return null;
  }
  return operands;
}

/** Whether two constants hold the same. */
function areEqual(graph: Graph, a: Value, b: Value): boolean {
  const [one, other] = [graph.constants.get(a)?.data, graph.constants.get(b)?.data];
  return one !== undefined && one.length === other?.length && one.every((number, index) => number === other[index]);
}

function isPlace(place: { merged: Merged; branch: number } | undefined, merged: Merged, branch: number): boolean {
  return place?.merged === merged && place.branch === branch;
}

/** The nodes of the branches go; what else reads one of their values gets it from a Split. */
function replace(graph: Graph, all: readonly Merged[], outputs: readonly Value[]): void {
  const gone = new Set(all.flatMap(({ nodes }) => nodes));
  graph.nodes = graph.nodes.filter((node) => !gone.has(node));
  for (const node of graph.nodes) if (node.operator === "Concat") withoutJoining(graph, node, all);
  const used = new Set([...outputs, ...graph.nodes.flatMap(({ inputs }) => inputs)]);
  for (const merged of all) if (merged.values.some((value) => used.has(value))) split(graph, merged);
}

function split(graph: Graph, { value, values, shape, outer, nodes }: Merged): void {
  const operation = nodes[0].operation;
  const add = (node: Omit<GraphNode, "operation">) => {
    graph.nodes.push({ ...node, operation });
    for (const output of node.outputs) graph.producers.set(output, graph.nodes[graph.nodes.length - 1]);
  };
  const axis = outer === 1 ? 0 : 1;
  const attributes = { axis, num_outputs: values.length };
  const before = shape.slice(0, axis);
  if (sizeOf(before) === outer) {
    const [first = 1, ...rest] = shape.slice(axis);
    const wide = reshape(graph, value, [...before, values.length * first, ...rest]);
    add({ operator: "Split", inputs: [wide], attributes, outputs: [...values] });
    return;
  }
  // The branches lie within the first axis.
  const rows = reshape(graph, value, [outer, (values.length * sizeOf(shape)) / outer]);
  const parts = addNodes(graph, "Split", [rows], attributes, values.length);
  for (const [branch, part] of parts.entries())
    add({
      operator: "Reshape",
      inputs: [part, integerConstants(graph, shape)],
      attributes: {},
      outputs: [values[branch]],
    });
}

/** Values that lie side by side already need not be joined. */
function withoutJoining(graph: Graph, node: GraphNode, all: readonly Merged[]): void {
  const found = all.find(
    ({ values }) =>
      values.length === node.inputs.length && values.every((value, index) => value === node.inputs[index]),
  );
  const axis = Number(node.attributes.axis);
  if (!found || sizeOf(found.shape.slice(0, axis)) !== found.outer) return;
  const shape = found.shape.map((size, index) => (index === axis ? size * found.values.length : size));
  Object.assign(node, { operator: "Identity", inputs: [reshape(graph, found.value, shape)], attributes: {} });
}
