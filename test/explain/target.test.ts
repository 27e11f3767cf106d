import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import type { Task } from "../../src/core/annotation.js";
import { referenceOf, resolveTarget, scoresOf, targetValue } from "../../src/explain/graph/logit-target.js";
import { scaleOf, type TargetScale } from "../../src/explain/target.js";

beforeAll(() => tf.setBackend("cpu"));

const logits = () => tf.tensor2d([[1, 2, 4]]);
const value = (weights: number[], scale: TargetScale = "log-odds") =>
  targetValue(logits(), tf.tensor2d([weights]), { scale }).dataSync()[0];
const resolved = (z: number[][], target: number[][], task: Task = "single") =>
  resolveTarget(tf.tensor2d(z), tf.tensor2d(target), { task }).arraySync();

test("the scale is log-odds for one class of several, unless its own logit is asked for", () => {
  expect(scaleOf(undefined, "single")).toBe("log-odds");
  expect(scaleOf({ kind: "margin", class: "a", other: "b" }, "single")).toBe("log-odds");
  expect(scaleOf({ kind: "logit", class: "a" }, "single")).toBe("logit");
  expect(scaleOf(undefined, "multi")).toBe("logit");
  expect(scaleOf({ kind: "value" }, "regression")).toBe("logit");
});

describe("the target's value", () => {
  test("of one class is its log-odds", () => {
    // 2 - log(e^1 + e^4) = 2 - 4.0485874
    expect(value([0, 1, 0])).toBeCloseTo(2 - Math.log(Math.exp(1) + Math.exp(4)), 5);
  });

  test("of one of two classes is the margin", () => {
    const two = targetValue(tf.tensor2d([[0.5, -1.25]]), tf.tensor2d([[1, 0]]), { scale: "log-odds" });
    expect(two.dataSync()[0]).toBeCloseTo(1.75, 6);
  });

  test("of a contrast is the margin, whatever the others say", () => {
    expect(value([0, -1, 1])).toBe(2);
    // All classes chosen: nothing is left for the logsumexp, and nothing may become NaN.
    expect(targetValue(tf.tensor2d([[3, 1]]), tf.tensor2d([[1, -1]]), { scale: "log-odds" }).dataSync()[0]).toBe(2);
  });

  test("of a label or a regression is the logit itself", () => {
    expect(value([0, 0, 1], "logit")).toBe(4);
    expect(targetValue(tf.tensor2d([[7]]), tf.tensor2d([[1]]), { scale: "logit" }).dataSync()[0]).toBe(7);
  });

  test("has the gradient t - (sum t) softmax over the others", () => {
    const gradient = tf.grad((z: tf.Tensor) =>
      tf.sum(targetValue(z as tf.Tensor2D, tf.tensor2d([[0, 0, 1]]), { scale: "log-odds" })),
    )(logits());
    // Others are 1 and 2: softmax = [1, e] / (1 + e).
    const share = Math.E / (1 + Math.E);
    const [a, b, c] = gradient.dataSync();
    expect(a).toBeCloseTo(share - 1, 6);
    expect(b).toBeCloseTo(-share, 6);
    expect(c).toBeCloseTo(1, 6);
  });
});

describe("all zero", () => {
  test("means the predicted class of each image, beside images with a target of their own", () => {
    const z = [
      [1, 5, 2],
      [3, 0, 1],
      [0, 0, 9],
    ];
    const target = [
      [0, 0, 0],
      [0, 0, 0],
      [1, -1, 0],
    ];
    expect(resolved(z, target)).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [1, -1, 0],
    ]);
  });

  test("means the value of a regression", () => {
    expect(resolved([[3], [3]], [[0], [-1]], "regression")).toEqual([[1], [-1]]);
  });

  test("takes the first of classes that tie", () => {
    expect(resolved([[2, 2]], [[0, 0]])).toEqual([[1, 0]]);
  });
});

describe("the reference", () => {
  // Two classes, two channels; the last row is over all images.
  const table = () =>
    tf.tensor2d([
      [1, 2],
      [3, 4],
      [10, 20],
    ]);
  const of = (weights: number[]) => [...referenceOf(table(), tf.tensor2d([weights]), { task: "single" }).dataSync()];

  test("of a class is its own row, of a margin the last", () => {
    expect(of([1, 0])).toEqual([1, 2]);
    expect(of([0, 1])).toEqual([3, 4]);
    expect(of([1, -1])).toEqual([10, 20]);
  });

  test("of a regression is the only row, for each image", () => {
    const reference = referenceOf(tf.tensor2d([[5, 6]]), tf.tensor2d([[1], [1]]), { task: "regression" });
    expect(reference.shape).toEqual([2, 1, 1, 2]);
    expect([...reference.dataSync()]).toEqual([5, 6, 5, 6]);
  });
});

test("scores are a softmax, a sigmoid a label, or the value", () => {
  const z = tf.tensor2d([[0, Math.log(3)]]);
  const scores = (task: Task) => scoresOf(z, { task }).dataSync();
  expect(scores("single")[1]).toBeCloseTo(0.75, 6);
  expect(scores("multi")[0]).toBeCloseTo(0.5, 6);
  expect(scores("multi")[1]).toBeCloseTo(0.75, 6);
  expect(scores("regression")[1]).toBeCloseTo(Math.log(3), 6);
});
