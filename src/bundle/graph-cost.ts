/** What running an exported graph takes: every shape, the memory that is held at once, the computing. */

import { shown } from "../core/message-text.js";
import { type Constant, checkedSize, type Ports, type ReadGraph, type ReadNode } from "./graph-reading.js";
import { type Result, RULES } from "./graph-shapes.js";

export interface GraphCost {
  /** Shapes of the outputs as they come. */
  readonly outputs: Ports;
  /** Most that is held at once, without the constants. */
  readonly bytes: number;
  /** Multiplications, or what takes as long. */
  readonly operations: number;
}

/** Of the widest type, which indices have. */
const MOST_BYTES = 8;
const BYTES = 4;
const WIDE = new Set(["ArgMax", "ArgMin", "TopK"]);

/** @throws Error naming the node, where shapes do not fit, are computed, or something is read that is not there. */
export function costOf({ inputs, outputs, constants, nodes }: ReadGraph): GraphCost {
  const shapes = new Map<string, readonly number[]>(inputs);
  for (const [name, { shape }] of constants) shapes.set(name, shape);
  const lastUse = new Map<string, number>();
  for (const [index, node] of nodes.entries()) for (const input of node.inputs) lastUse.set(input, index);
  for (const name of outputs.keys()) lastUse.set(name, nodes.length);
  const held = new Map<string, number>();
  let [bytes, most, operations] = [0, 0, 0];
  for (const [index, node] of nodes.entries()) {
    const result = resultOf(node, shapes, constants);
    operations += result.operations;
    const size = checkedSize(result.shape) * (WIDE.has(node.operator) ? MOST_BYTES : BYTES);
    for (const output of node.outputs) {
      if (shapes.has(output)) throw new Error(`two nodes give ${shown(output)}`);
      shapes.set(output, result.shape);
      // Of one that shares its input's buffer too: better twice than not at all.
      held.set(output, size);
      bytes += size;
    }
    most = Math.max(most, bytes + BYTES * (result.scratch ?? 0));
    for (const name of [...node.inputs, ...node.outputs]) {
      if ((lastUse.get(name) ?? index) > index) continue;
      bytes -= held.get(name) ?? 0;
      held.delete(name);
    }
  }
  const found = [...outputs.keys()].map((name) => [name, known(shapes, name)] as const);
  return { outputs: new Map(found), bytes: most, operations };
}

function resultOf(node: ReadNode, shapes: Ports, constants: ReadonlyMap<string, Constant>): Result {
  const { operator, inputs, outputs, attributes } = node;
  try {
    const rule = RULES.get(operator);
    if (!rule) throw new Error("is not known");
    const isSplit = operator === "Split";
    const most = isSplit
      ? (attributes.get("num_outputs")?.[0] ?? 0)
      : operator === "MaxPool" || operator === "TopK"
        ? 2
        : 1;
    const least = isSplit ? most : 1;
    if (inputs.length < 1 || outputs.length < Math.max(1, least) || outputs.length > most)
      throw new Error("has other outputs");
    const integers = (input: number) => {
      const found = constants.get(inputs[input] ?? "")?.integers;
      if (found) return found;
      throw new Error("has a shape that is only known when it runs");
    };
    const read = inputs.map((name) => (name === "" ? [] : known(shapes, name)));
    const result = rule({ attributes, shapes: read, integers });
    checkedSize(result.shape);
    if (Number.isFinite(result.operations)) return result;
    throw new Error("has no size");
  } catch (cause) {
    throw new Error(
      `node ${shown(node.name)} (${shown(operator).slice(1, -1)}) ${cause instanceof Error ? cause.message : ""}`,
      { cause },
    );
  }
}

function known(shapes: Ports, name: string): readonly number[] {
  const shape = shapes.get(name);
  if (shape) return shape;
  throw new Error(`nothing gives ${shown(name)}`);
}
