/** The graph of an ONNX model as plain data: nodes in order, constants, inputs. */

import { LIMITS } from "../../core/limits.js";
import { type Field, fieldsOf, integersOf, textOf } from "../../core/protobuf-fields.js";
import { clip } from "../../core/terminal.js";
import { floatsOf } from "./float-bytes.js";
import { inlineIntegers, inlineTensor, type OnnxTensor, smallNumbers, tensorOf } from "./onnx-tensor.js";

/** Field numbers of onnx.proto (github.com/onnx/onnx). */
export const MODEL = { irVersion: 1, graph: 7, opset: 8 } as const;
export const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12, valueInfo: 13 } as const;
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5, domain: 7 } as const;

export interface OnnxAttribute {
  readonly float?: number;
  readonly integer?: number;
  readonly text?: string;
  readonly tensor?: OnnxTensor;
  readonly integers: readonly number[];
  readonly floats: readonly number[];
}

export interface OnnxNode {
  /** `Conv`; one of another domain with the domain before it. */
  readonly operator: string;
  /** Of the node, or of its first output where it has none. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  /** Initializers and constant nodes, by tensor name; what only renames or converts one is the same constant. */
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Those that a caller gives. A dimension that is open is `undefined`. */
  readonly inputs: readonly { readonly name: string; readonly shape?: readonly (number | undefined)[] }[];
  readonly outputs: readonly string[];
}

/** What is wrong with a graph whose bytes can be read, in a few words, and what helps. */
export class GraphFault extends Error {
  constructor(
    message: string,
    readonly cure = "Fetch or export it again.",
  ) {
    super(message);
  }
}

/** @throws GraphFault where its nodes are not in order, or more than the limit; Error where the bytes are no graph. */
export function graphOf(message: Uint8Array): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const inputs: OnnxGraph["inputs"][number][] = [];
  const outputs: string[] = [];
  for (const { number, value } of fieldsOf(message)) {
    if (number === GRAPH.node) {
      if (nodes.length === LIMITS.onnxNodes)
        throw new GraphFault(
          `has more than ${LIMITS.onnxNodes} nodes, which is the limit`,
          "Export it for a fixed size, with its constants folded.",
        );
      nodes.push(nodeOf(value));
    }
    if (number === GRAPH.input) inputs.push(inputOf(value));
    else if (number === GRAPH.output) outputs.push(inputOf(value).name);
    else if (number === GRAPH.initializer) {
      const tensor = tensorOf(value);
      constants.set(tensor.name, tensor);
    }
  }
  const known = new Set([...inputs.map(({ name }) => name), ...constants.keys(), ""]);
  for (const node of nodes) {
    // ONNX wants this order; without it a walk along the graph might never end.
    const title = `node ${clip(node.name)} (${clip(node.operator)})`;
    const unknown = node.inputs.find((input) => !known.has(input));
    if (unknown !== undefined) throw new GraphFault(`${title} reads ${clip(unknown)}, which nothing before it makes`);
    const again = node.outputs.find((output) => output && known.has(output));
    if (again !== undefined) throw new GraphFault(`${title} makes ${clip(again)}, which is there already`);
    for (const output of node.outputs) known.add(output);
    const constant = constantOf(node, constants);
    if (constant) constants.set(node.outputs[0], constant);
  }
  // Old models list their initializers among the inputs.
  return { nodes, constants, inputs: inputs.filter(({ name }) => !constants.has(name)), outputs };
}

/** Version of the standard operators that a model was written for; `undefined` where it does not say. */
export function opsetOf(fields: readonly Field[]): number | undefined {
  for (const { number, value } of fields) {
    if (number !== MODEL.opset) continue;
    const parts = [...fieldsOf(value)];
    const domain = textOf(parts.find((part) => part.number === 1)?.value ?? new Uint8Array());
    const version = parts.find((part) => part.number === 2);
    if ((domain === "" || domain === "ai.onnx") && version) return integersOf(version.value)[0];
  }
  return undefined;
}

/** Numbers of an input that is a small constant. */
export function constantInput({ constants }: OnnxGraph, node: OnnxNode, index: number): readonly number[] | undefined {
  return smallNumbers(constants.get(node.inputs[index]));
}

function constantOf({ operator, inputs, attributes }: OnnxNode, constants: ReadonlyMap<string, OnnxTensor>) {
  // A conversion of floats changes what is computed only by rounding, and we read every width.
  if (operator === "Identity" || operator === "Cast") return constants.get(inputs[0]);
  if (operator !== "Constant") return undefined;
  const { value, value_float: one, value_floats: many, value_int: whole, value_ints: list } = attributes;
  if (value?.tensor) return value.tensor;
  if (one?.float !== undefined) return inlineTensor([one.float]);
  if (whole?.integer !== undefined) return inlineIntegers([], [whole.integer]);
  if (list) return inlineIntegers([list.integers.length], list.integers);
  return many ? inlineTensor(many.floats) : undefined;
}

/** Reads a `NodeProto`. */
export function nodeOf(message: Uint8Array): OnnxNode {
  const [inputs, outputs]: string[][] = [[], []];
  const attributes: Record<string, OnnxAttribute> = Object.create(null); // a key may be one that objects inherit
  let [name, operator, domain] = ["", "", ""];
  for (const { number, value } of fieldsOf(message)) {
    if (number === NODE.input) inputs.push(textOf(value));
    else if (number === NODE.output) outputs.push(textOf(value));
    else if (number === NODE.name) name = textOf(value);
    else if (number === NODE.operator) operator = textOf(value);
    else if (number === NODE.domain) domain = textOf(value);
    else if (number === NODE.attribute) {
      const [key, attribute] = attributeOf(value);
      attributes[key] = attribute;
    }
  }
  const isStandard = domain === "" || domain === "ai.onnx";
  return {
    operator: isStandard ? operator : `${domain}.${operator}`,
    name: name || outputs[0],
    inputs,
    outputs,
    attributes,
  };
}

function attributeOf(message: Uint8Array): [name: string, attribute: OnnxAttribute] {
  const lists: { readonly integers: (readonly number[])[]; readonly floats: number[][] } = { integers: [], floats: [] };
  let attribute: Omit<OnnxAttribute, "integers" | "floats"> = {};
  let name = "";
  for (const { number, value } of fieldsOf(message)) {
    if (number === 1) name = textOf(value);
    // A writer may leave out a number that is 0, and say its type alone.
    else if (number === TYPE) attribute = { ...zeroOf(integersOf(value)[0]), ...attribute };
    else if (number === 2) attribute = { ...attribute, float: float32s(value)[0] };
    else if (number === 3) attribute = { ...attribute, integer: integersOf(value)[0] };
    else if (number === 4) attribute = { ...attribute, text: textOf(value) };
    else if (number === 5) attribute = { ...attribute, tensor: tensorOf(value) };
    else if (number === 7) lists.floats.push(float32s(value));
    else if (number === 8) lists.integers.push(integersOf(value));
  }
  return [name, { ...attribute, integers: lists.integers.flat(), floats: lists.floats.flat() }];
}

/** Field of an attribute's type. */
const TYPE = 20;

function zeroOf(type: number): Omit<OnnxAttribute, "integers" | "floats"> {
  if (type === 1) return { float: 0 };
  return type === 2 ? { integer: 0 } : {};
}

/** A `ValueInfoProto`: its name, and the shape inside its type. */
function inputOf(message: Uint8Array): OnnxGraph["inputs"][number] {
  const inner = (bytes: Uint8Array | undefined, number: number) =>
    bytes && [...fieldsOf(bytes)].find((field) => field.number === number)?.value;
  const name = textOf(inner(message, 1) ?? new Uint8Array());
  const shape = inner(inner(inner(message, 2), 1), 2);
  if (!shape) return { name };
  const sizes = [...fieldsOf(shape)].filter(({ number }) => number === 1).map(({ value }) => inner(value, 1));
  return { name, shape: sizes.map((size) => size && integersOf(size)[0]) };
}

function float32s(value: Uint8Array): number[] {
  return Array.from(floatsOf(value, "float32"));
}
