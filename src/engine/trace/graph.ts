/** The ONNX graph under construction: nodes (equal ones recorded once), constants, and the shapes that are known. */

import { sizeOf } from "../../core/nd-array.js";

/** Name of a value in the graph: a graph input, a constant, or an output of a node. */
export type Value = string;

/** Stands for an optional input that is absent. */
export const ABSENT: Value = "";

export type ElementType = "float32" | "int32" | "bool" | "int64";
export type Elements = Float32Array | Int32Array | Uint8Array | BigInt64Array;

/** A plain number is an ONNX INT, a list is INTS. */
export type Attribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface GraphNode {
  readonly operator: string;
  inputs: Value[];
  readonly attributes: Attributes;
  outputs: Value[];
  /** The TensorFlow.js kernel that was running; becomes part of the node's name. */
  readonly operation: string;
}

export interface GraphConstant {
  readonly elementType: ElementType;
  readonly shape: readonly number[];
  readonly data: Elements;
}

export interface Graph {
  /** Channels of a block in ONNX Runtime's NCHWc form; 0: portable, standard operators only. */
  readonly block: number;
  nodes: GraphNode[];
  readonly constants: Map<Value, GraphConstant>;
  /** Shapes of values, where known; every reshaped or traced value has one. */
  readonly shapes: Map<Value, readonly number[]>;
  readonly producers: Map<Value, GraphNode>;
  /** Outputs by the node that computes them, so that equal expressions are recorded once. */
  readonly expressions: Map<string, Value[]>;
  readonly dataIds: WeakMap<Elements, number>;
  /** Name of the TensorFlow.js kernel being recorded. */
  operation: string;
  valueCount: number;
}

export function createGraph({ block = 0 }: { block?: number } = {}): Graph {
  return {
    block,
    nodes: [],
    constants: new Map(),
    shapes: new Map(),
    producers: new Map(),
    expressions: new Map(),
    dataIds: new WeakMap(),
    operation: "",
    valueCount: 0,
  };
}

/**
 * Records a node with several outputs, or returns an existing equal one. Names start with `%`, so they never equal a
 * user's.
 */
export function addNodes(
  graph: Graph,
  operator: string,
  inputs: readonly Value[],
  attributes: Attributes,
  outputCount: number,
): Value[] {
  const key = `${operator}|${inputs.join()}|${JSON.stringify(attributes)}|${outputCount}`;
  const known = graph.expressions.get(key);
  if (known) return known;
  const outputs = Array.from({ length: outputCount }, () => nextName(graph));
  const node = { operator, inputs: [...inputs], attributes, outputs, operation: graph.operation };
  graph.nodes.push(node);
  for (const output of outputs) graph.producers.set(output, node);
  graph.expressions.set(key, outputs);
  return outputs;
}

/** Records a node with one output. */
export function addNode(graph: Graph, operator: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
  return addNodes(graph, operator, inputs, attributes, 1)[0];
}

/** A constant; equal small ones, and the same `data` under the same shape, are stored once. */
export function addConstant(graph: Graph, elementType: ElementType, shape: readonly number[], data: Elements): Value {
  const content = data.length <= 64 ? Array.from<number | bigint>(data).join() : `#${dataId(graph, data)}`;
  // Minus zero prints as zero, but divides differently.
  const signs = data.length <= 64 && Array.from<number | bigint>(data).some((v) => Object.is(v, -0)) ? "-0" : "";
  const key = `constant|${elementType}|${shape.join("x")}|${content}${signs}`;
  const known = graph.expressions.get(key);
  if (known) return known[0];
  const name = nextName(graph);
  graph.constants.set(name, { elementType, shape: [...shape], data });
  graph.shapes.set(name, [...shape]);
  graph.expressions.set(key, [name]);
  return name;
}

/** A list of integers, `[values.length]` int64: axes, shapes, pads. */
export function integerConstants(graph: Graph, values: readonly number[]): Value {
  return addConstant(graph, "int64", [values.length], BigInt64Array.from(values, BigInt));
}

/** A single int64, `[]`. */
export function integerConstant(graph: Graph, value: number): Value {
  return addConstant(graph, "int64", [], BigInt64Array.of(BigInt(value)));
}

/** A float32 scalar, `[]`. */
export function floatConstant(graph: Graph, value: number): Value {
  return addConstant(graph, "float32", [], Float32Array.of(value));
}

/**
 * Reshapes; a reshape of a reshape reads the first source, one that changes nothing is no node, a constant is renamed.
 */
export function reshape(graph: Graph, value: Value, shape: readonly number[]): Value {
  if (isKnownAs(graph, value, shape)) return value;
  const producer = graph.producers.get(value);
  const source = producer?.operator === "Reshape" ? producer.inputs[0] : value;
  if (isKnownAs(graph, source, shape)) return source;
  const constant = graph.constants.get(source);
  if (constant) return addConstant(graph, constant.elementType, shape, constant.data);
  const result = addNode(graph, "Reshape", [source, integerConstants(graph, shape)]);
  graph.shapes.set(result, [...shape]);
  return result;
}

/**
 * Transposes a value of the given shape; unit axes are dropped and axes that stay neighbours merged first, since ONNX
 * Runtime is fastest at low rank. Two axes keep a unit one before them: of a matrix that is transposed and then
 * reshaped the runtime's optimizer makes a transposition of four axes, ten times as slow. Constants are transposed
 * here.
 */
export function transpose(graph: Graph, value: Value, shape: readonly number[], axes: readonly number[]): Value {
  if (!graph.shapes.has(value)) graph.shapes.set(value, [...shape]);
  const target = axes.map((axis) => shape[axis]);
  const groups: number[][] = [];
  for (const axis of axes) {
    if (shape[axis] === 1) continue;
    const last = groups.at(-1);
    if (last && nextWideAxis(shape, last[last.length - 1]) === axis) last.push(axis);
    else groups.push([axis]);
  }
  if (groups.length < 2) return reshape(graph, value, target);
  const constant = graph.constants.get(value);
  if (constant) return transposeConstant(graph, value, constant, axes);
  if (groups.length === 2) groups.unshift([]);
  const inOrder = [...groups].sort((a, b) => (a[0] ?? -1) - (b[0] ?? -1));
  const merged = inOrder.map((group) => sizeOf(group.map((axis) => shape[axis])));
  const source = reshape(graph, value, merged);
  const perm = groups.map((group) => inOrder.indexOf(group));
  const result = addNode(graph, "Transpose", [source], { perm });
  graph.shapes.set(
    result,
    perm.map((index) => merged[index]),
  );
  return reshape(graph, result, target);
}

/** Lower than any index, so that a slice with a negative step reaches the first element. */
export const BEFORE_FIRST = -(2 ** 31);

/**
 * Reverses the order along some axes. A constant is mirrored here where the graph is not saved, since a file would hold
 * it twice.
 */
export function mirror(graph: Graph, value: Value, axes: readonly number[]): Value {
  const constant = graph.constants.get(value);
  if (constant && graph.block) return mirrorConstant(graph, value, constant, axes);
  const lists = [axes.map(() => -1), axes.map(() => BEFORE_FIRST), axes, axes.map(() => -1)];
  const mirrored = addNode(graph, "Slice", [value, ...lists.map((list) => integerConstants(graph, list))]);
  const shape = graph.shapes.get(value);
  if (shape) graph.shapes.set(mirrored, shape);
  return mirrored;
}

/** Whether two values have the same shape, and it is known. */
export function haveOneShape(graph: Graph, a: Value, b: Value): boolean {
  return isKnownAs(graph, a, graph.shapes.get(b) ?? [Number.NaN]);
}

function transposeConstant(graph: Graph, value: Value, constant: GraphConstant, axes: readonly number[]): Value {
  const { elementType, shape, data } = constant;
  return remembered(graph, `transposed|${value}|${axes.join()}`, () =>
    addConstant(graph, elementType, pick(shape, axes), permuteData(data, shape, axes)),
  );
}

function mirrorConstant(graph: Graph, value: Value, constant: GraphConstant, axes: readonly number[]): Value {
  const { elementType, shape, data } = constant;
  return remembered(graph, `mirrored|${value}|${axes.join()}`, () => {
    const mirrored = data.slice();
    for (const axis of axes) {
      const length = shape[axis];
      const inner = sizeOf(shape.slice(axis + 1));
      const before = mirrored.slice();
      for (let row = 0; row * inner < mirrored.length; row++) {
        const from = (row - (row % length) + length - 1 - (row % length)) * inner;
        mirrored.set(before.subarray(from, from + inner) as never, row * inner);
      }
    }
    return addConstant(graph, elementType, shape, mirrored);
  });
}

/** Zeros after a constant's values, up to other sizes. */
export function padConstant(graph: Graph, value: Value, constant: GraphConstant, to: readonly number[]): Value {
  const { elementType, shape, data } = constant;
  return remembered(graph, `padded|${value}|${to.join()}`, () => {
    const rows = sizeOf(shape.slice(0, -1));
    const length = shape[shape.length - 1];
    const padded = new (data.constructor as Float32ArrayConstructor)(sizeOf(to));
    for (let row = 0; row < rows; row++) {
      let [rest, start, inner] = [row, 0, to[to.length - 1]];
      for (let axis = shape.length - 2; axis >= 0; axis--) {
        start += (rest % shape[axis]) * inner;
        rest = Math.floor(rest / shape[axis]);
        inner *= to[axis];
      }
      padded.set(data.subarray(row * length, (row + 1) * length) as Float32Array, start);
    }
    return addConstant(graph, elementType, to, padded);
  });
}

/** A value that is made once. */
function remembered(graph: Graph, key: string, make: () => Value): Value {
  const known = graph.expressions.get(key);
  if (known) return known[0];
  const result = make();
  graph.expressions.set(key, [result]);
  return result;
}

/** Copies row-major `data` into the order of `axes`. */
export function permuteData<T extends Elements>(data: T, shape: readonly number[], axes: readonly number[]): T {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const result = data.slice() as T;
  const sizes = pick(shape, axes);
  const steps = pick(strides, axes);
  const index = sizes.map(() => 0);
  let from = 0;
  for (let to = 0; to < result.length; to++) {
    result[to] = data[from];
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += steps[axis];
      if (++index[axis] < sizes[axis]) break;
      from -= steps[axis] * sizes[axis];
      index[axis] = 0;
    }
  }
  return result;
}

function pick(from: readonly number[], axes: readonly number[]): number[] {
  return axes.map((axis) => from[axis]);
}

function nextWideAxis(shape: readonly number[], axis: number): number {
  let next = axis + 1;
  while (shape[next] === 1) next++;
  return next;
}

function isKnownAs(graph: Graph, value: Value, shape: readonly number[]): boolean {
  const known = graph.shapes.get(value);
  return known !== undefined && known.length === shape.length && known.every((size, axis) => size === shape[axis]);
}

function nextName(graph: Graph): Value {
  graph.valueCount++;
  return `%${graph.valueCount}`;
}

function dataId(graph: Graph, data: Elements): number {
  const known = graph.dataIds.get(data);
  if (known !== undefined) return known;
  graph.valueCount++;
  graph.dataIds.set(data, graph.valueCount);
  return graph.valueCount;
}
