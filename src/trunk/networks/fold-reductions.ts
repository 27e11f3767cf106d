/** Means, sums and normalisation of constants: kernels that a network standardises before it uses them. */

import { sizeOf } from "../../core/nd-array.js";
import { axesOf, type Fold, given, numbers } from "./folding.js";
import { type Numbers, natural, wholeAxis } from "./graph-values.js";
import { Refusal } from "./refusal.js";

interface Sums {
  /** Axes that are summed have size 1. */
  readonly shape: readonly number[];
  readonly data: Float64Array;
  /** Of each element, the place of its sum. */
  readonly places: Int32Array;
}

/** @param join what an element makes of the result so far, which begins with `first`. */
function joined(
  { shape, data }: Numbers,
  axes: ReadonlySet<number>,
  { first, join }: { first: number; join: (result: number, value: number) => number },
): Sums {
  const kept = shape.map((size, axis) => (axes.has(axis) ? 1 : size));
  const places = new Int32Array(data.length);
  const result = new Float64Array(sizeOf(kept)).fill(first);
  const steps = shape.map((_, axis) => (axes.has(axis) ? 0 : sizeOf(kept.slice(axis + 1))));
  for (let index = 0; index < data.length; index++) {
    let [rest, place] = [index, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += (rest % shape[axis]) * steps[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    places[index] = place;
    result[place] = join(result[place], data[index]);
  }
  return { shape: kept, data: result, places };
}

const SUM = { first: 0, join: (sum: number, value: number) => sum + value };

function reduction(
  { first, join }: typeof SUM,
  ended: (result: number, count: number) => number = (result) => result,
): Fold {
  return (node, inputs) => {
    const one = given(inputs, 0);
    const listed = axesOf(node, inputs);
    if (!listed?.length && node.attributes.noop_with_empty_axes?.integer) return one;
    const axes = new Set(listed?.length ? listed.map((axis) => wholeAxis(axis, one.shape.length)) : one.shape.keys());
    const { shape, data } = joined(one, axes, { first, join });
    const count = one.data.length / data.length;
    const keepsAxes = (node.attributes.keepdims?.integer ?? 1) !== 0;
    const left = keepsAxes ? shape : one.shape.filter((_, axis) => !axes.has(axis));
    const { isInteger } = one;
    return {
      ...numbers(
        left,
        Array.from(data, (result) => ended(result, count)),
      ),
      isInteger,
    };
  };
}

export const REDUCTIONS: Readonly<Record<string, Fold>> = {
  ReduceSum: reduction(SUM),
  ReduceMean: reduction(SUM, (sum, count) => sum / count),
  ReduceMax: reduction({ first: Number.NEGATIVE_INFINITY, join: Math.max }),
  ReduceMin: reduction({ first: Number.POSITIVE_INFINITY, join: Math.min }),
  ReduceProd: reduction({ first: 1, join: (product, value) => product * value }),
  ReduceSumSquare: reduction({ first: 0, join: (sum, value) => sum + value * value }),
  ReduceL2: reduction({ first: 0, join: (sum, value) => sum + value * value }, Math.sqrt),
};

/** Along axis 1. In training mode by the mean and variance of the numbers themselves. */
export const batchNorm: Fold = ({ attributes }, inputs) => {
  const one = given(inputs, 0);
  const epsilon = attributes.epsilon?.float ?? 1e-5;
  if (attributes.training_mode?.integer) {
    const axes = new Set(natural(one.shape.length).filter((axis) => axis !== 1));
    return scaled(standardised(one, axes, epsilon), inputs);
  }
  const [mean, variance] = [given(inputs, 3), given(inputs, 4)];
  const channel = channelOf(one);
  const data = Float64Array.from(one.data, (value, index) => {
    const at = channel(index);
    return (value - mean.data[at]) / Math.sqrt(variance.data[at] + epsilon);
  });
  return scaled(numbers(one.shape, data), inputs);
};

/** Over all axes behind axis 1. */
export const instanceNorm: Fold = ({ attributes }, inputs) => {
  const one = given(inputs, 0);
  const axes = new Set(natural(one.shape.length).slice(2));
  return scaled(standardised(one, axes, attributes.epsilon?.float ?? 1e-5), inputs);
};

function standardised(one: Numbers, axes: ReadonlySet<number>, epsilon: number): Numbers {
  const { data: sums, places } = joined(one, axes, SUM);
  const count = one.data.length / sums.length;
  const centred = Float64Array.from(one.data, (value, index) => value - sums[places[index]] / count);
  const squares = joined({ ...one, data: centred.map((value) => value * value) }, axes, SUM).data;
  return numbers(
    one.shape,
    centred.map((value, index) => value / Math.sqrt(squares[places[index]] / count + epsilon)),
  );
}

/** By inputs 1 and 2, along axis 1. */
function scaled(one: Numbers, inputs: readonly (Numbers | undefined)[]): Numbers {
  const [scale, shift] = [given(inputs, 1), given(inputs, 2)];
  const channels = one.shape[1];
  if (scale.data.length !== channels || shift.data.length !== channels)
    throw new Refusal(`normalises ${scale.data.length} channels of ${channels}`);
  const channel = channelOf(one);
  return numbers(
    one.shape,
    Float64Array.from(one.data, (value, index) => value * scale.data[channel(index)] + shift.data[channel(index)]),
  );
}

function channelOf({ shape }: Numbers): (index: number) => number {
  const inner = sizeOf(shape.slice(2));
  return (index) => Math.floor(index / inner) % shape[1];
}
