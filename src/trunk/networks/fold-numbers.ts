/** Computes what does not depend on the image: shapes and what is made of them, mostly. */

import { sizeOf, withAxes } from "../../core/nd-array.js";
import type { OnnxNode } from "../formats/onnx-graph.js";
import { isWhole, smallNumbers } from "../formats/onnx-tensor.js";
import { broadcast } from "./elementwise-operators.js";
import { batchNorm, instanceNorm, REDUCTIONS } from "./fold-reductions.js";
import { axesOf, checkedShape, type Fold, given, numbers } from "./folding.js";
import { isSameList, type Numbers, natural, sliceIndices, wholeAxis } from "./graph-values.js";
import { Refusal } from "./refusal.js";

function ofTwo(compute: (a: number, b: number) => number): Fold {
  return (_, inputs) =>
    inputs.slice(1).reduce((a: Numbers, _b, index) => combined(a, given(inputs, index + 1), compute), given(inputs, 0));
}

function combined(a: Numbers, b: Numbers, compute: (a: number, b: number) => number): Numbers {
  const shape = checkedShape(broadcast(a.shape, b.shape));
  const [atA, atB] = [placesIn(a, shape), placesIn(b, shape)];
  const isInteger = a.isInteger === true && b.isInteger === true;
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, index) =>
    compute(a.data[atA(index)], b.data[atB(index)]),
  );
  return { ...numbers(shape, isInteger ? data.map(Math.trunc) : data), isInteger };
}

/** Where the element of a repetition comes from. */
function placesIn(one: Numbers, shape: readonly number[]): (index: number) => number {
  if (isSameList(one.shape, shape)) return (index) => index;
  if (one.data.length === 1) return () => 0;
  return (index) => {
    // Axis by axis from the right.
    let [rest, place, step] = [index, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = one.shape[axis - (shape.length - one.shape.length)] ?? 1;
      place += size === 1 ? 0 : (rest % shape[axis]) * step;
      step *= size;
      rest = Math.floor(rest / shape[axis]);
    }
    return place;
  };
}

function ofOne(compute: (value: number) => number): Fold {
  return (_, inputs) => {
    const { shape, data } = given(inputs, 0);
    return numbers(shape, Array.from(data, compute));
  };
}

const INTEGERS = new Set([2, 3, 4, 5, 6, 7, 12, 13]);

function cast({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const one = given(inputs, 0);
  const isInteger = INTEGERS.has(attributes.to?.integer ?? 1);
  return { ...numbers(one.shape, isInteger ? Array.from(one.data, Math.trunc) : one.data), isInteger };
}

function unsqueeze(node: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const one = given(inputs, 0);
  const axes = axesOf(node, inputs) ?? [];
  const rank = one.shape.length + axes.length;
  const whole = axes.map((axis) => wholeAxis(axis, rank));
  const rest = [...one.shape];
  return numbers(
    Array.from({ length: rank }, (_, axis) => (whole.includes(axis) ? 1 : Number(rest.shift()))),
    one.data,
  );
}

function squeeze(node: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const one = given(inputs, 0);
  const axes = axesOf(node, inputs)?.map((axis) => wholeAxis(axis, one.shape.length));
  return numbers(
    one.shape.filter((size, axis) => (axes ? !axes.includes(axis) : size !== 1)),
    one.data,
  );
}

function gather({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const [one, indices] = [given(inputs, 0), given(inputs, 1)];
  const axis = wholeAxis(attributes.axis?.integer ?? 0, one.shape.length);
  const [outer, inner] = [sizeOf(one.shape.slice(0, axis)), sizeOf(one.shape.slice(axis + 1))];
  const size = one.shape[axis];
  const shape = checkedShape([...one.shape.slice(0, axis), ...indices.shape, ...one.shape.slice(axis + 1)]);
  const data: number[] = [];
  for (let block = 0; block < outer; block++)
    for (const index of Array.from(indices.data))
      for (let at = 0; at < inner; at++) data.push(one.data[(block * size + wholeAxis(index, size)) * inner + at]);
  return numbers(shape, data);
}

function concat({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const all = inputs.map((_, index) => given(inputs, index));
  const axis = wholeAxis(attributes.axis?.integer ?? 0, all[0].shape.length);
  const outer = sizeOf(all[0].shape.slice(0, axis));
  const total = all.reduce((sum, { shape }) => sum + shape[axis], 0);
  const shape = checkedShape(all[0].shape.with(axis, total));
  const data: number[] = [];
  for (let block = 0; block < outer; block++)
    for (const one of all) {
      const run = one.data.length / outer;
      for (let at = 0; at < run; at++) data.push(one.data[block * run + at]);
    }
  return numbers(shape, data);
}

function slice({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const one = given(inputs, 0);
  const list = (name: string, index: number) =>
    attributes[name]?.integers ?? (inputs[index] && Array.from(inputs[index].data));
  const [starts, ends] = [list("starts", 1), list("ends", 2)];
  if (!starts || !ends) throw new Refusal("lacks its bounds");
  const axes = list("axes", 3) ?? starts.map((_, index) => index);
  const steps = list("steps", 4) ?? starts.map(() => 1);
  let { shape, data } = one;
  for (const [index, axis] of axes.entries()) {
    const at = wholeAxis(axis, shape.length);
    if (steps[index] === 0) throw new Refusal("has a step of 0");
    const kept = sliceIndices(shape[at], { start: starts[index], end: ends[index], step: steps[index] });
    const [outer, inner, size] = [sizeOf(shape.slice(0, at)), sizeOf(shape.slice(at + 1)), shape[at]];
    const result: number[] = [];
    for (let block = 0; block < outer; block++)
      for (const from of kept)
        for (let place = 0; place < inner; place++) result.push(data[(block * size + from) * inner + place]);
    [shape, data] = [shape.with(at, kept.length), result];
  }
  return { ...numbers(shape, data), isInteger: one.isInteger };
}

function reshape(_: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const [one, wanted] = [given(inputs, 0), given(inputs, 1)];
  const shape = Array.from(wanted.data, (size, axis) => (size === 0 ? one.shape[axis] : size));
  const rest = shape.filter((size) => size !== -1).reduce((product, size) => product * size, 1);
  return numbers(
    shape.map((size) => (size === -1 ? one.data.length / rest : size)),
    one.data,
  );
}

function constantOfShape({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const shape = checkedShape(Array.from(given(inputs, 0).data));
  const tensor = attributes.value?.tensor;
  const [value = 0] = smallNumbers(tensor) ?? [];
  return {
    ...numbers(shape, new Float64Array(sizeOf(shape)).fill(value)),
    isInteger: tensor !== undefined && isWhole(tensor),
  };
}

function flatten({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const { shape, data } = given(inputs, 0);
  const axis = wholeAxis(attributes.axis?.integer ?? 1, shape.length);
  return numbers([sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))], data);
}

function transpose({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const one = given(inputs, 0);
  const turned = withAxes(one, attributes.perm?.integers ?? natural(one.shape.length).toReversed());
  return numbers(turned.shape, turned.data);
}

function shapeOf({ attributes }: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  const { shape } = given(inputs, 0);
  const part = shape.slice(attributes.start?.integer ?? 0, attributes.end?.integer ?? shape.length);
  return { ...numbers([part.length], part), isInteger: true };
}

const FOLDS: Readonly<Record<string, Fold>> = {
  Add: ofTwo((a, b) => a + b),
  Sub: ofTwo((a, b) => a - b),
  Mul: ofTwo((a, b) => a * b),
  Div: ofTwo((a, b) => a / b),
  Pow: ofTwo((a, b) => a ** b),
  Sum: ofTwo((a, b) => a + b),
  Max: ofTwo(Math.max),
  Min: ofTwo(Math.min),
  Floor: ofOne(Math.floor),
  Ceil: ofOne(Math.ceil),
  Neg: ofOne((value) => -value),
  Sqrt: ofOne(Math.sqrt),
  Exp: ofOne(Math.exp),
  Log: ofOne(Math.log),
  Abs: ofOne(Math.abs),
  Reciprocal: ofOne((value) => 1 / value),
  Identity: (_, inputs) => given(inputs, 0),
  Cast: cast,
  Shape: shapeOf,
  Gather: gather,
  Unsqueeze: unsqueeze,
  Squeeze: squeeze,
  Concat: concat,
  Slice: slice,
  Reshape: reshape,
  Transpose: transpose,
  Flatten: flatten,
  ConstantOfShape: constantOfShape,
  ...REDUCTIONS,
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
};

/** @throws Refusal where the operator is not computed on numbers. */
export function fold(node: OnnxNode, inputs: readonly (Numbers | undefined)[]): Numbers {
  if (!Object.hasOwn(FOLDS, node.operator))
    throw new Refusal("is not computed on constants", "Export the network with its constants folded.");
  const result = FOLDS[node.operator](node, inputs);
  // What only moves numbers leaves them of their type.
  return MOVES.has(node.operator) ? { ...result, isInteger: inputs[0]?.isInteger } : result;
}

const MOVES = new Set(["Identity", "Gather", "Unsqueeze", "Squeeze", "Concat", "Reshape", "Transpose", "Flatten"]);
