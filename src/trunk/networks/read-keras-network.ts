/**
 * Reads a network that Keras describes, as Keras or TensorFlow.js saved it: its layers become nodes in the words of ONNX, so that one set of readers makes
 * rows of both. Keras has channels last as rows have; ONNX' channels come first in name alone.
 */

import { WeightsError } from "../../core/errors.js";
import { isRecord } from "../../core/json-values.js";
import type { NdArray } from "../../core/nd-array.js";
import { withAxes } from "../../core/nd-array.js";
import { isSameSize, type Size, shapeOf, sizeKey, sizeText } from "../../core/size.js";
import type { OnnxAttribute, OnnxNode } from "../formats/onnx-graph.js";
import type { WeightsFile } from "../formats/weights-file.js";
import { channelsLast, type Numbers } from "./graph-values.js";
import { IMAGE_SIDES, isImageSide, type ReadNetwork, readNodes } from "./read-nodes.js";

/** A layer of a model, as its description has it. */
interface Layer {
  readonly className: string;
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The nodes so far, and their constants. */
interface Building {
  readonly path: string;
  readonly weights: WeightsFile["weights"];
  readonly nodes: OnnxNode[];
  readonly constants: Map<string, Numbers>;
  /** Dimensions of what each tensor holds, the batch included. */
  readonly ranks: Map<string, number>;
  /** Some functions differ between Keras 2 and 3. */
  readonly isKeras3: boolean;
}

/** Opset whose meanings the nodes have. */
const OPSET = 17;
const MOST_NESTED = 20;

/**
 * @param file with its topology: a Sequential or Functional model, models inside it included.
 * @param inputSize of the image, where the file leaves it open.
 * @throws WeightsError where it has no topology, a layer is not read, or its weights are absent.
 */
export async function readKerasNetwork(
  { path, weights, topology, kerasVersion }: WeightsFile,
  { inputSize }: { readonly inputSize?: Size } = {},
): Promise<ReadNetwork> {
  const fail = failing(path);
  const model = isRecord(topology) && isRecord(topology.model_config) ? topology.model_config : topology;
  if (!isRecord(model))
    throw fail("holds weights alone, and does not say how its layers hang together.", "Save the whole model.");
  const size = sizeOf(model, { path, inputSize });
  const building: Building = {
    ...{ path, weights, nodes: [], constants: new Map(), ranks: new Map([["image", 4]]) },
    isKeras3: Number.parseInt(kerasVersion ?? "2", 10) >= 3,
  };
  const output = modelTensor(model, "image", building, []);
  const [height, width] = size;
  return readNodes({
    ...{ nodes: building.nodes, opset: OPSET, outputs: [output], path },
    image: {
      ...{ name: "image", size },
      features: { kind: "features", row: "input", shape: [1, 3, height, width], order: channelsLast(4) },
    },
    isConstant: (name) => building.constants.has(name),
    constant: async (name) => building.constants.get(name),
  });
}

function failing(path: string) {
  return (what: string, cure: string) => new WeightsError(`${path}: ${what}`, { cure, file: path });
}

/** Of the first layer that says it. */
function sizeOf(
  model: Record<string, unknown>,
  { path, inputSize }: { path: string; inputSize?: Size },
): readonly [number, number] {
  const fail = failing(path);
  const waiting: unknown[] = [model];
  while (waiting.length > 0) {
    const node = waiting.pop();
    if (typeof node !== "object" || node === null) continue;
    const config = isRecord(node) && isRecord(node.config) ? node.config : {};
    const shape = config.batch_input_shape ?? config.batch_shape ?? config.batchInputShape;
    if (Array.isArray(shape)) {
      const [, height, width, channels] = shape;
      if (shape.length !== 4 || channels !== 3)
        throw fail(`wants ${shape.slice(1).join(" x ")} numbers, no image of 3 channels.`, "Give a network of images.");
      const asked = inputSize === undefined ? [] : shapeOf(inputSize);
      const sides = [height, width].map((side, axis) => (typeof side === "number" ? side : asked[axis]));
      const [rows, columns] = sides;
      if (!rows || !columns)
        throw fail("leaves the size of its image open.", "Say it: --input-size 224, or HEIGHTxWIDTH.");
      if (!isImageSide(rows) || !isImageSide(columns))
        throw fail(`is for images of ${sizeText([rows, columns])}.`, IMAGE_SIDES);
      if (inputSize !== undefined && !isSameSize(inputSize, [rows, columns]))
        throw fail(
          `is for images of ${sizeText([rows, columns])}, not of ${sizeKey(inputSize)}.`,
          "Leave the size out.",
        );
      return [rows, columns];
    }
    // In order of the layers, however deep they are nested.
    waiting.push(...Object.values(node).reverse());
  }
  throw fail("does not say of what size its image is.", "Save it with an input layer.");
}

/**
 * A model as a function of one tensor.
 *
 * @param models names of the models that it is inside of, and its own, from the second on.
 * @returns the name of what it makes.
 */
function modelTensor(
  model: Record<string, unknown>,
  input: string,
  building: Building,
  models: readonly string[],
): string {
  const fail = failing(building.path);
  if (models.length > MOST_NESTED)
    throw fail(`has models inside models, more than ${MOST_NESTED} deep.`, "Save it flat.");
  const config = model.config;
  const listed = Array.isArray(config) ? config : isRecord(config) ? config.layers : undefined;
  const className = String(model.class_name);
  if (!Array.isArray(listed) || !listed.every(isRecord))
    throw fail(`"${className}" has no layers.`, "Save the whole model.");
  if (className === "Sequential")
    return listed.reduce((tensor: string, one) => layer(one, [tensor], building, models), input);
  if (className !== "Model" && className !== "Functional")
    throw fail(`is a model of class "${className}".`, "Sequential and functional models are read.");
  const made = new Map<string, string>();
  for (const one of listed) {
    const own = described(one);
    const before = inboundOf(one, own, building.path);
    if (own.className === "InputLayer") {
      if (made.size > 0 && before.length === 0 && [...made.values()].includes(input))
        throw fail(`layer ${own.name}: the model has several inputs.`, "Give a network of one image.");
      made.set(own.name, input);
      continue;
    }
    const tensors = before.map((name) => {
      const found = made.get(name);
      if (found !== undefined) return found;
      throw fail(`layer ${own.name} reads ${name}, which comes after it or is none of its model.`, "Save it again.");
    });
    made.set(own.name, layer(one, tensors, building, models));
  }
  const outputs = isRecord(config) ? namesIn(config.output_layers) : [];
  const output = made.get(outputs[0] ?? "");
  if (outputs.length !== 1 || output === undefined)
    throw fail(`has ${outputs.length} outputs.`, "Save it with one output, its answer.");
  return output;
}

function described(one: Record<string, unknown>): Layer {
  const config = isRecord(one.config) ? one.config : {};
  return { className: String(one.class_name), name: String(one.name ?? config.name ?? one.class_name), config };
}

/** `[["conv1", 0, 0]]`, or `["conv1", 0, 0]` of one output, to `["conv1"]`. */
function namesIn(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  if (typeof value[0] === "string") return [value[0]];
  return value.flatMap((one) => (Array.isArray(one) && typeof one[0] === "string" ? [one[0]] : []));
}

/** Names of the layers that a layer reads. */
function inboundOf(one: Record<string, unknown>, { name }: Layer, path: string): string[] {
  const calls = Array.isArray(one.inbound_nodes) ? one.inbound_nodes : [];
  if (calls.length > 1)
    throw failing(path)(`layer ${name} is used at ${calls.length} places.`, "Give each place a layer of its own.");
  const [call] = calls;
  if (Array.isArray(call)) return namesIn(call);
  // Keras 3 writes tensors with their history.
  const found: string[] = [];
  const waiting: unknown[] = [isRecord(call) ? call.args : undefined];
  while (waiting.length > 0) {
    const node = waiting.shift();
    if (typeof node !== "object" || node === null) continue;
    const history = isRecord(node) && isRecord(node.config) ? node.config.keras_history : undefined;
    if (Array.isArray(history) && typeof history[0] === "string") found.push(history[0]);
    else waiting.push(...Object.values(node));
  }
  return found;
}

/** Adds the nodes of a layer, or of a model inside the model. */
function layer(
  one: Record<string, unknown>,
  inputs: readonly string[],
  building: Building,
  models: readonly string[],
): string {
  const own = described(one);
  const [input] = inputs;
  if (own.className === "InputLayer") return input;
  if (["Sequential", "Model", "Functional"].includes(own.className))
    return modelTensor(one, input, building, [...models, own.name]);
  const reader = Object.hasOwn(LAYERS, own.className) ? LAYERS[own.className] : undefined;
  const fail = (what: string) =>
    failing(building.path)(
      `layer ${own.name} (${own.className}) ${what}.`,
      "Export the network to ONNX, or without it.",
    );
  // Keras 3 writes a bare `x + y` as a layer too, without the numbers in it.
  if (!reader || /\bops\b/.test(String(one.module ?? ""))) throw fail("is not read");
  if (own.config.data_format === "channels_first") throw fail("has channels first");
  return reader({ ...own, models, inputs, input, building, fail });
}

interface LayerReading extends Layer {
  /** Names of the models that it is inside of, from the outside, without the whole. */
  readonly models: readonly string[];
  readonly inputs: readonly string[];
  readonly input: string;
  readonly building: Building;
  readonly fail: (what: string) => WeightsError;
}

type LayerReader = (reading: LayerReading) => string;
type Attributes = Readonly<Record<string, number | string | readonly number[] | { readonly float: number }>>;

/** Adds a node, and says of how many dimensions its output is. */
function node(
  { building, name }: Pick<LayerReading, "building" | "name">,
  operator: string,
  inputs: readonly string[],
  { attributes = {}, rank, suffix = "" }: { attributes?: Attributes; rank?: number; suffix?: string } = {},
): string {
  const output = `${name}${suffix}:${building.nodes.length}`;
  const own = Object.entries(attributes).map(([key, value]): [string, OnnxAttribute] => {
    const none = { integers: [], floats: [] };
    if (typeof value === "number") return [key, { ...none, integer: value }];
    if (typeof value === "string") return [key, { ...none, text: value }];
    return [key, "float" in value ? { ...none, float: value.float } : { ...none, integers: value }];
  });
  building.nodes.push({
    operator,
    name: `${name}${suffix}`,
    inputs,
    outputs: [output],
    attributes: Object.fromEntries(own),
  });
  building.ranks.set(output, rank ?? building.ranks.get(inputs[0]) ?? 4);
  return output;
}

function constant({ building, name }: LayerReading, part: string, numbers: Pick<Numbers, "shape" | "data">): string {
  const key = `constant ${name}/${part} ${building.constants.size}`;
  building.constants.set(key, { kind: "numbers", ...numbers });
  return key;
}

/** @throws WeightsError where the file has no such array. */
function weight(reading: LayerReading, part: string): NdArray {
  const found = optionalWeight(reading, part);
  if (found) return found;
  throw reading.fail(`lacks its ${part}`);
}

/** Files name a weight by its layer, by all models around it, by the outermost alone, or by the layer twice. */
function optionalWeight({ building, models, name }: LayerReading, part: string): NdArray | undefined {
  const { weights } = building;
  const key = `${name}/${part}`;
  const whole = [...models, key].join("/");
  const found = [whole, key].find((one) => Object.hasOwn(weights, one));
  if (found !== undefined) return weights[found];
  const ending = Object.keys(weights).filter((one) => one.endsWith(`/${key}`));
  const own = ending.filter((one) => one.startsWith(`${models[0] ?? name}/`));
  const [only, another] = own.length > 0 ? own : ending;
  return another === undefined && only !== undefined ? weights[only] : undefined;
}

function turned({ shape, data }: NdArray, order: readonly number[]): Pick<Numbers, "shape" | "data"> {
  return withAxes({ shape, data }, order);
}

function pairOf(reading: LayerReading, key: string, otherwise: number): readonly [number, number] {
  const value = reading.config[key] ?? otherwise;
  if (typeof value === "number") return [value, value];
  if (Array.isArray(value) && value.length === 2 && value.every((one) => typeof one === "number"))
    return [value[0], value[1]];
  throw reading.fail(`has no valid ${key}`);
}

/** `same` as TensorFlow pads. */
function padding({ config, fail }: LayerReading): { auto_pad: string } {
  if (config.padding === undefined || config.padding === "valid") return { auto_pad: "VALID" };
  if (config.padding === "same") return { auto_pad: "SAME_UPPER" };
  throw fail(`pads by "${config.padding}"`);
}

/** What a layer's own activation adds; `linear` adds nothing. */
function activated(reading: LayerReading, tensor: string, given: unknown = reading.config.activation): string {
  const named = isRecord(given) ? given.class_name : given;
  const name = String(named ?? "linear");
  const kind = name.toLowerCase().replaceAll("_", "");
  if (kind === "linear") return tensor;
  const [operator, attributes] = ACTIVATIONS[kind] ?? [];
  const suffix = `.${kind}`;
  if (kind === "hardsigmoid") return hardSigmoid(reading, tensor, suffix);
  if (kind === "hardsilu" || kind === "hardswish")
    return node(reading, "Mul", [tensor, hardSigmoid(reading, tensor, ".gate", true)], { suffix });
  if (kind === "gelu") return gelu(reading, tensor);
  if (kind === "relu6") return clipped(reading, tensor, 6);
  if (kind === "swish" || kind === "silu")
    return node(reading, "Mul", [tensor, node(reading, "Sigmoid", [tensor], { suffix: ".gate" })], { suffix });
  if (kind === "softmax") return node(reading, "Softmax", [tensor], { attributes: { axis: 1 }, suffix });
  if (!operator) throw reading.fail(`has the activation "${name}", which is not read`);
  return node(reading, operator, [tensor], { ...(attributes && { attributes }), suffix });
}

const ACTIVATIONS: Readonly<Record<string, readonly [operator: string, attributes?: Attributes]>> = {
  relu: ["Relu"],
  sigmoid: ["Sigmoid"],
  tanh: ["Tanh"],
  elu: ["Elu"],
  selu: ["Selu"],
  softplus: ["Softplus"],
  leakyrelu: ["LeakyRelu", { alpha: { float: 0.2 } }],
};

/** Its slope was 1/5, and is 1/6 from Keras 3 on, and wherever it is a gate. */
function hardSigmoid(reading: LayerReading, tensor: string, suffix: string, isGate = false): string {
  const alpha = isGate || reading.building.isKeras3 ? 1 / 6 : 0.2;
  return node(reading, "HardSigmoid", [tensor], {
    ...{ attributes: { alpha: { float: alpha }, beta: { float: 0.5 } }, suffix },
  });
}

/** x/2 (1 + erf(x / sqrt(2))). */
function gelu(reading: LayerReading, tensor: string): string {
  const number = (part: string, value: number) => constant(reading, part, { shape: [], data: [value] });
  const scaled = node(reading, "Mul", [tensor, number("root", Math.SQRT1_2)], { suffix: ".scaled" });
  const error = node(reading, "Erf", [scaled], { suffix: ".erf" });
  const sum = node(reading, "Add", [error, number("one", 1)], { suffix: ".sum" });
  const product = node(reading, "Mul", [tensor, sum], { suffix: ".product" });
  return node(reading, "Mul", [product, number("half", 0.5)], { suffix: ".gelu" });
}

function clipped(reading: LayerReading, tensor: string, most: number): string {
  const bound = (part: string, value: number) => constant(reading, part, { shape: [], data: [value] });
  return node(reading, "Clip", [tensor, bound("low", 0), bound("high", most)], { suffix: ".relu6" });
}

function convolution(reading: LayerReading): string {
  const kernel = constant(reading, "kernel", turned(weight(reading, "kernel"), [3, 2, 0, 1]));
  const attributes = {
    ...padding(reading),
    strides: pairOf(reading, "strides", 1),
    dilations: pairOf(reading, "dilation_rate", 1),
    group: Number(reading.config.groups ?? 1),
  };
  return activated(reading, node(reading, "Conv", [reading.input, kernel, ...biasOf(reading)], { attributes }));
}

/** `[h, w, out, in]` to `[in, out, h, w]`. */
function transposedConvolution(reading: LayerReading): string {
  const { config, fail } = reading;
  if (config.output_padding != null) throw fail("pads its output");
  if (pairOf(reading, "dilation_rate", 1).some((rate) => rate !== 1)) throw fail("is dilated");
  const kernel = constant(reading, "kernel", turned(weight(reading, "kernel"), [3, 2, 0, 1]));
  const strides = pairOf(reading, "strides", 1);
  const rests = pairOf(reading, "kernel_size", 1).map((size, axis) => size - strides[axis]);
  const isSame = padding(reading).auto_pad !== "VALID";
  const attributes = {
    strides,
    // As the gradient of a convolution that pads so: the odd one at the end.
    pads: [0, 1].flatMap((odd) => rests.map((rest) => (isSame ? Math.max(0, (rest + odd) >> 1) : 0))),
    output_padding: rests.map((rest) => Math.max(0, -rest)),
  };
  return activated(
    reading,
    node(reading, "ConvTranspose", [reading.input, kernel, ...biasOf(reading)], { attributes }),
  );
}

function biasOf(reading: LayerReading): string[] {
  const bias = reading.config.use_bias === false ? undefined : optionalWeight(reading, "bias");
  return bias ? [constant(reading, "bias", bias)] : [];
}

/** `[h, w, channels, multiplier]` to `[channels * multiplier, 1, h, w]`. */
function depthwise(reading: LayerReading, input: string, part: string): string {
  const filters = (isSeparable(reading) ? undefined : optionalWeight(reading, "kernel")) ?? weight(reading, part);
  const [, , channels, multiplier] = filters.shape;
  const { shape, data } = turned(filters, [2, 3, 0, 1]);
  const kernel = constant(reading, part, { shape: [channels * multiplier, 1, ...shape.slice(2)], data });
  const attributes = {
    ...padding(reading),
    strides: pairOf(reading, "strides", 1),
    dilations: pairOf(reading, "dilation_rate", 1),
    group: channels,
  };
  return node(
    reading,
    "Conv",
    [input, kernel, ...(part === "depthwise_kernel" && !isSeparable(reading) ? biasOf(reading) : [])],
    {
      attributes,
      suffix: isSeparable(reading) ? ".depthwise" : "",
    },
  );
}

function isSeparable({ className }: LayerReading): boolean {
  return className === "SeparableConv2D";
}

function separable(reading: LayerReading): string {
  const first = depthwise(reading, reading.input, "depthwise_kernel");
  const kernel = constant(reading, "pointwise_kernel", turned(weight(reading, "pointwise_kernel"), [3, 2, 0, 1]));
  return activated(reading, node(reading, "Conv", [first, kernel, ...biasOf(reading)]));
}

function batchNorm(reading: LayerReading): string {
  const { config, input, building } = reading;
  const rank = building.ranks.get(input) ?? 4;
  const axis = Array.isArray(config.axis) ? config.axis[0] : (config.axis ?? -1);
  if (axis !== -1 && axis !== rank - 1) throw reading.fail(`normalises along axis ${axis}`);
  const mean = weight(reading, "moving_mean");
  const filled = (value: number) => ({ shape: mean.shape, data: new Float32Array(mean.data.length).fill(value) });
  const parts = [
    constant(reading, "gamma", optionalWeight(reading, "gamma") ?? filled(1)),
    constant(reading, "beta", optionalWeight(reading, "beta") ?? filled(0)),
    constant(reading, "moving_mean", mean),
    constant(reading, "moving_variance", weight(reading, "moving_variance")),
  ];
  const epsilon = { float: Number(config.epsilon ?? 0.001) };
  return node(reading, "BatchNormalization", [input, ...parts], { attributes: { epsilon } });
}

function pool(operator: "MaxPool" | "AveragePool"): LayerReader {
  return (reading) => {
    const kernel = pairOf(reading, "pool_size", 2);
    const strides = reading.config.strides == null ? kernel : pairOf(reading, "strides", 2);
    return node(reading, operator, [reading.input], {
      attributes: { ...padding(reading), kernel_shape: kernel, strides },
    });
  };
}

function globalPool(operator: "GlobalAveragePool" | "GlobalMaxPool"): LayerReader {
  return (reading) => {
    const pooled = node(
      reading,
      operator,
      [reading.input],
      reading.config.keepdims === true ? {} : { suffix: ".pool" },
    );
    return reading.config.keepdims === true ? pooled : node(reading, "Flatten", [pooled], { rank: 2 });
  };
}

function dense(reading: LayerReading): string {
  const { input, building } = reading;
  const kernel = constant(reading, "kernel", weight(reading, "kernel"));
  if (building.ranks.get(input) === 2)
    return activated(reading, node(reading, "Gemm", [input, kernel, ...biasOf(reading)]));
  // On the channels of each place.
  const last = node(reading, "Transpose", [input], { attributes: { perm: [0, 2, 3, 1] }, suffix: ".last" });
  const product = node(reading, "MatMul", [last, kernel], { suffix: ".product" });
  const [bias] = biasOf(reading);
  const sum = bias === undefined ? product : node(reading, "Add", [product, bias], { suffix: ".sum" });
  return activated(reading, node(reading, "Transpose", [sum], { attributes: { perm: [0, 3, 1, 2] } }));
}

/** In the order of Keras, channels last. */
function flatten(reading: LayerReading): string {
  if (reading.building.ranks.get(reading.input) === 2) return reading.input;
  const last = node(reading, "Transpose", [reading.input], { attributes: { perm: [0, 2, 3, 1] }, suffix: ".last" });
  return node(reading, "Flatten", [last], { rank: 2 });
}

function reshape(reading: LayerReading): string {
  const { config, input, building, fail } = reading;
  const target = config.target_shape;
  if (!Array.isArray(target) || !target.every((side) => typeof side === "number")) throw fail("has no target_shape");
  const isWide = building.ranks.get(input) === 4;
  const last = isWide
    ? node(reading, "Transpose", [input], { attributes: { perm: [0, 2, 3, 1] }, suffix: ".last" })
    : input;
  const shape = constant(reading, "shape", { shape: [target.length + 1], data: [1, ...target] });
  const made = node(reading, "Reshape", [last, shape], { rank: target.length + 1 });
  return target.length === 3
    ? node(reading, "Transpose", [made], { attributes: { perm: [0, 3, 1, 2] }, rank: 4, suffix: ".first" })
    : made;
}

function zeroPadding(reading: LayerReading): string {
  const { padding: given = 1 } = reading.config;
  const both = (value: unknown) => (typeof value === "number" ? [value, value] : value);
  const [rows, columns] =
    typeof given === "number" ? [both(given), both(given)] : Array.isArray(given) ? given.map(both) : [];
  const isPair = (value: unknown): value is number[] => Array.isArray(value) && value.length === 2;
  if (!isPair(rows) || !isPair(columns)) throw reading.fail("has no valid padding");
  const pads = [0, 0, rows[0], columns[0], 0, 0, rows[1], columns[1]];
  return node(reading, "Pad", [reading.input, constant(reading, "pads", { shape: [8], data: pads })]);
}

function relu(reading: LayerReading): string {
  const { max_value: most, negative_slope: slope, threshold } = reading.config;
  if (threshold) throw reading.fail("has a threshold");
  if (slope) {
    if (most != null) throw reading.fail("has a slope and a bound");
    return node(reading, "LeakyRelu", [reading.input], { attributes: { alpha: { float: Number(slope) } } });
  }
  return most == null ? node(reading, "Relu", [reading.input]) : clipped(reading, reading.input, Number(most));
}

function leakyRelu(reading: LayerReading): string {
  const { alpha, negative_slope: slope } = reading.config;
  return node(reading, "LeakyRelu", [reading.input], {
    attributes: { alpha: { float: Number(alpha ?? slope ?? 0.3) } },
  });
}

/** `[h, w, channels]`, or 1 where axes are shared. */
function prelu(reading: LayerReading): string {
  const slopes = weight(reading, "alpha");
  const order = slopes.shape.length === 3 ? [2, 0, 1] : slopes.shape.map((_, axis) => axis);
  return node(reading, "PRelu", [reading.input, constant(reading, "alpha", turned(slopes, order))]);
}

/** By the mean and variance of the images that it saw, channel by channel. */
function normalization(reading: LayerReading): string {
  const { config, input, fail } = reading;
  const axes = [config.axis ?? -1].flat();
  if (config.invert === true || axes.length !== 1 || (axes[0] !== -1 && axes[0] !== 3)) throw fail("is not by channel");
  const numbers = (part: "mean" | "variance") => {
    const given = config[part];
    const list = given == null ? Array.from(weight(reading, part).data) : [given].flat(4).map(Number);
    return { shape: list.length === 1 ? [1] : [list.length, 1, 1], list };
  };
  const [mean, variance] = [numbers("mean"), numbers("variance")];
  const deviation = variance.list.map((value) => Math.max(Math.sqrt(value), 1e-7));
  const centred = constant(reading, "mean", { shape: mean.shape, data: mean.list });
  const scale = constant(reading, "deviation", { shape: variance.shape, data: deviation });
  return node(reading, "Div", [node(reading, "Sub", [input, centred], { suffix: ".centred" }), scale]);
}

function together(operator: "Sum" | "Mul" | "Max" | "Min" | "Sub"): LayerReader {
  return (reading) => {
    if (reading.inputs.length < 2) throw reading.fail("reads one layer alone");
    return node(reading, operator, reading.inputs);
  };
}

function concatenate(reading: LayerReading): string {
  return node(reading, "Concat", reading.inputs, { attributes: { axis: firstAxis(reading, -1) } });
}

/** The axis of a layer as ONNX counts: of channels last 3 is 1 of channels first, and 1 and 2 are 2 and 3. */
function firstAxis({ config, input, building }: LayerReading, otherwise: number): number {
  const rank = building.ranks.get(input) ?? 4;
  const axis = Number(config.axis ?? otherwise);
  const own = axis < 0 ? axis + rank : axis;
  return rank === 4 ? ({ 1: 2, 2: 3, 3: 1 }[own] ?? 0) : own;
}

function upSampling(reading: LayerReading): string {
  const [rows, columns] = pairOf(reading, "size", 2);
  const { interpolation = "nearest" } = reading.config;
  const scales = constant(reading, "scales", { shape: [4], data: [1, 1, rows, columns] });
  if (interpolation !== "nearest" && interpolation !== "bilinear") throw reading.fail(`enlarges by "${interpolation}"`);
  const attributes: Attributes =
    interpolation === "nearest"
      ? { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" }
      : { mode: "linear", coordinate_transformation_mode: "half_pixel" };
  return node(reading, "Resize", [reading.input, "", scales], { attributes });
}

function rescaling(reading: LayerReading): string {
  const numbers = (key: string, otherwise: number) => {
    const value = reading.config[key] ?? otherwise;
    const list = Array.isArray(value) ? value.map(Number) : [Number(value)];
    return constant(reading, key, { shape: list.length === 1 ? [1] : [list.length, 1, 1], data: list });
  };
  const scaled = node(reading, "Mul", [reading.input, numbers("scale", 1)], { suffix: ".scaled" });
  return node(reading, "Add", [scaled, numbers("offset", 0)]);
}

function same({ input }: LayerReading): string {
  return input;
}

const LAYERS: Readonly<Record<string, LayerReader>> = {
  Conv2D: convolution,
  Conv2DTranspose: transposedConvolution,
  DepthwiseConv2D: (reading) => activated(reading, depthwise(reading, reading.input, "depthwise_kernel")),
  SeparableConv2D: separable,
  BatchNormalization: batchNorm,
  BatchNormalizationV1: batchNorm,
  Activation: (reading) => activated(reading, reading.input),
  ReLU: relu,
  LeakyReLU: leakyRelu,
  PReLU: prelu,
  ELU: (reading) =>
    node(reading, "Elu", [reading.input], { attributes: { alpha: { float: Number(reading.config.alpha ?? 1) } } }),
  Softmax: (reading) => node(reading, "Softmax", [reading.input], { attributes: { axis: firstAxis(reading, -1) } }),
  MaxPooling2D: pool("MaxPool"),
  AveragePooling2D: pool("AveragePool"),
  GlobalAveragePooling2D: globalPool("GlobalAveragePool"),
  GlobalMaxPooling2D: globalPool("GlobalMaxPool"),
  Dense: dense,
  Flatten: flatten,
  Reshape: reshape,
  ZeroPadding2D: zeroPadding,
  Add: together("Sum"),
  Subtract: together("Sub"),
  Multiply: together("Mul"),
  Maximum: together("Max"),
  Minimum: together("Min"),
  Concatenate: concatenate,
  UpSampling2D: upSampling,
  Rescaling: rescaling,
  Normalization: normalization,
  Dropout: same,
  SpatialDropout2D: same,
  GaussianNoise: same,
  GaussianDropout: same,
  ActivityRegularization: same,
  // Of training alone.
  RandomFlip: same,
  RandomRotation: same,
  RandomZoom: same,
  RandomTranslation: same,
  RandomContrast: same,
  RandomBrightness: same,
};
