/**
 * The shape that each operator of an exported graph gives, and what it costs: known before anything runs, since no
 * shape is open.
 */

import { checkedSize, type ReadAttributes } from "./graph-reading.js";

/** A node as its shape rule sees it. */
export interface Operands {
  readonly attributes: ReadAttributes;
  /** Of each input; of one that is left out, `[]`. */
  readonly shapes: readonly (readonly number[])[];
  /** The whole numbers of a constant input. @throws Error where it is computed instead. */
  integers(input: number): readonly number[];
}

export interface Result {
  readonly shape: readonly number[];
  /** Multiplications, or what takes as long. */
  readonly operations: number;
  /** Elements that are needed only while it runs. */
  readonly scratch?: number;
}

type Rule = (operands: Operands) => Result;

/**
 * About as long as this many multiplications of a convolution takes one element of the simplest operator, which has to
 * be read and written.
 */
const PER_ELEMENT = 20;

/** By operator: all that `trace` writes, and nothing else. */
export const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...each(
    "Abs Acos Acosh Asin Asinh Atan Atanh Cast Ceil Clip Cos Cosh CumSum Elu Erf Exp Floor HardSigmoid Identity",
    ({ shapes }) => plain(shapes[0]),
  ),
  ...each(
    "LeakyRelu Log LogSoftmax Neg Not Reciprocal Relu Round ScatterElements ScatterND Selu " +
      "Sigmoid Sign Sin Sinh Softmax",
    ({ shapes }) => plain(shapes[0], Math.max(...shapes.map(checkedSize))),
  ),
  ...each("IsInf IsNaN Sqrt Tan Tanh", ({ shapes }) => plain(shapes[0])),
  ...each(
    "Add And Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul Or PRelu Pow Sub Where Xor",
    ({ shapes }) => plain(shapes.reduce(broadcast)),
  ),
  ...each("ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum", (given) => reduced(given, given.integers(1))),
  ...each("ArgMax ArgMin", (given) => reduced(given, number(given, "axis", 0))),
  ...each("Conv", convolution),
  ...each("ConvTranspose", transposedConvolution),
  ...each("MaxPool AveragePool", pooling),
  ...each("GlobalAveragePool", ({ shapes: [shape] }) => {
    const [batch, channels] = ranked(shape, 4);
    return plain([batch, channels, 1, 1], checkedSize(shape));
  }),
  ...each("MatMul", product),
  ...each("Reshape", ({ shapes, integers }) => {
    const shape = integers(1);
    if (checkedSize(shape) !== checkedSize(shapes[0])) throw new Error("has another number of elements");
    return { shape, operations: checkedSize(shape) };
  }),
  ...each("Transpose", ({ shapes: [shape], attributes }) => plain(pick(shape, attributes.get("perm") ?? []))),
  ...each("Expand", ({ shapes, integers }) => plain(broadcast(shapes[0], integers(1)))),
  ...each("Tile", ({ shapes, integers }) => plain(zipped(shapes[0], integers(1), (size, count) => size * count))),
  ...each("Slice", sliced),
  ...each("Pad", ({ shapes: [shape], integers }) => {
    const amounts = integers(1);
    if (amounts.length !== 2 * shape.length) throw new Error("pads other axes");
    return plain(shape.map((size, axis) => size + amounts[axis] + amounts[axis + shape.length]));
  }),
  ...each("Concat", (given) => {
    const { shapes } = given;
    const [axis] = axesFrom(number(given, "axis", 0), shapes[0]);
    const length = shapes.reduce((sum, shape) => sum + shape[axis], 0);
    return plain(shapes[0].with(axis, length));
  }),
  // Of each part.
  ...each("Split", (given) => {
    const [shape] = given.shapes;
    const [axis] = axesFrom(number(given, "axis", 0), shape);
    const length = shape[axis] / number(given, "num_outputs", 1)[0];
    if (!Number.isInteger(length)) throw new Error("has parts of several sizes");
    return plain(shape.with(axis, length), checkedSize(shape));
  }),
  ...each("DepthToSpace", (given) => {
    const [block] = number(given, "blocksize", 1);
    const [batch, channels, height, width] = ranked(given.shapes[0], 4);
    return plain([batch, channels / block ** 2, height * block, width * block]);
  }),
  ...each("Resize", ({ shapes, integers }) => plain(zipped(shapes[0], integers(3), (_, size) => size))),
  ...each("Gather", (given) => {
    const [data, indices] = given.shapes;
    const [axis] = axesFrom(number(given, "axis", 0), data);
    return plain([...data.slice(0, axis), ...indices, ...data.slice(axis + 1)]);
  }),
  ...each("GatherND", ({ shapes: [data, indices] }) => plain([...indices.slice(0, -1), ...data.slice(indices.at(-1))])),
  ...each("OneHot", ({ shapes, integers }) => plain([...shapes[0], ...one(integers(1))])),
  ...each("TopK", ({ shapes: [shape], integers }) => plain(shape.with(-1, one(integers(1))[0]), checkedSize(shape))),
]);

/** @param cost elements that it touches, where they are more than it gives. */
function plain(shape: readonly number[], cost = 0): Result {
  return { shape, operations: PER_ELEMENT * Math.max(checkedSize(shape), cost) };
}

function reduced({ shapes: [shape], attributes }: Operands, given: readonly number[]): Result {
  const axes = axesFrom(given, shape);
  const [isKept = 1] = attributes.get("keepdims") ?? [];
  const sizes = shape.flatMap((size, axis) => (!axes.includes(axis) ? size : isKept ? 1 : []));
  return { shape: sizes, operations: PER_ELEMENT * checkedSize(shape) };
}

/** `[batch, channels, h, w]` by `[filters, channels / group, h, w]`. */
function convolution(given: Operands): Result {
  const [batch, , ...sides] = ranked(given.shapes[0], 4);
  const [filters, depth, ...kernel] = ranked(given.shapes[1], 4);
  const shape = [batch, filters, ...windows(given, sides, kernel)];
  return { shape, operations: (PER_ELEMENT + depth * checkedSize(kernel)) * checkedSize(shape) };
}

/** `[batch, channels, h, w]` by `[channels, filters / group, h, w]`. */
function transposedConvolution(given: Operands): Result {
  const [batch, channels, ...sides] = ranked(given.shapes[0], 4);
  const [, filters, ...kernel] = ranked(given.shapes[1], 4);
  const { strides, dilations, pads } = geometry(given);
  const [group] = number(given, "group", 1);
  const rest = pair(given, "output_padding", 0);
  const shape = sides.map((size, axis) => {
    const reach = dilations[axis] * (kernel[axis] - 1) + 1;
    return strides[axis] * (size - 1) + rest[axis] + reach - pads[axis] - pads[axis + 2];
  });
  const columns = filters * checkedSize(kernel) * checkedSize(sides);
  const operations = batch * channels * columns;
  return { shape: [batch, filters * group, ...shape], operations, scratch: columns * group };
}

function pooling(given: Operands): Result {
  const [batch, channels, ...sides] = ranked(given.shapes[0], 4);
  const kernel = pair(given, "kernel_shape", 1);
  const shape = [batch, channels, ...windows(given, sides, kernel)];
  return { shape, operations: (PER_ELEMENT + checkedSize(kernel)) * checkedSize(shape) };
}

/** `[..., m, k] x [..., k, n]`. */
function product({ shapes: [left, right] }: Operands): Result {
  if (left.length < 2 || right.length < 2) throw new Error("multiplies no matrices");
  const shape = [...broadcast(left.slice(0, -2), right.slice(0, -2)), ...left.slice(-2, -1), ...right.slice(-1)];
  return { shape, operations: (PER_ELEMENT + left[left.length - 1]) * checkedSize(shape) };
}

function sliced({ shapes: [shape, ...lists], integers }: Operands): Result {
  const [starts, ends, axes] = [1, 2, 3].map(integers);
  const steps = lists.length > 3 ? integers(4) : starts.map(() => 1);
  const sizes = [...shape];
  for (const [index, axis] of axesFrom(axes, shape).entries()) {
    const [length, step] = [shape[axis], steps[index]];
    const place = (at: number, last: number) => Math.min(Math.max(at < 0 ? at + length : at, last), length + last);
    const last = step < 0 ? -1 : 0;
    const reach = place(ends[index], last) - place(starts[index], last);
    sizes[axis] = Math.max(0, Math.ceil(reach / step));
  }
  return plain(sizes);
}

/** How often a window fits, along each side. */
function windows(given: Operands, sides: readonly number[], kernel: readonly number[]): number[] {
  const { strides, dilations, pads } = geometry(given);
  return sides.map((size, axis) => {
    const reach = dilations[axis] * (kernel[axis] - 1) + 1;
    return Math.floor((size + pads[axis] + pads[axis + 2] - reach) / strides[axis]) + 1;
  });
}

function geometry(given: Operands) {
  const { attributes } = given;
  const pads = attributes.get("pads") ?? [0, 0, 0, 0];
  const [strides, dilations] = [pair(given, "strides", 1), pair(given, "dilations", 1)];
  const isWhole = pads.length === 4 && pads.every((amount) => amount >= 0);
  if (!isWhole || [...strides, ...dilations].some((step) => step < 1)) throw new Error("has no geometry");
  return { strides, dilations, pads };
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const aligned = (shape: readonly number[]) => [...Array<number>(rank - shape.length).fill(1), ...shape];
  return zipped(aligned(a), aligned(b), (left, right) => {
    if (left !== right && left !== 1 && right !== 1) throw new Error("reads shapes that do not go together");
    return left === 1 ? right : left;
  });
}

function zipped(a: readonly number[], b: readonly number[], join: (a: number, b: number) => number): number[] {
  if (a.length !== b.length) throw new Error("reads shapes that do not go together");
  return a.map((value, index) => join(value, b[index]));
}

function pick(shape: readonly number[], axes: readonly number[]): number[] {
  if (new Set(axesFrom(axes, shape)).size !== shape.length) throw new Error("transposes other axes");
  return axes.map((axis) => shape[axis]);
}

/** @throws Error where one is no axis of the shape, or stands twice. */
function axesFrom(axes: readonly number[], shape: readonly number[]): number[] {
  const found = axes.map((axis) => (axis < 0 ? axis + shape.length : axis));
  if (new Set(found).size !== axes.length || found.some((axis) => !(axis in shape)))
    throw new Error("has no such axis");
  return found;
}

function ranked(shape: readonly number[], rank: number): readonly number[] {
  if (shape.length !== rank) throw new Error(`reads ${shape.length} axes instead of ${rank}`);
  return shape;
}

function number({ attributes }: Operands, name: string, otherwise: number): [number] {
  return one(attributes.get(name) ?? [otherwise]);
}

function pair({ attributes }: Operands, name: string, otherwise: number): readonly number[] {
  return ranked(attributes.get(name) ?? [otherwise, otherwise], 2);
}

function one(values: readonly number[]): [number] {
  if (values.length !== 1) throw new Error("wants one number");
  return [values[0]];
}

function each(operators: string, rule: Rule): [operator: string, rule: Rule][] {
  return operators.split(" ").map((operator) => [operator, rule]);
}
