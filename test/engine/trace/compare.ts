/** Asserts that traced numbers equal others, with an error that names the output and how far off it is. */

import * as tf from "@tensorflow/tfjs";
import { expect } from "vitest";
import { sizeOf } from "../../../src/core/nd-array.js";
import { type Random, random } from "../../../src/core/random.js";
import type { Tensors } from "../../../src/engine/engine.js";
import { block, type Case, type Result, runEager, runTraced } from "./run-traced.js";

/** Float32 sums of a few hundred terms in another order; relative to the largest value. */
const TOLERANCE = 2e-5;

/** Uniform in -1..1. */
export function drawn(shape: readonly number[], source: Random): Float32Array {
  return Float32Array.from({ length: sizeOf(shape) }, () => source.uniform(-1, 1));
}

/** A case of float inputs drawn from a seed. */
export function drawnCase(shapes: Readonly<Record<string, readonly number[]>>, seed: number): Case {
  const entries = Object.entries(shapes).map(([name, shape]) => [name, drawn(shape, random(seed, name))]);
  return { shapes, data: Object.fromEntries(entries) };
}

/** Weights that make a scalar of an output, so that every element has a gradient of its own. */
export function weightAt(index: number): number {
  return Math.sin(index * 0.7) + 0.3;
}

/** `y`, and `d<input>` for each input, the gradient of the weighted sum of y. */
export function withGradients(fn: (inputs: Tensors) => tf.Tensor): (inputs: Tensors) => Tensors {
  return (inputs) => {
    const names = Object.keys(inputs);
    const weighted = (...values: tf.Tensor[]) => {
      const y = fn(Object.fromEntries(names.map((name, index) => [name, values[index]])));
      const weights = tf.tensor(
        Array.from({ length: y.size }, (_, index) => weightAt(index)),
        y.shape,
      );
      return tf.sum(tf.mul(y, weights));
    };
    const gradients = tf.grads(weighted)(Object.values(inputs));
    return {
      y: fn(inputs),
      ...Object.fromEntries(names.map((name, index) => [`d${name}`, gradients[index]])),
    };
  };
}

export function expectEqual(actual: Result, wanted: Result, name: string, tolerance = TOLERANCE): void {
  expect(actual.shape, `${name}: shape`).toEqual(wanted.shape);
  let largest = 1e-3;
  let worst = 0;
  for (const [index, value] of wanted.data.entries()) {
    expect(Number.isNaN(actual.data[index]), `${name}: NaN at ${index}`).toBe(Number.isNaN(value));
    if (!Number.isFinite(value)) continue;
    largest = Math.max(largest, Math.abs(value));
    worst = Math.max(worst, Math.abs(actual.data[index] - value));
  }
  expect(worst / largest, `${name}: largest error, relative`).toBeLessThan(tolerance);
}

/** Traced and eager results agree, output by output. */
export async function expectAsEager(
  fn: (inputs: Tensors) => Tensors,
  given: Case,
  options: { block?: number } = {},
): Promise<void> {
  const actual = await runTraced(fn, given, options);
  for (const [name, wanted] of Object.entries(runEager(fn, given))) expectEqual(actual[name], wanted, name);
}

export type TensorCases = Readonly<Record<string, (x: tf.Tensor4D) => tf.Tensor>>;

/**
 * Runs each case, and its gradient, on one tensor that is row-major and on one as a convolution leaves it, NCHW or in
 * blocks; all in one graph.
 */
export function onBothLayouts(cases: TensorCases, { hasGradient = true } = {}): (inputs: Tensors) => Tensors {
  return ({ x, w }) => {
    const layouts: Record<string, (x: tf.Tensor) => tf.Tensor4D> = {
      "row-major": (x) => x as tf.Tensor4D,
      NCHW: (x) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"),
    };
    const outputs: Record<string, tf.Tensor> = {};
    for (const [layout, arrange] of Object.entries(layouts)) {
      for (const [name, fn] of Object.entries(cases)) {
        const run = ({ x }: Tensors) => fn(arrange(x));
        const made = hasGradient ? withGradients(run)({ x }) : { y: run({ x }) };
        for (const [output, value] of Object.entries(made)) outputs[`${name}, ${layout}, ${output}`] = value;
      }
    }
    return outputs;
  };
}

/** Portable, and in blocks where ONNX Runtime has them here; channels that fill one. */
export const forms: (readonly [string, { readonly block: number; readonly channels: number }])[] = [
  ["portable", { block: 0, channels: 4 }],
];
if (block > 0) forms.push(["in blocks", { block, channels: block }]);
else console.warn("skipped: ONNX Runtime has no blocked form on this processor; only the portable one is tested.");

/** Odd sizes and more than one image, for {@link onBothLayouts}. */
export function layoutCase(seed: number, shape: readonly number[] = [2, 5, 6, 4]): Case {
  return drawnCase({ x: shape, w: [1, 1, shape[3], shape[3]] }, seed);
}
