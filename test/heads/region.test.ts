import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { Head } from "../../src/heads/head.js";
import type { AspectSpec } from "../../src/heads/head-spec.js";
import { evidenceLogit, region } from "../../src/heads/region.js";
import { given, oneTap } from "./given.js";

beforeAll(() => tf.setBackend("cpu"));

const aspect = (kind: "segmentation" | "boxes" | "presence" | "number" | "map") =>
  given(kind, oneTap).head as Head<AspectSpec>; // none of these is the classifier

test("the region of a mask is where the sigmoid reaches the threshold", () => {
  for (const kind of ["segmentation", "map"] as const) {
    const logits = tf.tensor4d([-1, 0, 1e-6, -1e-6], [1, 2, 2, 1]);
    expect([...region(aspect(kind), logits).dataSync()]).toEqual([0, 1, 1, 0]); // threshold 0.5
  }
});

test("the region of one number is that number, also where it says no", () => {
  for (const kind of ["presence", "number"] as const) {
    expect([...region(aspect(kind), tf.tensor2d([[-9], [9]])).dataSync()]).toEqual([1, 1]);
  }
});

test("the region of boxes is their centre cells, each image by itself", () => {
  const logits = tf.buffer([2, 3, 3, 5]);
  for (let i = 0; i < 90; i += 5) logits.values[i] = -3;
  logits.set(2, 0, 0, 0, 0);
  logits.set(1, 0, 0, 1, 0); // beside a larger one
  logits.set(0.5, 0, 2, 2, 0);
  logits.set(9, 1, 1, 1, 3); // an offset is no heat
  const cells = region(aspect("boxes"), logits.toTensor());
  expect(cells.shape).toEqual([2, 3, 3, 1]);
  expect([...cells.dataSync()]).toEqual([1, 0, 0, 0, 0, 0, 0, 0, 1, ...Array(9).fill(0)]);
});

test("evidence is the heat of boxes, the whole answer of others, and its gradient reaches only that", () => {
  const logits = tf.tensor4d(
    Array.from({ length: 20 }, (_, i) => i),
    [1, 2, 2, 5],
  );
  expect([...evidenceLogit(aspect("boxes"), logits).dataSync()]).toEqual([0, 5, 10, 15]);
  const gradient = tf.grad((x: tf.Tensor) => tf.sum(evidenceLogit(aspect("boxes"), x)))(logits);
  expect([...gradient.dataSync()]).toEqual(Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 1 : 0)));
  const mask = tf.tensor4d([1, 2], [1, 2, 1, 1]);
  expect([...evidenceLogit(aspect("segmentation"), mask).dataSync()]).toEqual([1, 2]);
});
