/** Readers of operators that work on each number by itself, or on two that stand at one place. */

import { sizeOf } from "../../core/nd-array.js";
import { type Features, type GraphValue, isSameList, memoryShape, type Numbers, wholeAxis } from "./graph-values.js";
import { featuresAt, floatOf, integerOf, type NodeReading, numbersAt, type OperatorTable } from "./node-reading.js";
import type { Activation, Arithmetic, FunctionName } from "./operation.js";
import { Refusal } from "./refusal.js";
import { alignedNumbers, takesActivation } from "./table.js";

function arithmetic(op: Arithmetic) {
  return (reading: NodeReading): GraphValue => combined(reading, op, valueAt(reading, 0), valueAt(reading, 1));
}

/** Of any number of inputs, in any order: features first, so that each row reads some. */
function ofAll(op: "add" | "mul" | "max" | "min") {
  return (reading: NodeReading): Features => {
    const all = reading.node.inputs.map((_, index) => valueAt(reading, index));
    const [first, ...rest] = all.toSorted((a, b) => Number(a.kind === "numbers") - Number(b.kind === "numbers"));
    if (first.kind === "numbers") throw new Refusal("computes with numbers alone");
    return rest.reduce((result: Features, next) => combined(reading, op, result, next), first);
  };
}

function valueAt(reading: NodeReading, index: number): GraphValue {
  const value = reading.input(index);
  if (value) return value;
  throw new Refusal(`lacks its input ${index}`);
}

function mean(reading: NodeReading): GraphValue {
  const sum = ofAll("add")(reading);
  return combined(reading, "mul", sum, { kind: "numbers", shape: [], data: [1 / reading.node.inputs.length] });
}

/** What one operation makes of two values, of which at least one is features. */
export function combined(reading: NodeReading, op: Arithmetic, left: GraphValue, right: GraphValue): Features {
  if (left.kind === "features" && right.kind === "features") return ofTwo(reading, op, [left, right]);
  if (left.kind === "features" && right.kind === "numbers") return withNumbers(reading, op, left, right, false);
  if (left.kind === "numbers" && right.kind === "features") return withNumbers(reading, op, right, left, true);
  throw new Refusal("computes with numbers alone");
}

function ofTwo({ table, name }: NodeReading, op: Arithmetic, both: readonly [Features, Features]): Features {
  const rank = both[0].shape.length;
  if (both[1].shape.length !== rank)
    throw new Refusal(`computes with ${both.map(({ shape }) => shape.join(" x ")).join(" and ")}`);
  const shape = broadcast(both[0].shape, both[1].shape);
  // The larger one stays as it lies in memory.
  const [first] = both.toSorted((a, b) => sizeOf(b.shape) - sizeOf(a.shape));
  const { order } = first;
  const inputs = both.map((one) => table.arranged(one, order));
  return table.add(name, { op, activation: "none" }, inputs, { shape, order });
}

function withNumbers(
  { table, name }: NodeReading,
  op: Arithmetic,
  features: Features,
  numbers: Numbers,
  isSwapped: boolean,
): Features {
  const { order } = features;
  const shape = broadcast(features.shape, numbers.shape);
  if (shape.length !== features.shape.length)
    throw new Refusal(`adds dimensions: ${features.shape.join(" x ")} with ${numbers.shape.join(" x ")}`);
  const changes = { op, activation: "none" as const, ...(isSwapped && { isSwapped }) };
  if (sizeOf(numbers.shape) === 1)
    return table.add(name, { ...changes, number: finite(numbers.data[0]) }, [features], { shape, order });
  const value = alignedNumbers(numbers, features);
  const result = table.add(name, { ...changes, value: value.shape }, [features], { shape, order });
  table.setParameter(result.row, "value", value);
  return result;
}

/** The largest float, in place of what has no number in JSON and means no bound. */
const LARGEST = 3.4028234663852886e38;

export function finite(value: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, value));
}

/** Aligned on the right, as numpy does. @throws Refusal where sizes differ and neither is 1. */
export function broadcast(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  const sizeAt = (shape: readonly number[], axis: number) => shape[axis - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [sizeAt(a, axis), sizeAt(b, axis)];
    if (left === right || right === 1) return left;
    if (left === 1) return right;
    throw new Refusal(`cannot combine ${a.join(" x ")} with ${b.join(" x ")}`);
  });
}

function named(
  name: FunctionName,
  numbersOf: (reading: NodeReading) => readonly number[] | undefined = () => undefined,
) {
  return (reading: NodeReading): GraphValue => apply(reading, name, numbersOf(reading));
}

function apply(reading: NodeReading, name: FunctionName, numbers?: readonly number[]): Features {
  const x = featuresAt(reading, 0);
  const row = { op: "function" as const, function: name, ...(numbers && { numbers }) };
  return reading.table.add(reading.name, row, [x], x);
}

/** In the row before, where nothing else reads that; so the row stands for the layer with its activation. */
function activation(kind: Exclude<Activation, "none">) {
  return (reading: NodeReading): GraphValue => {
    const x = featuresAt(reading, 0);
    const row = reading.table.rows.get(x.row);
    if (!row || !takesActivation(row) || !reading.isOnlyReader(0) || !isSameList(row.shape, memoryShape(x)))
      return apply(reading, kind);
    reading.table.replace(x, { ...row, activation: kind });
    return x;
  };
}

function clip(reading: NodeReading): GraphValue {
  const bound = (index: number, attribute: string, otherwise: number) =>
    reading.input(index)
      ? Number(numbersAt(reading, index, attribute).data[0])
      : floatOf(reading, attribute, otherwise);
  const [low, high] = [bound(1, "min", Number.NEGATIVE_INFINITY), bound(2, "max", Number.POSITIVE_INFINITY)];
  if (low === 0 && high === 6) return activation("relu6")(reading);
  if (low === 0 && high >= 3e38) return activation("relu")(reading);
  if (low > high) throw new Refusal(`clips to ${low}..${high}, where nothing lies between`);
  return apply(reading, "clip", [finite(low), finite(high)]);
}

function prelu(reading: NodeReading): GraphValue {
  const x = featuresAt(reading, 0);
  const slopes = numbersAt(reading, 1, "slope");
  const [rank, { shape }] = [x.shape.length, slopes];
  // A slope for each channel comes as [channels, 1, 1]; as [channels] alone where that fits the last axis in no way.
  const isBare = shape.length === 1 && shape[0] === x.shape[1] && rank > 2 && shape[0] !== x.shape[rank - 1];
  const wide = isBare ? { ...slopes, shape: [...shape, ...new Array(rank - 2).fill(1)] } : slopes;
  const value = alignedNumbers(wide, x);
  const result = reading.table.add(reading.name, { op: "prelu", value: value.shape }, [x], x);
  reading.table.setParameter(result.row, "value", value);
  return result;
}

/** Along the last axis in memory, where the classes nearly always lie already. */
function softmax(name: "softmax" | "logSoftmax") {
  return (reading: NodeReading): GraphValue => {
    const given = featuresAt(reading, 0);
    const rank = given.shape.length;
    const axis = wholeAxis(integerOf(reading, "axis", reading.opset < 13 ? 1 : -1), rank);
    if (reading.opset < 13 && given.shape.slice(axis + 1).some((size) => size !== 1))
      throw new Refusal("is a softmax over several axes", "Export it with opset 13 or later.");
    if (axis === 0) throw new Refusal("is a softmax over the batch");
    const order = [...given.order.filter((one) => one !== axis), axis];
    const x = reading.table.arranged(given, order);
    return reading.table.add(reading.name, { op: "function", function: name }, [x], x);
  };
}

export const elementwiseOperators: OperatorTable = {
  Add: ofAll("add"),
  Sum: ofAll("add"),
  Mean: mean,
  Sub: arithmetic("sub"),
  Mul: ofAll("mul"),
  Div: arithmetic("div"),
  Pow: arithmetic("pow"),
  Max: ofAll("max"),
  Min: ofAll("min"),
  Relu: activation("relu"),
  Clip: clip,
  PRelu: prelu,
  LeakyRelu: named("leakyRelu", (reading) => [floatOf(reading, "alpha", 0.01)]),
  Elu: named("elu", (reading) => [floatOf(reading, "alpha", 1)]),
  Selu: (reading) => {
    const isUsual = ["alpha", "gamma"].every((key) => reading.node.attributes[key] === undefined);
    if (!isUsual) throw new Refusal("has an alpha or gamma of its own");
    return apply(reading, "selu");
  },
  Sigmoid: named("sigmoid"),
  HardSigmoid: named("hardSigmoid", (reading) => [floatOf(reading, "alpha", 0.2), floatOf(reading, "beta", 0.5)]),
  HardSwish: named("hardSwish"),
  Softplus: named("softplus"),
  Tanh: named("tanh"),
  Erf: named("erf"),
  Exp: named("exp"),
  Log: named("log"),
  Sqrt: named("sqrt"),
  Abs: named("abs"),
  Neg: named("neg"),
  Reciprocal: named("reciprocal"),
  Softmax: softmax("softmax"),
  LogSoftmax: softmax("logSoftmax"),
};
