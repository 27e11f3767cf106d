/** Writes ONNX models from plain data, and trunks as another framework would export them. */

import protobuf from "protobufjs/minimal.js";
import type { NdArray, NdArrays } from "../../src/core/nd-array.js";
import type { Architecture } from "../../src/trunk/architecture.js";

export interface Node {
  readonly operator: string;
  readonly name?: string;
  readonly inputs: readonly string[];
  /** One, or several. */
  readonly output: string | readonly string[];
  /** Whole numbers alone or in lists, text, and a float, which is marked as one. */
  readonly attributes?: Readonly<Record<string, number | readonly number[] | string | { readonly float: number }>>;
}

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
  /** How the numbers are written; float32 raw by default. */
  readonly form?: "raw" | "list" | "double" | "double-list" | "half" | "half-list" | "int64" | "int32";
  /** Where they lie instead, as the keys of ONNX. */
  readonly external?: Readonly<Record<string, string>>;
}

export interface Model {
  readonly input: { readonly name: string; readonly shape: readonly (number | undefined)[] };
  readonly output: string;
  readonly nodes: readonly Node[];
  readonly tensors: Readonly<Record<string, Tensor>>;
  /** Of the standard operators; 13 by default. */
  readonly opset?: number;
}

const FLOAT_BITS = new DataView(new ArrayBuffer(4));

/** Of numbers that float16 can hold, not subnormal. */
function half(value: number): number {
  if (value === 0) return 0;
  FLOAT_BITS.setFloat32(0, value);
  const bits = FLOAT_BITS.getUint32(0);
  return ((bits >>> 16) & 0x8000) | ((((bits >>> 23) & 0xff) - 112) << 10) | ((bits >>> 13) & 0x3ff);
}

export function writeOnnx({ input, output, nodes, tensors, opset = 13 }: Model): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(8).int64(8); // version of the format
  writer.uint32(58).fork(); // graph
  for (const node of nodes) writeNode(writer.uint32(10).fork(), node).ldelim();
  writer.uint32(18).string("graph");
  for (const [name, tensor] of Object.entries(tensors)) writeTensor(writer.uint32(42).fork(), name, tensor).ldelim();
  writeValue(writer.uint32(90).fork(), input.name, input.shape).ldelim();
  writeValue(writer.uint32(98).fork(), output).ldelim();
  writer.ldelim();
  writer.uint32(66).fork().uint32(16).int64(opset).ldelim();
  return writer.finish();
}

function writeNode(writer: protobuf.Writer, { operator, name, inputs, output, attributes = {} }: Node) {
  for (const each of inputs) writer.uint32(10).string(each);
  const outputs = typeof output === "string" ? [output] : output;
  for (const each of outputs) writer.uint32(18).string(each);
  writer.uint32(26).string(name ?? outputs[0]);
  writer.uint32(34).string(operator);
  for (const [key, value] of Object.entries(attributes)) {
    writer.uint32(42).fork().uint32(10).string(key);
    if (typeof value === "string") writer.uint32(34).string(value).uint32(160).int32(3);
    else if (typeof value === "number") writer.uint32(24).int64(value).uint32(160).int32(2);
    else if ("float" in value) writer.uint32(21).float(value.float).uint32(160).int32(1);
    else {
      for (const each of value) writer.uint32(64).int64(each);
      writer.uint32(160).int32(7);
    }
    writer.ldelim();
  }
  return writer;
}

function writeTensor(writer: protobuf.Writer, name: string, { shape, values, form = "raw", external }: Tensor) {
  for (const size of shape) writer.uint32(8).int64(size);
  const type = form.startsWith("half")
    ? 10
    : form.startsWith("double")
      ? 11
      : form === "int64"
        ? 7
        : form === "int32"
          ? 6
          : 1;
  writer.uint32(16).int32(type).uint32(66).string(name);
  const numbers = Array.from(values);
  if (external) {
    for (const [key, value] of Object.entries(external))
      writer.uint32(106).fork().uint32(10).string(key).uint32(18).string(value).ldelim();
    return writer.uint32(112).int32(1);
  }
  const raw = (bytes: ArrayBufferLike) => writer.uint32(74).bytes(new Uint8Array(bytes));
  const packed = (field: number, write: (value: number) => void) => {
    writer.uint32((field << 3) | 2).fork();
    numbers.forEach(write);
    return writer.ldelim();
  };
  if (form === "list") return packed(4, (value) => writer.float(value));
  if (form === "double-list") return packed(10, (value) => writer.double(value));
  if (form === "half-list") return packed(5, (value) => writer.int32(half(value)));
  if (form === "half") return raw(Uint16Array.from(numbers, half).buffer);
  if (form === "double") return raw(Float64Array.from(numbers).buffer);
  if (form === "int64") return packed(7, (value) => writer.int64(value));
  if (form === "int32") return packed(5, (value) => writer.int32(value));
  return raw(Float32Array.from(numbers).buffer);
}

function writeValue(writer: protobuf.Writer, name: string, shape?: readonly (number | undefined)[]) {
  writer.uint32(10).string(name);
  if (!shape) return writer;
  writer.uint32(18).fork().uint32(10).fork().uint32(8).int32(1).uint32(18).fork();
  for (const size of shape) {
    writer.uint32(10).fork();
    if (size === undefined) writer.uint32(18).string("n");
    else writer.uint32(8).int64(size);
    writer.ldelim();
  }
  return writer.ldelim().ldelim().ldelim();
}

/** How a framework writes what has more than one form. */
export interface Dialect {
  /** Whether the image has its channels last, and the graph begins by turning it. */
  readonly isTransposed: boolean;
  /** Of strided convolutions: by name, below and right alone, by a node before, or all around. */
  readonly padding: "SAME_UPPER" | "below" | "node" | "around";
  readonly relu6: "clip" | "min-max";
}

/** A trunk with folded weights as a model, and behind it a global average. Tensors are called by our layers. */
export function trunkAsOnnx(
  { layers }: Architecture,
  weights: NdArrays,
  { size, isTransposed, padding, relu6 }: Dialect & { readonly size: number | undefined },
): Model {
  const nodes: Node[] = [];
  const tensors: Record<string, Tensor> = {
    zero: { shape: [], values: [0] },
    six: { shape: [], values: [6] },
    pads: { shape: [8], values: [0, 0, 0, 0, 0, 0, 1, 1], form: "int64" },
  };
  if (isTransposed)
    nodes.push({ operator: "Transpose", inputs: ["image"], output: "turned", attributes: { perm: [0, 3, 1, 2] } });
  const tensorOf = (layer: string) => (layer !== "input" ? layer : isTransposed ? "turned" : "image");
  for (const { name, op, inputs, stride, kernel, activation } of layers) {
    const [first, second] = inputs.map(tensorOf);
    if (op === "add") nodes.push({ operator: "Add", inputs: [first, second], output: name });
    else if (op === "maxPool") {
      const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride] };
      nodes.push({ operator: "MaxPool", inputs: [first], output: name, attributes });
    } else {
      tensors[`${name}_w`] = toChannelsFirst(weights[`trunk/${name}/kernel`], op === "depthwise");
      const { shape, data } = weights[`trunk/${name}/bias`];
      tensors[`${name}_b`] = { shape, values: data };
      const half = (kernel - 1) / 2;
      const isPadded = stride > 1 && padding === "node";
      if (isPadded) nodes.push({ operator: "Pad", inputs: [first, "pads"], output: `${name}_pad` });
      const pads: Node["attributes"] = {
        SAME_UPPER: { auto_pad: "SAME_UPPER" },
        below: { pads: stride > 1 ? [0, 0, half, half] : [half, half, half, half] },
        node: { pads: isPadded ? [0, 0, 0, 0] : [half, half, half, half] },
        around: { pads: [half, half, half, half] },
      }[padding];
      const linear = activation === "none" ? name : `${name}_linear`;
      nodes.push({
        operator: "Conv",
        name: `${name}_conv`,
        inputs: [isPadded ? `${name}_pad` : first, `${name}_w`, `${name}_b`],
        output: linear,
        attributes: { group: op === "depthwise" ? shape[0] : 1, strides: [stride, stride], ...pads },
      });
      if (activation === "relu") nodes.push({ operator: "Relu", inputs: [linear], output: name });
      else if (activation === "relu6" && relu6 === "clip")
        nodes.push({ operator: "Clip", inputs: [linear, "zero", "six"], output: name });
      else if (activation === "relu6")
        nodes.push(
          { operator: "Max", inputs: ["zero", linear], output: `${name}_above` },
          { operator: "Min", inputs: [`${name}_above`, "six"], output: name },
        );
    }
  }
  nodes.push({ operator: "GlobalAveragePool", inputs: [layers[layers.length - 1].name], output: "pooled" });
  const shape = isTransposed ? [undefined, size, size, 3] : [undefined, 3, size, size];
  return { input: { name: "image", shape }, output: "pooled", nodes, tensors };
}

/** `[h, w, in, out]` to `[out, in, h, w]`, `[h, w, channels, 1]` to `[channels, 1, h, w]`. */
function toChannelsFirst({ shape, data }: NdArray, isDepthwise: boolean): Tensor {
  const [h, w] = shape;
  const [i, o] = isDepthwise ? [1, shape[2]] : [shape[2], shape[3]];
  const values = new Float32Array(data.length);
  for (let at = 0; at < h * w; at++)
    for (let from = 0; from < i; from++)
      for (let to = 0; to < o; to++) values[(to * i + from) * h * w + at] = data[(at * i + from) * o + to];
  return { shape: [o, i, h, w], values };
}
