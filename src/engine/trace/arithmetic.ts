/** Elementwise kernels: arithmetic, comparison, logic, functions of one number, selection and filling. */

import { binary, cast, clipByValue, operand, recordBroadcast, scalar, sharedLayout, unary } from "./elementwise.js";
import type { Attributes as OnnxAttributes } from "./graph.js";
import { addNode, type Graph } from "./graph.js";
import type { Kernel, KernelTable, One, Two } from "./kernel.js";
import {
  broadcastSizes,
  constant,
  type DType,
  numbers,
  padSizes,
  plain,
  splat,
  type TracedTensor,
  traced,
} from "./traced-tensor.js";

/** Booleans count as 0 and 1. */
function numeric(graph: Graph, x: TracedTensor): TracedTensor {
  return x.dtype === "bool" ? cast(graph, x, "int32") : x;
}

function arithmetic(operator: string): Kernel {
  return (graph: Graph, { a, b }: Two) => binary(graph, operator, numeric(graph, a), numeric(graph, b));
}

function comparison(operator: string): Kernel {
  return (graph: Graph, { a, b }: Two) => binary(graph, operator, numeric(graph, a), numeric(graph, b), "bool");
}

function logic(operator: string): Kernel {
  return (graph: Graph, { a, b }: Two) => binary(graph, operator, a, b, "bool");
}

function func(operator: string, fold?: (value: number) => number, attributes?: OnnxAttributes): Kernel {
  return (graph: Graph, { x }: One) => unary(graph, operator, x, { attributes, fold });
}

function not(graph: Graph, x: TracedTensor): TracedTensor {
  return unary(graph, "Not", x, { fold: (value) => 1 - value });
}

/** Rounds towards minus infinity, as TensorFlow.js does for integers too; those go through float32 (exact to 2^24). */
function floorDivide(graph: Graph, a: TracedTensor, b: TracedTensor): TracedTensor {
  const quotient = binary(graph, "Div", cast(graph, a, "float32"), cast(graph, b, "float32"));
  return cast(graph, unary(graph, "Floor", quotient, { fold: Math.floor }), a.dtype);
}

/** `condition ? t : e`. */
function select(
  graph: Graph,
  { condition, t, e }: { condition: TracedTensor; t: TracedTensor; e: TracedTensor },
): TracedTensor {
  const all = [cast(graph, condition, "bool"), t, e];
  const shape = all.map((one) => one.shape).reduce(broadcastSizes);
  const extent = all.map((one) => padSizes(one.extent, shape.length)).reduce(broadcastSizes);
  const layout = sharedLayout(all, shape.length);
  const value = recordBroadcast(graph, "Where", all, { extent, layout });
  return traced(graph, value, shape, { dtype: t.dtype, layout, extent });
}

/** `slope` where x is at most zero, else 1. */
function step(graph: Graph, x: TracedTensor, slope: number): TracedTensor {
  const isPositive = cast(graph, binary(graph, "Greater", x, splat([], x.dtype, 0), "bool"), "float32");
  if (slope === 0) return isPositive;
  return binary(graph, "Add", binary(graph, "Mul", isPositive, scalar(1 - slope)), scalar(slope));
}

function isSpecial(operator: "IsNaN" | "IsInf"): (graph: Graph, inputs: One) => TracedTensor {
  return (graph, { x }) => unary(graph, operator, x, { dtype: "bool" });
}

function prelu(graph: Graph, given: { x: TracedTensor; alpha: TracedTensor }): TracedTensor {
  const x = plain(graph, given.x);
  const rank = x.shape.length;
  const { value } = operand(graph, x, rank, x.layout);
  const slope = operand(graph, given.alpha, rank, x.layout);
  const result = addNode(graph, "PRelu", [value, slope.value]);
  return traced(graph, result, x.shape, { layout: x.layout, extent: x.extent });
}

/**
 * max(x, 0) + log(1 + exp(-|x|)): ONNX Runtime's own Softplus is single-threaded and, at 12 ns an element, five times
 * slower than these seven passes. Below x = -16 the result is 0 instead of exp(x) < 1.2e-7; the gradient does not use
 * it.
 */
function softplus(graph: Graph, x: TracedTensor): TracedTensor {
  const size = unary(graph, "Abs", x, { fold: Math.abs });
  const decay = unary(graph, "Neg", size, { fold: (value) => -value });
  const tail = unary(graph, "Exp", decay, { fold: Math.exp });
  const bend = unary(graph, "Log", binary(graph, "Add", tail, scalar(1)), { fold: Math.log });
  return binary(graph, "Add", unary(graph, "Relu", x, { fold: (value) => Math.max(value, 0) }), bend);
}

function filled(shape: readonly number[], value: number, dtype: DType): TracedTensor {
  return splat(shape, dtype, value);
}

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

export const arithmeticKernels: KernelTable = {
  Add: arithmetic("Add"),
  Sub: arithmetic("Sub"),
  Multiply: (graph: Graph, { a, b }: Two) =>
    a.dtype === "bool" && b.dtype === "bool"
      ? binary(graph, "And", a, b, "bool")
      : binary(graph, "Mul", numeric(graph, a), numeric(graph, b)),
  RealDiv: arithmetic("Div"),
  FloorDiv: (graph: Graph, { a, b }: Two) => floorDivide(graph, a, b),
  Mod: (graph: Graph, { a, b }: Two) => binary(graph, "Sub", a, binary(graph, "Mul", floorDivide(graph, a, b), b)),
  Pow: arithmetic("Pow"),
  Maximum: arithmetic("Max"),
  Minimum: arithmetic("Min"),
  SquaredDifference: (graph: Graph, { a, b }: Two) => {
    const difference = binary(graph, "Sub", a, b);
    return binary(graph, "Mul", difference, difference);
  },
  AddN: (graph: Graph, inputs: Readonly<Record<string, TracedTensor>>) =>
    Object.values(inputs).reduce((sum, next) => binary(graph, "Add", sum, next)),

  Equal: comparison("Equal"),
  NotEqual: (graph: Graph, { a, b }: Two) =>
    not(graph, binary(graph, "Equal", numeric(graph, a), numeric(graph, b), "bool")),
  Greater: comparison("Greater"),
  GreaterEqual: comparison("GreaterOrEqual"),
  Less: comparison("Less"),
  LessEqual: comparison("LessOrEqual"),
  LogicalAnd: logic("And"),
  LogicalOr: logic("Or"),
  LogicalXor: logic("Xor"),
  LogicalNot: (graph: Graph, { x }: One) => not(graph, x),

  Abs: func("Abs", Math.abs),
  Acos: func("Acos", Math.acos),
  Acosh: func("Acosh", Math.acosh),
  Asin: func("Asin", Math.asin),
  Asinh: func("Asinh", Math.asinh),
  Atan: func("Atan", Math.atan),
  Atanh: func("Atanh", Math.atanh),
  Ceil: func("Ceil", Math.ceil),
  Cos: func("Cos", Math.cos),
  Cosh: func("Cosh", Math.cosh),
  Elu: func("Elu", (value) => (value >= 0 ? value : Math.expm1(value)), { alpha: { float: 1 } }),
  Erf: func("Erf"),
  Exp: func("Exp", Math.exp),
  Expm1: (graph: Graph, { x }: One) => binary(graph, "Sub", unary(graph, "Exp", x, { fold: Math.exp }), scalar(1)),
  Floor: func("Floor", Math.floor),
  IsFinite: (graph: Graph, { x }: One) =>
    not(graph, binary(graph, "Or", isSpecial("IsNaN")(graph, { x }), isSpecial("IsInf")(graph, { x }), "bool")),
  IsInf: isSpecial("IsInf"),
  IsNan: isSpecial("IsNaN"),
  LeakyRelu: (graph: Graph, { x }: One, { alpha }: { alpha: number }) =>
    unary(graph, "LeakyRelu", x, { attributes: { alpha: { float: alpha } } }),
  Log: func("Log", Math.log),
  Log1p: (graph: Graph, { x }: One) => unary(graph, "Log", binary(graph, "Add", x, scalar(1)), { fold: Math.log }),
  Neg: func("Neg", (value) => -value),
  Prelu: prelu,
  Reciprocal: func("Reciprocal", (value) => 1 / value),
  Relu: func("Relu", (value) => Math.max(value, 0)),
  Relu6: (graph: Graph, { x }: One) => clipByValue(graph, x, 0, 6),
  ClipByValue: (graph: Graph, { x }: One, bounds: { clipValueMin: number; clipValueMax: number }) =>
    clipByValue(graph, x, bounds.clipValueMin, bounds.clipValueMax),
  Round: func("Round"),
  Rsqrt: (graph: Graph, { x }: One) =>
    unary(graph, "Reciprocal", unary(graph, "Sqrt", x, { fold: Math.sqrt }), { fold: (value) => 1 / value }),
  Selu: func("Selu"),
  Sigmoid: func("Sigmoid", sigmoid),
  Sign: func("Sign", Math.sign),
  Sin: func("Sin", Math.sin),
  Sinh: func("Sinh", Math.sinh),
  Softplus: (graph: Graph, { x }: One) => softplus(graph, x),
  Sqrt: func("Sqrt", Math.sqrt),
  Square: (graph: Graph, { x }: One) => binary(graph, "Mul", x, x),
  Step: (graph: Graph, { x }: One, attributes?: { alpha?: number }) => step(graph, x, attributes?.alpha ?? 0),
  Tan: func("Tan", Math.tan),
  Tanh: func("Tanh", Math.tanh),

  Cast: (graph: Graph, { x }: One, { dtype }: { dtype: DType }) => cast(graph, x, dtype),
  Select: select,
  ZerosLike: (_: Graph, { x }: One) => filled(x.shape, 0, x.dtype),
  OnesLike: (_: Graph, { x }: One) => filled(x.shape, 1, x.dtype),
  Fill: (_: Graph, __: object, fill: { shape: number[]; value: number | boolean; dtype?: DType }) =>
    filled(fill.shape, Number(fill.value), fill.dtype ?? (typeof fill.value === "number" ? "float32" : "bool")),
  LinSpace: (_: Graph, __: object, { start, stop, num }: { start: number; stop: number; num: number }) => {
    const step = num > 1 ? (stop - start) / (num - 1) : 0;
    return constant(
      [num],
      "float32",
      Float32Array.from({ length: num }, (_, index) => start + index * step),
    );
  },
  Range: (_: Graph, __: object, range: { start: number; stop: number; step: number; dtype: DType }) => {
    const length = Math.max(0, Math.ceil((range.stop - range.start) / range.step));
    const values = Array.from({ length }, (_, index) => range.start + index * range.step);
    return constant([length], range.dtype, numbers(range.dtype, values));
  },

  /** dy * min(y + 1, 1). */
  EluGrad: (graph: Graph, { dy, y }: { dy: TracedTensor; y: TracedTensor }) =>
    binary(graph, "Mul", dy, binary(graph, "Min", binary(graph, "Add", y, scalar(1)), scalar(1))),
};
