import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import {
  answerEvidence,
  aspectEvidence,
  evidenceMap,
  overlapMap,
  pairSums,
  rootEvidence,
} from "../../src/explain/graph/evidence.js";
import { grey } from "../../src/explain/graph/mapping/grey.js";
import { identity } from "../../src/explain/graph/mapping/identity.js";
import { applyMask, maskOf } from "../../src/explain/graph/masking.js";
import { MASKING_NAMES } from "../../src/explain/methods.js";
import { rowQuantiles } from "../../src/ops/row-quantiles.js";
import { quantile as sortedQuantile } from "../reference/explanation.js";
import { scoreAlone } from "./score-alone.js";
import { tinyImages, tinyModel, tinyParameters, toTensors } from "./tiny-model.js";

beforeAll(() => tf.setBackend("cpu"));

/** A 2x2 grid of two channels. */
const grid = (...values: number[]) => tf.tensor4d(values, [1, 2, 2, 2]);
const numbers = (tensor: tf.Tensor) => [...tensor.dataSync()];

describe("quantile", () => {
  const row = [5, 1, 4, 2, 3];

  test("interpolates between order statistics as numpy does", () => {
    // Position 0.95 * 4 = 3.8 between 4 and 5.
    expect(rowQuantiles(tf.tensor2d([row]), 0.95).dataSync()[0]).toBeCloseTo(4.8, 6);
    expect(rowQuantiles(tf.tensor2d([row]), 0.5).dataSync()[0]).toBe(3);
    expect(rowQuantiles(tf.tensor2d([[7]]), 0.95).dataSync()[0]).toBe(7);
  });

  test("agrees with a sort, row by row, for any share", () => {
    const rows = [0, 1].map((seed) => Array.from({ length: 37 }, (_, i) => Math.sin(12.9898 * (i + 37 * seed)) * 10));
    for (const q of [0, 0.01, 0.33, 0.9, 0.95, 0.99, 1]) {
      const found = numbers(rowQuantiles(tf.tensor2d(rows), q));
      for (const [index, values] of rows.entries()) expect(found[index]).toBeCloseTo(sortedQuantile(values, q), 5);
    }
  });
});

describe("masking", () => {
  const weights = () => tf.tensor4d([2, -4, 1, 0], [1, 1, 1, 4]);
  // |w| sorted 0 1 2 4; p95 at 2.85: 2 + 0.85 * 2 = 3.7.
  const map = () => tf.tensor4d([0, 1, 2, 10], [1, 2, 2, 1]);
  // p90 at 2.7: 2 + 0.7 * 8 = 7.6.

  test("by filter weights is one number a channel, negative ones fade wholly", () => {
    const mask = numbers(maskOf({ weights: weights(), map: map() }, { masking: "filter-weights" }));
    for (const [i, expected] of [2 / 3.7, 0, 1 / 3.7, 0].entries()) expect(mask[i]).toBeCloseTo(expected, 6);
  });

  test("by signed filter weights turns round what speaks against the target", () => {
    const mask = numbers(maskOf({ weights: weights(), map: map() }, { masking: "filter-weights-signed" }));
    for (const [i, expected] of [2 / 3.7, -1, 1 / 3.7, 0].entries()) expect(mask[i]).toBeCloseTo(expected, 6);
  });

  test("by the map is one number a place, its share of the maximum", () => {
    const mask = numbers(maskOf({ weights: weights(), map: map() }, { masking: "multiply" }));
    for (const [i, expected] of [0, 0.1, 0.2, 1].entries()) expect(mask[i]).toBeCloseTo(expected, 6);
  });

  test("by a map of elements is one number an element", () => {
    const elements = tf.tensor4d([0, 1, 2, 10], [1, 1, 2, 2]);
    expect(numbers(maskOf({ map: elements }, { masking: "multiply" }))[3]).toBe(1);
    expect(maskOf({ map: elements }, { masking: "threshold" }).shape).toEqual([1, 1, 2, 2]);
  });

  test("by both is the root of their product at every element", () => {
    const mask = maskOf({ weights: weights(), map: map() }, { masking: "both" });
    expect(mask.shape).toEqual([1, 2, 2, 4]);
    expect(numbers(mask)[4 * 1 + 2]).toBeCloseTo(Math.sqrt((1 / 3.7) * 0.1), 6);
  });

  test("by a threshold keeps the places above the 90 % quantile", () => {
    expect(numbers(maskOf({ weights: weights(), map: map() }, { masking: "threshold" }))).toEqual([0, 0, 0, 1]);
  });

  test("by an absolute threshold keeps the places that reach half the maximum", () => {
    const halves = tf.tensor4d([4.9, 5, 0, 10], [1, 2, 2, 1]);
    expect(numbers(maskOf({ map: halves }, { masking: "threshold-absolute" }))).toEqual([0, 1, 0, 1]);
  });

  test("of no saliency at all fades everything, without NaN", () => {
    const zeros = { weights: tf.zeros([1, 1, 1, 4]) as tf.Tensor4D, map: tf.zeros([1, 2, 2, 1]) as tf.Tensor4D };
    for (const masking of MASKING_NAMES)
      expect(numbers(maskOf(zeros, { masking })).some((value) => value !== 0)).toBe(false);
  });

  test("fades to the reference, not to zero", () => {
    const reference = tf.tensor4d([10, 20], [1, 1, 1, 2]);
    const mask = tf.tensor4d([1, 0.25], [1, 1, 1, 2]);
    // 10 + 1 * 4, 20 + 0.25 * 4.
    expect(numbers(applyMask(tf.fill([1, 2, 2, 2], 4), { mask, reference })).slice(0, 2)).toEqual([14, 21]);
  });
});

describe("evidence", () => {
  test("of the answer loses what is cancelled at its place", () => {
    const gradient = grid(1, 1, 1, 1, 1, 1, -1, -1);
    const difference = grid(3, -1, 2, 2, -2, 1, 1, 1);
    // Place 0: products 3, -1: net 2, gross 3, N = 2/3: c = 2, -2/3. Place 1: no cancelling. Place 2: net -1: nothing.
    const { elements, net } = answerEvidence(gradient, { difference });
    const c = numbers(elements);
    for (const [i, expected] of [2, -2 / 3, 2, 2, 0, 0, 0, 0].entries()) expect(c[i]).toBeCloseTo(expected, 6);
    // What cancels a place wholly is still against the answer.
    expect(numbers(net)).toEqual([2, 4, -1, -2]);
  });

  test("of an aspect is gradient times difference, signed", () => {
    expect(
      numbers(aspectEvidence(grid(1, 2, 3, 4, -1, -1, 0, 5), { difference: grid(1, -1, 2, 0, -3, 1, 9, 1) })),
    ).toEqual([1, -2, 6, 0, 3, -1, 0, 5]);
  });

  test("overlaps place by place: sums of the signed root of c times p, and of p^2", () => {
    const c = grid(1, -4, 0, 1, 9, 0, 0, 0);
    const p = grid(2, 1, 5, 0, 1, 1, 2, 2);
    expect(numbers(rootEvidence(c))).toEqual([1, -2, 0, 1, 3, 0, 0, 0]);
    // The net and the sum of |c| of each place.
    const net = tf.tensor4d([-3, 1, 9, -2], [1, 2, 2, 1]);
    expect(numbers(evidenceMap({ elements: c, net }))).toEqual([-3, 5, 1, 1, 9, 9, -2, 0]);
    // 1 * 2 - 2 * 1, 4 + 1; 0 * 5 + 1 * 0, 25; ...
    expect(numbers(overlapMap(rootEvidence(c), p))).toEqual([0, 5, 0, 25, 3, 2, 0, 8]);
  });

  test("of several aspects is multiplied pair by pair and summed", () => {
    const [a, b, c] = [grid(1, 2, 0, 1, 3, 0, 0, 0), grid(2, 1, 5, 0, 1, 1, 2, 2), grid(0, 1, 1, 0, 0, 0, 0, -1)];
    const pairs = pairSums([a, b, c]);
    expect(pairs.shape).toEqual([1, 3]);
    // a b: 2 + 2 + 3; a c: 2; b c: 1 + 5 - 2.
    expect(numbers(pairs)).toEqual([7, 2, 4]);
    expect(numbers(pairSums([a, b]))).toEqual([7]);
  });

  test("that is the root of the answer's, up to a factor, has a score of 1; apart, 0", () => {
    const read = (elements: tf.Tensor4D, p: tf.Tensor4D) =>
      1.001 * // the ridge
      scoreAlone([
        {
          evidence: {
            shape: [1, 2, 2, 2],
            data: evidenceMap({ elements, net: tf.sum(elements, 3, true) }).dataSync() as Float32Array,
          },
          overlap: { shape: [1, 2, 2, 2], data: overlapMap(rootEvidence(elements), p).dataSync() as Float32Array },
        },
      ]);
    const c = grid(1, -4, 0, 1, 9, 0, 0, 0);
    expect(read(c, rootEvidence(c))).toBeCloseTo(1, 6);
    expect(read(c, tf.mul(rootEvidence(c), 0.125))).toBeCloseTo(1, 6);
    expect(read(c, grid(0, 0, 4, 0, 0, 2, 1, 1))).toBe(0);
    // 1 * 2 - 2 * 1 + 3 * 1 = 3; |c| sums to 15; |p|^2 = 5 + 25 + 2 + 8 = 40.
    expect(read(c, grid(2, 1, 5, 0, 1, 1, 2, 2))).toBeCloseTo(9 / 600, 6);
    // One channel that is a hundred times stronger does not hide what the others agree on.
    const one = grid(100, 1, 1, 1, 1, 1, 1, 1);
    expect(read(one, grid(0, 1, 1, 1, 1, 1, 1, 1))).toBeGreaterThan(0.2 ** 2);
  });
});

describe("mappings", () => {
  const model = tinyModel();
  const parameters = toTensors(tinyParameters(model));
  const image = tf.tensor4d(tinyImages(1), [1, 32, 32, 3]);

  test("identity leads from a layer to itself, and to later layers through the same trunk", () => {
    const map = identity(model, parameters);
    const features = grid(1, 2, 3, 4, 5, 6, 7, 8);
    expect(map(features, "conv_pw_11", "conv_pw_11")).toBe(features);
    const whole = model.trunk.run(parameters, { input: image }, ["conv_pw_5", "conv_pw_11"]);
    expect(numbers(map(whole.conv_pw_5, "conv_pw_5", "conv_pw_11"))).toEqual(numbers(whole.conv_pw_11));
    expect(() => map(features, "conv_pw_11", "conv_pw_5")).toThrow(/mapping: identity.*"conv_pw_11" to "conv_pw_5"/);
  });

  test("grey shows heads the image without its colours", () => {
    const map = grey(model, parameters);
    const found = map(image, "input", "conv_pw_11");
    const pixels = image.dataSync();
    const luma = Float32Array.from(pixels, (_, index) => {
      const at = index - (index % 3);
      return 0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2];
    });
    const expected = model.trunk.run(parameters, { input: tf.tensor4d(luma, [1, 32, 32, 3]) }, [
      "conv_pw_11",
    ]).conv_pw_11;
    for (const [index, value] of numbers(expected).entries()) expect(numbers(found)[index]).toBeCloseTo(value, 4);
    expect(() => map(image, "conv_pw_5", "conv_pw_11")).toThrow(/grey leads from the image/);
  });
});

test("no formula leaves a tensor behind but its result", () => {
  const a = grid(1, 2, 3, 4, 5, 6, 7, 8);
  const b = grid(8, 7, 6, 5, 4, 3, 2, 1);
  const weights = tf.tensor4d([1, 2], [1, 1, 1, 2]);
  const map = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
  const before = tf.memory().numTensors;
  const { elements, net } = answerEvidence(a, { difference: b });
  const results = [
    elements,
    net,
    aspectEvidence(a, { difference: b }),
    rootEvidence(a),
    overlapMap(a, b),
    evidenceMap({ elements, net }),
    pairSums([a, b]),
    maskOf({ weights, map }, { masking: "both" }),
    applyMask(a, { mask: map, reference: weights }),
  ];
  expect(tf.memory().numTensors - before).toBe(results.length);
});
