import * as tf from "@tensorflow/tfjs";
import { expect, test } from "vitest";
import { spreadMaximum } from "../../src/ops/spread-maximum.js";

test("a spread maximum is the maximum, and its gradient reaches each place by its share of it", () => {
  // Two channels over 1 x 3 places; the second is nothing anywhere.
  const x = tf.tensor4d([4, 0, 2, 0, 4, 0], [1, 1, 3, 2]);
  expect([...spreadMaximum(x).dataSync()]).toEqual([4, 0]);
  const weights = tf.tensor2d([3, 5], [1, 2]);
  const gradient = tf.grad((at) => tf.sum(tf.mul(spreadMaximum(at as tf.Tensor4D), weights)))(x);
  expect([...gradient.dataSync()]).toEqual([3, 0, 1.5, 0, 3, 0]);
});
