/** What operators on constants share: their inputs, and numbers that fill their shape. */

import { sizeOf } from "../../core/nd-array.js";
import type { OnnxNode } from "../formats/onnx-graph.js";
import type { Numbers } from "./graph-values.js";
import { Refusal } from "./refusal.js";

/** Computes a node of constants. */
export type Fold = (node: OnnxNode, inputs: readonly (Numbers | undefined)[]) => Numbers;

export function given(inputs: readonly (Numbers | undefined)[], index: number): Numbers {
  const found = inputs[index];
  if (found) return found;
  throw new Refusal(`lacks its input ${index}`);
}

export function numbers(shape: readonly number[], data: ArrayLike<number>): Numbers {
  if (data.length !== sizeOf(shape))
    throw new Refusal(`has ${data.length} numbers for a shape of ${shape.join(" x ")}`);
  return { kind: "numbers", shape, data };
}

/** Numbers that one node may make of fewer ones, as by repeating them. */
const MOST_NUMBERS = 30_000_000;

/** @throws Refusal where a shape is none, or holds more numbers than are computed: before they are. */
export function checkedShape(shape: readonly number[]): readonly number[] {
  if (shape.every((size) => Number.isSafeInteger(size) && size >= 0) && sizeOf(shape) <= MOST_NUMBERS) return shape;
  throw new Refusal(`makes ${shape.join(" x ")} constants`);
}

/** An attribute or, in later opsets, the second input. */
export function axesOf(
  { attributes }: OnnxNode,
  inputs: readonly (Numbers | undefined)[],
): readonly number[] | undefined {
  return attributes.axes?.integers ?? (inputs[1] && Array.from(inputs[1].data));
}
