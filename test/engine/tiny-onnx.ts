/** Encodes ONNX models of a few nodes, by hand and apart from the tracer, so that sessions are tested without it. */

import protobuf from "protobufjs/minimal.js";

const { Writer } = protobuf;
const FLOAT = 1;

/** A node: operator, inputs, outputs. */
type Node = readonly [operator: string, inputs: readonly string[], outputs: readonly string[]];
type Shapes = Readonly<Record<string, readonly (number | string)[]>>;

/** A float32 model; the field numbers are those of onnx.proto. A string in a shape leaves the dimension open. */
export function tinyModel(
  nodes: readonly Node[],
  { inputs, outputs }: { inputs: Shapes; outputs: Shapes },
): Uint8Array {
  const graph = new Writer();
  for (const node of nodes) graph.uint32((1 << 3) | 2).bytes(encodeNode(node));
  graph.uint32((2 << 3) | 2).string("tiny");
  for (const value of Object.entries(inputs)) graph.uint32((11 << 3) | 2).bytes(encodeValue(value));
  for (const value of Object.entries(outputs)) graph.uint32((12 << 3) | 2).bytes(encodeValue(value));
  const opset = new Writer()
    .uint32((2 << 3) | 0)
    .int64(17)
    .finish();
  const model = new Writer().uint32((1 << 3) | 0).int64(8);
  return model
    .uint32((7 << 3) | 2)
    .bytes(graph.finish())
    .uint32((8 << 3) | 2)
    .bytes(opset)
    .finish();
}

function encodeNode([operator, inputs, outputs]: Node): Uint8Array {
  const writer = new Writer();
  for (const name of inputs) writer.uint32((1 << 3) | 2).string(name);
  for (const name of outputs) writer.uint32((2 << 3) | 2).string(name);
  return writer
    .uint32((4 << 3) | 2)
    .string(operator)
    .finish();
}

function encodeValue([name, shape]: [string, readonly (number | string)[]]): Uint8Array {
  const dimensions = new Writer();
  for (const size of shape) {
    const dimension = new Writer();
    if (typeof size === "number") dimension.uint32((1 << 3) | 0).int64(size);
    else dimension.uint32((2 << 3) | 2).string(size);
    dimensions.uint32((1 << 3) | 2).bytes(dimension.finish());
  }
  const tensor = new Writer()
    .uint32((1 << 3) | 0)
    .int32(FLOAT)
    .uint32((2 << 3) | 2)
    .bytes(dimensions.finish());
  const type = new Writer().uint32((1 << 3) | 2).bytes(tensor.finish());
  return new Writer()
    .uint32((1 << 3) | 2)
    .string(name)
    .uint32((2 << 3) | 2)
    .bytes(type.finish())
    .finish();
}
