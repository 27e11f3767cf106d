import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { type Rectifier, rectify } from "../../src/trunk/rectifier.js";

beforeAll(() => tf.setBackend("cpu"));

const X = [-1, 2, 3, 7];
const DY = [5, -5, 4, 3];

function gradient(activation: "relu" | "relu6", rectifier: Rectifier): number[] {
  const x = tf.tensor4d(X, [1, 2, 2, 1]);
  const dy = tf.tensor4d(DY, [1, 2, 2, 1]);
  const run = (x: tf.Tensor) => rectify(x as tf.Tensor4D, { activation, rectifier });
  expect([...run(x).dataSync()]).toEqual(activation === "relu" ? [0, 2, 3, 7] : [0, 2, 3, 6]);
  return [...tf.grad(run)(x, dy).dataSync()].map((value) => value + 0); // -0 is 0
}

test("the derivative passes where the unit is active", () => {
  expect(gradient("relu", "gradient")).toEqual([0, -5, 4, 3]);
  expect(gradient("relu6", "gradient")).toEqual([0, -5, 4, 0]);
});

test("guided passes where the unit is active and the gradient positive", () => {
  expect(gradient("relu", "guided")).toEqual([0, 0, 4, 3]);
  expect(gradient("relu6", "guided")).toEqual([0, 0, 4, 0]);
});

test("deconvnet passes where the gradient is positive", () => {
  expect(gradient("relu", "deconvnet")).toEqual([5, 0, 4, 3]);
  expect(gradient("relu6", "deconvnet")).toEqual([5, 0, 4, 3]);
});
