import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { averagePool } from "../../src/ops/average-pool.js";

beforeAll(() => tf.setBackend("cpu"));

const pads = { top: 1, left: 1, bottom: 1, right: 0 };

test("means what lies in the image, by hand", () => {
  const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
  const pooled = averagePool(x, { kernel: [2, 2], strides: [2, 2], pads });
  // Windows of 2 x 2 begin one row above and one column before 1 2 / 3 4: they see the 1, and below it the 3.
  expect(pooled.shape).toEqual([1, 2, 1, 1]);
  expect([...pooled.dataSync()]).toEqual([1, 3]);
});

test("has the gradient of finite differences", () => {
  const stream = random(5);
  const shape: [number, number, number, number] = [2, 5, 4, 2];
  const draw = (length: number) => Float32Array.from({ length }, () => stream.normal());
  const [values, weights] = [draw(80), draw(2 * 3 * 4 * 2)];
  const weighed = (x: tf.Tensor4D) =>
    tf.sum(
      tf.mul(averagePool(x, { kernel: [3, 2], strides: [2, 1], pads }), tf.tensor4d(weights, [2, 3, 4, 2])),
    ) as tf.Scalar;
  const slopes = tf
    .grad(weighed as (x: tf.Tensor) => tf.Scalar)(tf.tensor4d(values, shape))
    .dataSync();
  for (let i = 0; i < values.length; i++) {
    const at = (step: number) => {
      const moved = values.slice();
      moved[i] += step;
      return weighed(tf.tensor4d(moved, shape)).dataSync()[0];
    };
    // Linear in x, so that a large step costs no accuracy.
    expect(slopes[i]).toBeCloseTo((at(1) - at(-1)) / 2, 4);
  }
});
