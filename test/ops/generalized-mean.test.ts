import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { classifier } from "../../src/heads/classifier.js";
import type { ClassifierSpec } from "../../src/heads/head-spec.js";
import { generalizedMean } from "../../src/ops/generalized-mean.js";
import { runTraced } from "../engine/trace/run-traced.js";
import { given, oneTap, tensors } from "../heads/given.js";

beforeAll(() => tf.setBackend("cpu"));

const pooled = (values: readonly number[], shape: [number, number, number, number]) =>
  Array.from(generalizedMean(tf.tensor4d([...values], shape)).dataSync<"float32">());

describe("the generalized mean", () => {
  test("is the cube root of the mean of cubes, by channel", () => {
    // (1 + 27 + 8 + 0) / 4 = 9; of one value in four, 2 / 4^(1/3).
    expect(pooled([1, 0, 3, 2, 2, 0, 0, 0], [1, 2, 2, 2])).toEqual([
      expect.closeTo(9 ** (1 / 3), 5),
      expect.closeTo(2 / 4 ** (1 / 3), 5),
    ]);
  });

  test("of one value everywhere is that value; what is below 0 counts as 0", () => {
    expect(pooled([5, 5, 5, 5], [1, 2, 2, 1])[0]).toBeCloseTo(5, 5);
    expect(pooled([2, -9, -9, -9], [1, 2, 2, 1])[0]).toBeCloseTo(2 / 4 ** (1 / 3), 5);
    expect(pooled([0, 0, -1, 0], [1, 2, 2, 1])[0]).toBeCloseTo(0, 5);
  });

  test("its gradient is the slope, shared out by the squares", () => {
    const values = [0.5, 2, 1, 0.1];
    const at = (x: readonly number[]) => pooled(x, [1, 2, 2, 1])[0];
    const gradient = tf
      .grad((x) => tf.sum(generalizedMean(x as tf.Tensor4D)))(tf.tensor4d(values, [1, 2, 2, 1]))
      .dataSync();
    const step = 1e-2;
    for (const [index, value] of values.entries()) {
      const moved = (by: number) => at(values.with(index, value + by));
      expect(gradient[index]).toBeCloseTo((moved(step) - moved(-step)) / (2 * step), 3);
      expect(gradient[index] / gradient[1]).toBeCloseTo((value / 2) ** 2, 5);
    }
    // Homogeneous: the gradient times the values is the mean itself.
    expect(values.reduce((sum, value, index) => sum + value * gradient[index], 0)).toBeCloseTo(at(values), 5);
    const atZero = tf
      .grad((x) => tf.sum(generalizedMean(x as tf.Tensor4D)))(tf.zeros([1, 2, 2, 1]))
      .dataSync();
    expect([...atZero].every(Number.isFinite)).toBe(true);
  });

  test("traced, gives the same", async () => {
    const data = { x: Float32Array.from({ length: 96 }, (_, i) => ((i * 37) % 11) - 3) };
    const fn = ({ x }: Readonly<Record<string, tf.Tensor>>) => ({ y: generalizedMean(x as tf.Tensor4D) });
    const { y } = await runTraced(fn, { shapes: { x: [2, 4, 4, 3] }, data });
    const eager = pooled([...data.x], [2, 4, 4, 3]);
    for (const [index, value] of eager.entries()) expect(y.data[index]).toBeCloseTo(value, 4);
  });
});

test("a classifier pools with it where its spec says so", () => {
  const plain = given("single", oneTap, { batch: 2 });
  const pooling = { ...plain.head.spec, pooling: "generalized-mean" } as const;
  const parameters = tensors(plain.parameters);
  const [features] = Object.values(tensors(plain.taps)) as tf.Tensor4D[];
  const head = classifier(pooling as ClassifierSpec, oneTap);
  const expected = tf.add(
    tf.matMul(generalizedMean(features), parameters["head/class/kernel"] as tf.Tensor2D),
    parameters["head/class/bias"],
  );
  const apart = tf.max(tf.abs(tf.sub(head.forward(parameters, [features]), expected))).dataSync()[0];
  expect(apart).toBeLessThan(1e-5);
});
