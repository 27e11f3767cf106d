/** How a graph becomes an ONNX file: the protobuf fields of onnx.proto (github.com/onnx/onnx, IR version 9). */

import protobuf from "protobufjs/minimal.js";
import type { Attribute, ElementType, Graph, GraphConstant, GraphNode } from "./graph.js";

/** A graph input or output. */
interface EncodedPort {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
}

const IR_VERSION = 9;
export const OPSET_VERSION = 18;
/** Prefix, in a node's operator, of ONNX Runtime's own operators on blocked features. */
export const NCHWC = "nchwc.";
const NCHWC_DOMAIN = "com.microsoft.nchwc";
/** TensorProto.DataType. */
const DATA_TYPES: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** Number of an element type in ONNX, for the attribute `to` of Cast. */
export function dataType(elementType: ElementType): number {
  return DATA_TYPES[elementType];
}

/** @returns a ModelProto, with constants as raw little-endian data. */
export function encodeModel(
  graph: Graph,
  options: { inputs: readonly EncodedPort[]; outputs: readonly EncodedPort[]; name: string },
): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(8).int64(IR_VERSION); // 1: ir_version
  writer.uint32(18).string("aspectlens"); // 2: producer_name
  const opset = writer.uint32(66).fork(); // 8: opset_import
  opset.uint32(10).string("").uint32(16).int64(OPSET_VERSION).ldelim(); // 1: domain, 2: version
  if (graph.nodes.some((node) => node.operator.startsWith(NCHWC))) {
    writer.uint32(66).fork().uint32(10).string(NCHWC_DOMAIN).uint32(16).int64(1).ldelim();
  }
  writer.uint32(58).fork(); // 7: graph
  for (const [index, node] of graph.nodes.entries()) {
    encodeNode(writer.uint32(10).fork(), node, `${options.name}/${node.operation}_${index}`); // 1: node
  }
  writer.uint32(18).string(options.name); // 2: name
  // 5: initializer
  for (const [name, constant] of graph.constants) encodeConstant(writer.uint32(42).fork(), name, constant);
  for (const port of options.inputs) encodePort(writer.uint32(90).fork(), port); // 11: input
  for (const port of options.outputs) encodePort(writer.uint32(98).fork(), port); // 12: output
  writer.ldelim();
  return writer.finish();
}

function encodeNode(writer: protobuf.Writer, node: GraphNode, name: string): void {
  for (const input of node.inputs) writer.uint32(10).string(input); // 1: input
  for (const output of node.outputs) writer.uint32(18).string(output); // 2: output
  writer.uint32(26).string(name); // 3: name
  const isNchwc = node.operator.startsWith(NCHWC);
  writer.uint32(34).string(isNchwc ? node.operator.slice(NCHWC.length) : node.operator); // 4: op_type
  if (isNchwc) writer.uint32(58).string(NCHWC_DOMAIN); // 7: domain
  for (const [key, value] of Object.entries(node.attributes)) {
    encodeAttribute(writer.uint32(42).fork(), key, value); // 5: attribute
  }
  writer.ldelim();
}

/** AttributeProto; 20 is its type: FLOAT 1, INT 2, STRING 3, FLOATS 6, INTS 7. */
function encodeAttribute(writer: protobuf.Writer, name: string, value: Attribute): void {
  writer.uint32(10).string(name); // 1: name
  if (typeof value === "number") {
    writer.uint32(24).int64(value); // 3: i
    writer.uint32(160).int32(2);
  } else if (typeof value === "string") {
    writer.uint32(34).bytes(new TextEncoder().encode(value)); // 4: s
    writer.uint32(160).int32(3);
  } else if ("floats" in value) {
    for (const item of value.floats) writer.uint32(61).float(item); // 7: floats
    writer.uint32(160).int32(6);
  } else if ("float" in value) {
    writer.uint32(21).float(value.float); // 2: f
    writer.uint32(160).int32(1);
  } else {
    for (const item of value) writer.uint32(64).int64(item); // 8: ints
    writer.uint32(160).int32(7);
  }
  writer.ldelim();
}

function encodeConstant(writer: protobuf.Writer, name: string, { elementType, shape, data }: GraphConstant): void {
  for (const size of shape) writer.uint32(8).int64(size); // 1: dims
  writer.uint32(16).int32(DATA_TYPES[elementType]); // 2: data_type
  writer.uint32(66).string(name); // 8: name
  writer.uint32(74).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)); // 9: raw_data
  writer.ldelim();
}

function encodePort(writer: protobuf.Writer, { name, shape, dtype }: EncodedPort): void {
  writer.uint32(10).string(name); // 1: name
  writer.uint32(18).fork(); // 2: type
  writer.uint32(10).fork(); // 1: tensor_type
  writer.uint32(8).int32(DATA_TYPES[dtype]); // 1: elem_type
  writer.uint32(18).fork(); // 2: shape
  for (const size of shape) writer.uint32(10).fork().uint32(8).int64(size).ldelim(); // 1: dim, 1: dim_value
  writer.ldelim().ldelim().ldelim().ldelim();
}
