/** A whole network as plain data: what a run and a bundle keep of one that was imported. */

import { isCount, isNumber, isRecord, isStrings } from "../../core/json-values.js";
import type { Operation } from "./operation.js";

/**
 * From RGB 0..255 to what the first row reads: `(x / 255 - mean) / deviation`, channel by channel, after the channels were
 * put in the network's order.
 */
export interface PixelScaling {
  readonly mean: readonly [number, number, number];
  readonly deviation: readonly [number, number, number];
  /** Of the network's channels; means and deviations are in this order. */
  readonly channels: "rgb" | "bgr";
}

/**
 * By name. `tf`: -1..1. `unit`: 0..1. `caffe`: blue, green, red minus ImageNet's mean. `imagenet`: as torchvision. `none`:
 * 0..255.
 */
export const SCALINGS: Readonly<Record<string, PixelScaling>> = {
  tf: scaling([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
  unit: scaling([0, 0, 0], [1, 1, 1]),
  caffe: {
    ...scaling([103.939 / 255, 116.779 / 255, 123.68 / 255], [1 / 255, 1 / 255, 1 / 255]),
    channels: "bgr",
  },
  imagenet: scaling([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
  none: scaling([0, 0, 0], [1 / 255, 1 / 255, 1 / 255]),
};

function scaling(mean: PixelScaling["mean"], deviation: PixelScaling["deviation"]): PixelScaling {
  return { mean, deviation, channels: "rgb" };
}

export interface NetworkTable {
  /** In order of computation, from the image to the answer. */
  readonly operations: readonly Operation[];
  readonly scaling: PixelScaling;
  /**
   * It sees the middle of an image: this share of the largest rectangle of its input's shape there, mostly a square; absent,
   * all of the image, stretched.
   */
  readonly centerCrop?: number;
  /** Where the network is explained by default. */
  readonly source: string;
  /** The last row that heads can read; what follows belongs to the answer. */
  readonly output: string;
  /** The row of the logits: `[classes]`, `[1, 1, classes]`, or `[height, width, classes]` of a map. */
  readonly answer: string;
}

/** Whether the answer is a map of places, `[height, width, classes]`, as of a network that segments. */
export function answersByPlace({ operations, answer }: Pick<NetworkTable, "operations" | "answer">): boolean {
  const [height = 1, width = 1, classes] = operations.find(({ name }) => name === answer)?.shape ?? [];
  return classes !== undefined && height * width > 1;
}

/** Names of operations, with the keys that each has beside `name`, `op`, `inputs` and `shape`. */
const KEYS: Readonly<Record<Operation["op"], readonly string[]>> = {
  convolution: ["kernel", "strides", "dilations", "pads", "groups", "activation"],
  transposedConvolution: ["kernel", "strides", "dilations", "pads", "groups", "activation"],
  dense: [],
  affine: ["activation"],
  add: ["number", "value", "isSwapped", "activation"],
  sub: ["number", "value", "isSwapped", "activation"],
  mul: ["number", "value", "isSwapped", "activation"],
  div: ["number", "value", "isSwapped", "activation"],
  pow: ["number", "value", "isSwapped", "activation"],
  max: ["number", "value", "isSwapped", "activation"],
  min: ["number", "value", "isSwapped", "activation"],
  function: ["function", "numbers"],
  prelu: ["value"],
  maxPool: ["kernel", "strides", "pads"],
  averagePool: ["kernel", "strides", "pads"],
  mean: ["axes", "keepsAxes"],
  maximum: ["axes", "keepsAxes"],
  minimum: ["axes", "keepsAxes"],
  sum: ["axes", "keepsAxes"],
  normalize: ["axes", "epsilon"],
  concat: ["axis"],
  slice: ["begin", "steps"],
  gather: ["axis", "indices"],
  pad: ["paddings", "mode", "number"],
  resize: ["method", "places", "factors", "rounding"],
  reshape: [],
  transpose: ["order"],
};
const SIDES = ["top", "left", "bottom", "right"];

/**
 * Whether a value of parsed JSON is a table whose rows are known, in order, and of shapes that can be allocated. That a
 * row's shape is what it computes is seen where it is computed.
 *
 * @returns what is wrong, in a few words; `undefined` where nothing is.
 */
export function faultOfTable(value: unknown, { mostRows }: { mostRows: number }): string | undefined {
  if (!isRecord(value) || !Array.isArray(value.operations)) return "a list of operations";
  const { operations, scaling, source, output, answer } = value;
  if (operations.length === 0 || operations.length > mostRows) return `1 to ${mostRows} operations`;
  const isScaling =
    isRecord(scaling) &&
    [scaling.mean, scaling.deviation].every((list) => isTriple(list)) &&
    (scaling.deviation as number[]).every((one) => one > 0) &&
    (scaling.channels === "rgb" || scaling.channels === "bgr");
  if (!isScaling) return "scaling by a mean and a deviation of three channels";
  const { centerCrop } = value;
  if (centerCrop !== undefined && !(isNumber(centerCrop) && centerCrop > 0 && centerCrop <= 1))
    return "a centerCrop above 0 to 1";
  const known = new Set(["input"]);
  for (const [index, row] of operations.entries()) {
    if (!isRecord(row) || typeof row.name !== "string" || !/^[\w.-]{1,200}$/.test(row.name))
      return `a name of letters, digits, dots and dashes for operation ${index}`;
    if (known.has(row.name)) return `different names of operations, not ${row.name} twice`;
    const fault = faultOfRow(row, known);
    if (fault) return `${fault} in operation ${row.name}`;
    known.add(row.name);
  }
  const isRow = (name: unknown) => typeof name === "string" && name !== "input" && known.has(name);
  return isRow(source) && isRow(output) && isRow(answer) ? undefined : "source, output and answer among its operations";
}

function faultOfRow(row: Record<string, unknown>, known: ReadonlySet<string>): string | undefined {
  const { op, inputs, shape } = row;
  if (typeof op !== "string" || !Object.hasOwn(KEYS, op)) return "a known operation";
  const own = KEYS[op as Operation["op"]];
  const extra = Object.keys(row).find((key) => !["name", "op", "inputs", "shape", ...own].includes(key));
  if (extra !== undefined) return `no key "${extra}"`;
  if (!isStrings(inputs) || inputs.length === 0 || !inputs.every((name) => known.has(name))) return "earlier inputs";
  if (!isSizes(shape) || shape.length > 8) return "a shape of whole sizes";
  for (const key of own) {
    const value = row[key];
    if (value === undefined && isFree(key, op)) continue;
    if (!isValueOf(key, value)) return `a valid "${key}"`;
  }
  return undefined;
}

/** Whether a row may leave a key out. */
function isFree(key: string, op: string): boolean {
  if (op === "transposedConvolution") return key === "dilations" || key === "groups";
  return ["number", "value", "isSwapped", "numbers", "factors", "rounding"].includes(key);
}

function isValueOf(key: string, value: unknown): boolean {
  switch (key) {
    case "kernel":
    case "strides":
    case "dilations":
      return isSizes(value) && value.length === 2;
    case "pads":
      return isRecord(value) && SIDES.every((side) => Number.isSafeInteger(value[side]));
    case "groups":
      return isCount(value) && value > 0;
    case "activation":
      return value === "relu" || value === "relu6" || value === "none";
    case "function":
    case "mode":
    case "method":
    case "places":
    case "rounding":
      return typeof value === "string" && value.length < 40;
    case "number":
    case "epsilon":
      return isNumber(value);
    case "isSwapped":
    case "keepsAxes":
      return typeof value === "boolean";
    case "value":
      return isSizes(value);
    case "paddings":
      return Array.isArray(value) && value.every((both) => isCountsList(both) && both.length === 2);
    case "axis":
      return isCount(value);
    case "factors":
      return Array.isArray(value) && value.length === 2 && value.every((one) => isNumber(one) && one > 0);
    case "numbers":
      return Array.isArray(value) && value.every(isNumber);
    default:
      return isCountsList(value);
  }
}

function isCountsList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function isSizes(value: unknown): value is number[] {
  return isCountsList(value) && value.every((size) => size > 0);
}

function isTriple(value: unknown): boolean {
  return Array.isArray(value) && value.length === 3 && value.every(isNumber);
}
