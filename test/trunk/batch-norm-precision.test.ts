import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import type { Tensors } from "../../src/engine/engine.js";
import { normaliseByBatch } from "../../src/trunk/batch-norm.js";
import { forms } from "../engine/trace/compare.js";
import { runTraced } from "../engine/trace/run-traced.js";

beforeAll(() => tf.setBackend("cpu"));

const SHAPE = [4, 6, 5] as const;
const EPSILON = 1e-3;
const MOMENTUM = 0.9;

/** Output, gradients of `sum(dy * output)` and new moving statistics, in float64. */
function reference(x: ArrayLike<number>, dy: ArrayLike<number>, gamma: ArrayLike<number>, beta: ArrayLike<number>) {
  const channels = gamma.length;
  const count = x.length / channels;
  const at = (values: ArrayLike<number>, c: number) =>
    Array.from({ length: count }, (_, i) => values[i * channels + c]);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const result = {
    y: new Float64Array(x.length),
    dx: new Float64Array(x.length),
    dgamma: new Float64Array(channels),
    dbeta: new Float64Array(channels),
    mean: new Float64Array(channels),
    variance: new Float64Array(channels),
  };
  for (let c = 0; c < channels; c++) {
    const values = at(x, c);
    const middle = mean(values);
    const variance = mean(values.map((value) => (value - middle) ** 2));
    const inverse = 1 / Math.sqrt(variance + EPSILON);
    const normal = values.map((value) => (value - middle) * inverse);
    const slopes = at(dy, c);
    const dotted = mean(slopes.map((slope, i) => slope * normal[i]));
    for (let i = 0; i < count; i++) {
      result.y[i * channels + c] = gamma[c] * normal[i] + beta[c];
      result.dx[i * channels + c] = gamma[c] * inverse * (slopes[i] - mean(slopes) - normal[i] * dotted);
    }
    result.dgamma[c] = dotted * count;
    result.dbeta[c] = mean(slopes) * count;
    result.mean[c] = (1 - MOMENTUM) * middle;
    result.variance[c] = MOMENTUM + (1 - MOMENTUM) * variance;
  }
  return result;
}

/** Largest error relative to the largest value, as measured times about three. */
const tolerances = {
  0: { y: 8e-7, dx: 8e-7, dgamma: 8e-7, dbeta: 8e-7, mean: 8e-7, variance: 8e-7 },
  100: { y: 7e-6, dx: 7e-6, dgamma: 1.2e-4, dbeta: 8e-7, mean: 8e-7, variance: 8e-7 },
} as const;

test.each(forms.flatMap(([form, options]) => ([0, 100] as const).map((offset) => ({ form, ...options, offset }))))(
  "batch statistics and their gradients are those of float64 $offset deviations from zero, $form",
  async ({ block, channels, offset }) => {
    const shape = [...SHAPE, channels];
    const draw = (size: number, key: string, middle = 0) => {
      const stream = random(3, key);
      return Float32Array.from({ length: size }, () => middle + stream.normal());
    };
    const size = shape.reduce((a, b) => a * b);
    const data = {
      x: draw(size, "x", offset),
      dy: draw(size, "dy", 0.5),
      gamma: draw(channels, "gamma", 1),
      beta: draw(channels, "beta"),
      w: Float32Array.from({ length: channels ** 2 }, (_, index) => (index % (channels + 1) === 0 ? 1 : 0)),
    };
    const fn = ({ x, dy, gamma, beta, w }: Tensors) => {
      let moving: Record<string, tf.Tensor> = {};
      const run = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) => {
        // Through a convolution that changes nothing, so that features lie as convolutions leave them.
        const features = tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
        const statistics = { movingMean: tf.zeros([channels]), movingVariance: tf.ones([channels]) };
        const made = normaliseByBatch(features, { gamma, beta, ...statistics }, { momentum: MOMENTUM });
        moving = { mean: tf.keep(made.movingMean), variance: tf.keep(made.movingVariance) };
        return made.output;
      };
      const slope = (...values: [tf.Tensor, tf.Tensor, tf.Tensor]) => tf.sum(tf.mul(run(...values), dy));
      const [dx, dgamma, dbeta] = tf.grads(slope as never)([x, gamma, beta]);
      return { y: run(x, gamma, beta), dx, dgamma, dbeta, ...moving };
    };
    const shapes = { x: shape, dy: shape, gamma: [channels], beta: [channels], w: [1, 1, channels, channels] };
    const actual = await runTraced(fn, { shapes, data }, { block });
    const wanted = reference(data.x, data.dy, data.gamma, data.beta);
    for (const [name, values] of Object.entries(wanted) as [keyof typeof wanted, Float64Array][]) {
      const largest = Math.max(...values.map(Math.abs));
      const error = Math.max(...values.map((value, index) => Math.abs(value - actual[name].data[index]))) / largest;
      expect(error, `${name}: ${error}`).toBeLessThan(tolerances[offset][name]);
    }
  },
);
