/** What the reader of an operator is given of its node. */

import type { OnnxNode } from "../formats/onnx-graph.js";
import type { Features, GraphValue, Numbers } from "./graph-values.js";
import { Refusal } from "./refusal.js";
import type { Table } from "./table.js";

export interface NodeReading {
  readonly node: OnnxNode;
  /** Of the graph: what some operators mean depends on it. */
  readonly opset: number;
  readonly table: Table;
  /** For the row that it becomes. */
  readonly name: string;
  /** `undefined` where the node leaves it out. */
  input(index: number): GraphValue | undefined;
  /** Whether this node alone reads an input, so that the row behind it may be changed. */
  isOnlyReader(index: number): boolean;
}

/** One output, or one for each that the node has. */
export type OperatorReader = (reading: NodeReading) => GraphValue | readonly GraphValue[];

export type OperatorTable = Readonly<Record<string, OperatorReader>>;

/** @throws Refusal where the input is none that depends on the image. */
export function featuresAt(reading: NodeReading, index: number): Features {
  const value = reading.input(index);
  if (value?.kind === "features") return value;
  throw new Refusal(value ? "computes with numbers alone where features are expected" : `lacks its input ${index}`);
}

/** @throws Refusal where the input depends on the image. */
export function numbersAt(reading: NodeReading, index: number, what: string): Numbers {
  const value = reading.input(index);
  if (value?.kind === "numbers") return value;
  throw new Refusal(value ? `computes its ${what} from the image` : `lacks its ${what}`);
}

/** Whole numbers of an attribute or, in later opsets, of an input; `undefined` where neither is there. */
export function listOf(reading: NodeReading, attribute: string, index: number): readonly number[] | undefined {
  const own = reading.node.attributes[attribute];
  if (own) return own.integers.length > 0 || own.integer === undefined ? own.integers : [own.integer];
  return reading.input(index) ? Array.from(numbersAt(reading, index, attribute).data) : undefined;
}

/** A whole number of an attribute. */
export function integerOf({ node }: NodeReading, attribute: string, otherwise: number): number {
  return node.attributes[attribute]?.integer ?? otherwise;
}

export function floatOf({ node }: NodeReading, attribute: string, otherwise: number): number {
  return node.attributes[attribute]?.float ?? otherwise;
}
