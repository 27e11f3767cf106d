/**
 * An exported graph as plain data, read as strictly as `onnx-encoding` writes it: whatever else a file could say is
 * refused.
 */

import { LIMITS } from "../core/limits.js";
import { shown } from "../core/message-text.js";
import { isOrtFormat, readPair } from "../core/onnx-check.js";
import { fieldsOf, integersOf, textOf } from "../core/protobuf-fields.js";
import { OPSET_VERSION } from "../engine/trace/onnx-encoding.js";

/** The numbers of an attribute; text and floats change no shape. */
export type ReadAttributes = ReadonlyMap<string, readonly number[]>;

export interface ReadNode {
  readonly name: string;
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadAttributes;
}

export interface Constant {
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Of whole numbers of 64 bits: shapes, axes, sizes. */
  readonly integers?: readonly number[];
}

/** Sizes by name; a size that is not fixed is -1. */
export type Ports = ReadonlyMap<string, readonly number[]>;

export interface ReadGraph {
  readonly inputs: Ports;
  readonly outputs: Ports;
  readonly constants: ReadonlyMap<string, Constant>;
  readonly nodes: readonly ReadNode[];
}

/** Field numbers of onnx.proto (github.com/onnx/onnx). */
const MODEL = { irVersion: 1, producer: 2, graph: 7, opset: 8 };
const GRAPH = { node: 1, name: 2, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, name: 3, operator: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, integer: 3, integers: 8 };
/** A float, text, floats, and which of all it is. */
const ATTRIBUTE_OTHERS: readonly number[] = [2, 4, 7, 20];
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9, external: 13, location: 14 };

/** Bytes a number of the types that are written: float32, int32, int64, bool. */
const WIDTHS: Readonly<Record<number, number>> = { 1: 4, 6: 4, 7: 8, 9: 1 };
const INT64 = 7;
const FLOAT = 1;

/** What `trace` writes. Others could change a shape behind our back (`auto_pad`, `ceil_mode`). */
const ATTRIBUTE_NAMES = new Set([
  "alpha",
  "axis",
  "beta",
  "blocksize",
  "coordinate_transformation_mode",
  "count_include_pad",
  "dilations",
  "exclusive",
  "group",
  "keepdims",
  "kernel_shape",
  "largest",
  "mode",
  "num_outputs",
  "output_padding",
  "pads",
  "perm",
  "reduction",
  "reverse",
  "sorted",
  "strides",
  "to",
]);

/** @throws Error that says what no exported graph has. */
export function readExportedGraph(model: Uint8Array): ReadGraph {
  if (isOrtFormat(model)) throw new Error("it is in ONNX Runtime's own format");
  let graph: Uint8Array | undefined;
  let opset = "";
  for (const { number, value } of fieldsOf(model)) {
    if (number === MODEL.opset) opset += readOpset(value);
    else if (number === MODEL.graph && graph === undefined) graph = value;
    else if (number !== MODEL.irVersion && number !== MODEL.producer) throw new Error(`it has field ${number}`);
  }
  if (graph === undefined) throw new Error("it has no graph");
  if (opset !== `${OPSET_VERSION};`) throw new Error(`it wants operators of version ${opset || "none"}`);
  const inputs = new Map<string, readonly number[]>();
  const outputs = new Map<string, readonly number[]>();
  const constants = new Map<string, Constant>();
  const nodes: ReadNode[] = [];
  let parts = 0;
  for (const { number, value } of fieldsOf(graph)) {
    if (++parts > LIMITS.graphParts) throw new Error(`it has more than ${LIMITS.graphParts} nodes and constants`);
    if (number === GRAPH.node) nodes.push(readNode(value));
    else if (number === GRAPH.initializer) putNew(constants, ...readConstant(value));
    else if (number === GRAPH.input) putNew(inputs, ...readPort(value));
    else if (number === GRAPH.output) putNew(outputs, ...readPort(value));
    else if (number !== GRAPH.name) throw new Error(`its graph has field ${number}`);
  }
  return { inputs, outputs, constants, nodes };
}

/** OperatorSetIdProto of the standard's own domain. */
function readOpset(message: Uint8Array): string {
  let version = "";
  for (const { number, value } of fieldsOf(message)) {
    if (number === 2) version += `${integersOf(value).join()};`;
    else if (value.length > 0) version += `${shown(textOf(value))} `;
  }
  return version;
}

function readNode(message: Uint8Array): ReadNode {
  const [inputs, outputs]: string[][] = [[], []];
  const attributes = new Map<string, readonly number[]>();
  let [name, operator] = ["", ""];
  for (const { number, value } of fieldsOf(message)) {
    if (number === NODE.input) inputs.push(textOf(value));
    else if (number === NODE.output) outputs.push(textOf(value));
    else if (number === NODE.name) name = textOf(value);
    else if (number === NODE.operator) operator = textOf(value);
    else if (number === NODE.attribute) putNew(attributes, ...readAttribute(value));
    else throw new Error(`node ${shown(name)} has field ${number}`);
  }
  return { name, operator, inputs, outputs, attributes };
}

/** Tensors and graphs in attributes, which could lead to other files, are not among the known fields. */
function readAttribute(message: Uint8Array): [string, readonly number[]] {
  const numbers: number[] = [];
  let name = "";
  for (const { number, value } of fieldsOf(message)) {
    if (number === ATTRIBUTE.name) name = textOf(value);
    else if (number === ATTRIBUTE.integer || number === ATTRIBUTE.integers) numbers.push(...integersOf(value));
    else if (!ATTRIBUTE_OTHERS.includes(number)) throw new Error(`an attribute, ${shown(name)}, has field ${number}`);
  }
  if (!ATTRIBUTE_NAMES.has(name)) throw new Error(`a node has the attribute ${shown(name)}`);
  return [name, numbers];
}

function readConstant(message: Uint8Array): [string, Constant] {
  const shape: number[] = [];
  const external = new Map<string, string>();
  let [name, type, raw]: [string, number, Uint8Array | undefined] = ["", 0, undefined];
  for (const { number, value } of fieldsOf(message)) {
    if (number === TENSOR.dims) shape.push(...integersOf(value));
    else if (number === TENSOR.type) type = integersOf(value).at(-1) ?? 0;
    else if (number === TENSOR.name) name = textOf(value);
    else if (number === TENSOR.raw) raw = value;
    else if (number === TENSOR.external) putNew(external, ...readPair(value));
    else if (number !== TENSOR.location) throw new Error(`constant ${shown(name)} has field ${number}`);
  }
  const bytes = raw?.length ?? Number(external.get("length") ?? Number.NaN);
  const needed = checkedSize(shape) * (WIDTHS[type] ?? Number.NaN);
  if (bytes !== needed || (raw && external.size > 0))
    throw new Error(`constant ${shown(name)} has ${bytes} bytes, its shape needs ${needed}`);
  const whole = type === INT64 && raw ? { integers: int64s(raw) } : {};
  return [name, { shape, bytes, ...whole }];
}

/** A `ValueInfoProto` of float32: name 1, type 2 (tensor_type 1 (elem_type 1, shape 2 (dim 1 (dim_value 1)))). */
function readPort(message: Uint8Array): [string, readonly number[]] {
  const name = fieldsNumbered(message, 1).map(textOf).at(-1) ?? "";
  const tensors = fieldsNumbered(message, 2).flatMap((type) => fieldsNumbered(type, 1));
  const [type] = tensors.flatMap((tensor) => fieldsNumbered(tensor, 1).flatMap(integersOf));
  if (tensors.length !== 1 || type !== FLOAT) throw new Error(`${shown(name)} is no array of float32`);
  const sizes = fieldsNumbered(tensors[0], 2).flatMap((shape) => fieldsNumbered(shape, 1));
  return [name, sizes.map((dimension) => fieldsNumbered(dimension, 1).flatMap(integersOf).at(-1) ?? -1)];
}

/** @throws Error where a size is no whole number, or the product is not. */
export function checkedSize(shape: readonly number[]): number {
  const size = shape.reduce((product, length) => product * length, 1);
  if (shape.every((length) => Number.isSafeInteger(length) && length >= 0) && Number.isSafeInteger(size)) return size;
  throw new Error(`the shape [${shape.slice(0, 8).join(", ")}] is none`);
}

function fieldsNumbered(message: Uint8Array, wanted: number): Uint8Array[] {
  return [...fieldsOf(message)].flatMap(({ number, value }) => (number === wanted ? [value] : []));
}

function putNew<Value>(map: Map<string, Value>, name: string, value: Value): void {
  if (map.has(name)) throw new Error(`${shown(name)} stands twice`);
  map.set(name, value);
}

function int64s(raw: Uint8Array): number[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.length >> 3 }, (_, index) => Number(view.getBigInt64(index * 8, true)));
}
