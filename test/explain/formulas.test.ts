import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { answerEvidence, aspectEvidence, evidenceMap, overlapMap } from "../../src/explain/evidence.js";
import { identity } from "../../src/explain/mapping/identity.js";
import { fade, maskOf } from "../../src/explain/masking.js";
import { quantile } from "../../src/explain/quantile.js";
import { relevanceOf } from "../../src/explain/reading/relevance.js";
import { filterWeights, gradCamMap } from "../../src/explain/saliency/grad-cam.js";
import { targetGradients } from "../../src/explain/saliency/target-gradients.js";
import { quantile as sortedQuantile } from "../reference/explanation.js";

beforeAll(() => tf.setBackend("cpu"));

/** A 2x2 grid of two channels. */
const grid = (...values: number[]) => tf.tensor4d(values, [1, 2, 2, 2]);
const numbers = (tensor: tf.Tensor) => [...tensor.dataSync()];

describe("quantile", () => {
  const row = [5, 1, 4, 2, 3];

  test("interpolates between order statistics as numpy does", () => {
    // Position 0.95 * 4 = 3.8 between 4 and 5.
    expect(quantile(tf.tensor2d([row]), 0.95).dataSync()[0]).toBeCloseTo(4.8, 6);
    expect(quantile(tf.tensor2d([row]), 0.5).dataSync()[0]).toBe(3);
    expect(quantile(tf.tensor2d([[7]]), 0.95).dataSync()[0]).toBe(7);
  });

  test("agrees with a sort, row by row, for any share", () => {
    const rows = [0, 1].map((seed) => Array.from({ length: 37 }, (_, i) => Math.sin(12.9898 * (i + 37 * seed)) * 10));
    for (const q of [0, 0.01, 0.33, 0.9, 0.95, 0.99, 1]) {
      const found = numbers(quantile(tf.tensor2d(rows), q));
      for (const [index, values] of rows.entries()) expect(found[index]).toBeCloseTo(sortedQuantile(values, q), 5);
    }
  });
});

describe("Grad-CAM", () => {
  test("weights each channel by its mean gradient", () => {
    // Channel 0: (1 + 2 + 3 + 6) / 4 = 3; channel 1: (-1 - 1 - 1 + 1) / 4 = -0.5.
    expect(numbers(filterWeights(grid(1, -1, 2, -1, 3, -1, 6, 1)))).toEqual([3, -0.5]);
  });

  test("draws the weighted sum of what features have beyond the reference, where it is positive", () => {
    const weights = tf.tensor4d([3, -0.5], [1, 1, 1, 2]);
    // 3*1 - 0.5*2 = 2; 3*0 - 0.5*4 = -2; 3*(-1) + 0.5*8 = 1; 0.
    expect(numbers(gradCamMap(grid(1, 2, 0, 4, -1, -8, 0, 0), weights))).toEqual([2, 0, 1, 0]);
  });
});

describe("the gradients of the target", () => {
  // value = sum of w z^3 of each image, so that the gradient differs between the two points: 3 w z^2.
  const logitsAt = (at: tf.Tensor4D) => tf.reshape(tf.pow(at, 3), [1, 8]) as tf.Tensor2D;
  const weights = [1, -1, 2, 0.5, 1, 1, 1, 3];
  const value = (z: tf.Tensor2D) => tf.sum(tf.mul(z, tf.tensor2d([weights])), 1) as tf.Tensor1D;
  const features = [1, 2, -1, 0.5, 0, 3, 2, 1];
  const reference = [0.5, 1];

  test("are taken at the features, and averaged with those half way to the reference", () => {
    const found = targetGradients(logitsAt, {
      features: grid(...features),
      reference: tf.tensor4d(reference, [1, 1, 1, 2]),
      value,
    });
    const atFeatures = features.map((f, i) => 3 * weights[i] * f * f);
    const halfWay = features.map((f, i) => 3 * weights[i] * ((f + reference[i % 2]) / 2) ** 2);
    for (const [i, expected] of atFeatures.entries()) {
      expect(found.atFeatures.dataSync()[i]).toBeCloseTo(expected, 4);
      expect(found.mean.dataSync()[i]).toBeCloseTo((expected + halfWay[i]) / 2, 4);
    }
  });
});

describe("masking", () => {
  const weights = () => tf.tensor4d([2, -4, 1, 0], [1, 1, 1, 4]);
  // |w| sorted 0 1 2 4; p95 at 2.85: 2 + 0.85 * 2 = 3.7.
  const map = () => tf.tensor4d([0, 1, 2, 10], [1, 2, 2, 1]);
  // p99 at 2.97: 2 + 0.97 * 8 = 9.76; p90 at 2.7: 2 + 0.7 * 8 = 7.6.

  test("by filter weights is one number a channel, negative ones fade wholly", () => {
    const mask = numbers(maskOf({ weights: weights(), map: map() }));
    for (const [i, expected] of [2 / 3.7, 0, 1 / 3.7, 0].entries()) expect(mask[i]).toBeCloseTo(expected, 6);
  });

  test("by the map is one number a place, cut at its 99 % quantile", () => {
    const mask = numbers(maskOf({ weights: weights(), map: map() }, { masking: "multiply" }));
    for (const [i, expected] of [0, 1 / 9.76, 2 / 9.76, 1].entries()) expect(mask[i]).toBeCloseTo(expected, 6);
  });

  test("by both is the root of their product at every element", () => {
    const mask = maskOf({ weights: weights(), map: map() }, { masking: "both" });
    expect(mask.shape).toEqual([1, 2, 2, 4]);
    expect(numbers(mask)[4 * 1 + 2]).toBeCloseTo(Math.sqrt((1 / 3.7) * (1 / 9.76)), 6);
  });

  test("by a threshold keeps the places above the 90 % quantile", () => {
    expect(numbers(maskOf({ weights: weights(), map: map() }, { masking: "threshold" }))).toEqual([0, 0, 0, 1]);
  });

  test("of no saliency at all fades everything, without NaN", () => {
    const zeros = { weights: tf.zeros([1, 1, 1, 4]) as tf.Tensor4D, map: tf.zeros([1, 2, 2, 1]) as tf.Tensor4D };
    for (const masking of ["filter-weights", "multiply", "both", "threshold"] as const) {
      expect(Math.max(...numbers(maskOf(zeros, { masking })))).toBe(0);
    }
  });

  test("fades to the reference, not to zero", () => {
    const reference = tf.tensor4d([10, 20], [1, 1, 1, 2]);
    const mask = tf.tensor4d([1, 0.25], [1, 1, 1, 2]);
    // 10 + 1 * 4, 20 + 0.25 * 4.
    expect(numbers(fade(tf.fill([1, 2, 2, 2], 4), { mask, reference })).slice(0, 2)).toEqual([14, 21]);
  });
});

describe("evidence", () => {
  test("of the answer loses what is cancelled at its place", () => {
    const gradient = grid(1, 1, 1, 1, 1, 1, -1, -1);
    const difference = grid(3, -1, 2, 2, -2, 1, 1, 1);
    // Place 0: products 3, -1: net 2, gross 3, N = 2/3: c = 2, 0. Place 1: no cancelling. Place 2: net -1: nothing.
    const c = numbers(answerEvidence(gradient, { difference }));
    for (const [i, expected] of [2, 0, 2, 2, 0, 0, 0, 0].entries()) expect(c[i]).toBeCloseTo(expected, 6);
  });

  test("of an aspect is the positive part of gradient times difference", () => {
    expect(
      numbers(aspectEvidence(grid(1, 2, 3, 4, -1, -1, 0, 5), { difference: grid(1, -1, 2, 0, -3, 1, 9, 1) })),
    ).toEqual([1, 0, 6, 0, 3, 0, 0, 5]);
  });

  test("overlaps place by place: sums of c p and of p^2", () => {
    const c = grid(1, 2, 0, 1, 3, 0, 0, 0);
    const p = grid(2, 1, 5, 0, 1, 1, 2, 2);
    expect(numbers(evidenceMap(c))).toEqual([5, 1, 9, 0]);
    expect(numbers(overlapMap(c, p))).toEqual([4, 5, 0, 25, 3, 2, 0, 8]);
  });

  test("that is the same for aspect and answer, up to a factor, has relevance 1; apart, 0", () => {
    const read = (c: tf.Tensor4D, p: tf.Tensor4D) =>
      relevanceOf([
        {
          evidence: { shape: [1, 2, 2, 1], data: evidenceMap(c).dataSync() as Float32Array },
          overlap: { shape: [1, 2, 2, 2], data: overlapMap(c, p).dataSync() as Float32Array },
        },
      ]);
    const c = grid(1, 2, 0, 1, 3, 0, 0, 0);
    expect(read(c, c)).toBeCloseTo(1, 12);
    expect(read(c, tf.mul(c, 0.125))).toBeCloseTo(1, 12);
    expect(read(c, grid(0, 0, 4, 0, 0, 2, 1, 1))).toBe(0);
    // <c, p> = 4 + 0 + 3 = 7; |c|^2 = 15; |p|^2 = 5 + 25 + 2 + 8 = 40.
    expect(read(c, grid(2, 1, 5, 0, 1, 1, 2, 2))).toBeCloseTo(7 / Math.sqrt(600), 6);
  });
});

test("the identity mapping leads from a layer to itself alone", () => {
  const features = grid(1, 2, 3, 4, 5, 6, 7, 8);
  expect(identity(features, "conv_pw_11", "conv_pw_11")).toBe(features);
  expect(() => identity(features, "conv_pw_11", "conv_pw_5")).toThrow(/mapping/);
});

test("no formula leaves a tensor behind but its result", () => {
  const a = grid(1, 2, 3, 4, 5, 6, 7, 8);
  const b = grid(8, 7, 6, 5, 4, 3, 2, 1);
  const weights = tf.tensor4d([1, 2], [1, 1, 1, 2]);
  const map = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
  const before = tf.memory().numTensors;
  const results = [
    answerEvidence(a, { difference: b }),
    aspectEvidence(a, { difference: b }),
    overlapMap(a, b),
    evidenceMap(a),
    filterWeights(a),
    gradCamMap(a, weights),
    maskOf({ weights, map }, { masking: "both" }),
    fade(a, { mask: map, reference: weights }),
  ];
  expect(tf.memory().numTensors - before).toBe(results.length);
});
