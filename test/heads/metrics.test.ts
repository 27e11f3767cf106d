import { describe, expect, test } from "vitest";
import { logit } from "../../src/core/logistic.js";
import { ndArray } from "../../src/core/nd-array.js";
import { decodeClasses } from "../../src/heads/classifier-reading.js";
import type { Label } from "../../src/heads/head.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";
import { createMetrics, scoreOf } from "../../src/heads/metrics.js";
import { presentOf } from "../../src/heads/presence-reading.js";
import { kinds, specs } from "./given.js";

/** Rows of logits against labels, in two batches, the second padded by a row that must not count. */
function measure(spec: HeadSpec, shape: readonly number[], rows: readonly number[][], labels: readonly Label[]) {
  const metrics = createMetrics(spec);
  const half = Math.ceil(rows.length / 2);
  const add = (part: readonly number[][], given: readonly Label[]) =>
    metrics.add(ndArray([part.length, ...shape], Float32Array.from(part.flat())), given);
  add(rows.slice(0, half), labels.slice(0, half));
  add([...rows.slice(half), rows[0].map(() => 99)], labels.slice(half));
  return metrics.result();
}

const one = (values: readonly number[]) => values.map((value) => [value]);

test("classifier: accuracy, recall and confusion by hand", () => {
  const rows = [
    [2, 1, 0],
    [0, 1, 0],
    [0, 3, 1],
    [9, 9, 10],
    [5, 0, 0],
  ];
  const result = measure(specs.single, [3], rows, [
    { label: "a" },
    { label: "a" },
    { label: "b" },
    undefined,
    { label: "a" },
  ]);
  expect(result).toEqual({
    kind: "classifier",
    task: "single",
    accuracy: 3 / 4,
    majorityBaseline: 3 / 4, // "a", which three of the four are
    recall: { a: 2 / 3, b: 1, c: null },
    confusion: [
      [2, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ],
    count: 4,
  });
  expect(scoreOf(result)).toBe(3 / 4);
});

test("a label that is none of the classes is an error, not a wrong number", () => {
  expect(() => measure(specs.single, [3], [[1, 2, 3]], [{ label: "d" }])).toThrow(
    'head "class": label "d" is none of its classes: a, b, c.',
  );
});

test("several labels: average precision a class, and F1 over all decisions", () => {
  const rows = [
    [3, -1, -9],
    [2, 1, -9],
    [1, -2, -9],
  ];
  const result = measure(specs.multi, [3], rows, [{ labels: ["a"] }, { labels: [] }, { labels: ["a", "b"] }]);
  // a: ranked right, wrong, right: (1 + 2/3) / 2 = 5/6. b: ranked wrong, wrong, right: 1/3. c never occurs.
  // decisions: a said 3 times, 2 right; b said once, wrong; 3 labels: F1 = 2 * 2 / (4 + 3)
  expect(result).toMatchObject({
    averagePrecision: { a: expect.closeTo(5 / 6, 12), b: 1 / 3, c: null },
    recall: { a: 1, b: 0, c: null },
    prevalence: { a: 2 / 3, b: 1 / 3, c: 0 },
    f1: 4 / 7,
    count: 3,
  });
  expect(scoreOf(result)).toBeCloseTo((5 / 6 + 1 / 3) / 2, 12);
});

test("regression: MAE, RMSE and R squared by hand", () => {
  const result = measure(specs.regression, [1], one([1, 4, 7, 5]), [{ value: 1 }, { value: 2 }, {}, { value: 6 }]);
  // errors 0, 2, -1; mean 3, spread 4 + 1 + 9 = 14
  expect(result).toMatchObject({ mae: 1, count: 3 });
  expect(result).toHaveProperty("rmse", Math.sqrt(5 / 3));
  expect(scoreOf(result)).toBeCloseTo(1 - 5 / 14, 12);
  const worse = measure(specs.regression, [1], one([9, -9]), [{ value: 0 }, { value: 1 }]);
  expect(scoreOf(worse)).toBe(0);
});

test("segmentation: overlap over all images together, an empty one included", () => {
  const shape = [2, 2, 1];
  const rows = [
    [5, 5, -5, -5],
    [5, -5, -5, -5],
    [5, 5, 5, 5],
  ];
  const result = measure(specs.segmentation, shape, rows, [
    { mask: Uint8Array.of(1, 0, 1, 0) },
    { mask: null },
    undefined,
  ]);
  // shared 1, predicted 2 + 1, labelled 2: IoU 1 / 4, Dice 2 / 5
  expect(result).toEqual({ kind: "segmentation", iou: 1 / 4, dice: 2 / 5, count: 2 });
  expect(scoreOf(result)).toBe(1 / 4);
});

test("segmentation: a pixel is the aspect's from a share of a half on; what covers no half of any is too small", () => {
  const rows = [
    [5, 5, -5],
    [-5, -5, -5],
    [-5, -5, -5],
    [-5, 5, -5],
  ];
  const masks = [
    [0.5, 0.49, 1],
    [0.4, 0.4, 0],
    [0, 0, 0],
    [0.2, 0.8, 0],
  ];
  const labels = masks.map((mask) => ({ mask: Float32Array.from(mask) }));
  // shared 1 + 1, predicted 2 + 1, labelled 2 + 1 (0.5, 1 and 0.8): IoU 2 / 4; the second alone is too small, the third holds none
  expect(measure(specs.segmentation, [1, 3, 1], rows, labels)).toEqual({
    kind: "segmentation",
    iou: 1 / 2,
    dice: 2 / 3,
    count: 4,
    tooSmallCount: 1,
  });
});

test("segmentation: a pixel counts from the threshold on", () => {
  const spec = { ...specs.segmentation, threshold: 0.8 };
  const result = measure(spec, [1, 2, 1], [[logit(0.8), logit(0.79)]], [{ mask: Uint8Array.of(1, 1) }]);
  expect(result).toMatchObject({ iou: 1 / 2 });
});

test("presence: accuracy at the threshold, AUC over the pairs", () => {
  const labels = [true, false, true, false].map((present) => ({ present }));
  const result = measure(specs.presence, [1], one([2, 1, -1, -1]), [...labels]);
  // pairs: 2 > 1, 2 > -1, -1 < 1, -1 = -1: (1 + 1 + 0 + 1/2) / 4
  expect(result).toEqual({ kind: "presence", accuracy: 1 / 2, auc: 2.5 / 4, count: 4 });
  expect(scoreOf(result)).toBe(2.5 / 4);
  expect(scoreOf(measure(specs.presence, [1], one([2, -1]), [{ present: true }, { present: true }]))).toBe(1 / 2);
});

test("presence is read from a mask or boxes where it is not said", () => {
  expect(presentOf({ mask: Uint8Array.of(0, 1) })).toBe(true);
  expect(presentOf({ mask: Uint8Array.of(0, 0) })).toBe(false);
  expect(presentOf({ mask: null })).toBe(false);
  expect(presentOf({ boxes: [] })).toBe(false);
  expect(presentOf({ boxes: [[0, 0, 1, 1]] })).toBe(true);
  expect(presentOf({ present: false, boxes: [[0, 0, 1, 1]] })).toBe(false);
  expect(presentOf({ amount: 0.5 })).toBeUndefined();
  expect(presentOf(undefined)).toBeUndefined();
});

describe("amount", () => {
  test("a number is given, or the mean of a map", () => {
    const labels = [{ amount: 0.75 }, { map: Uint8Array.of(255, 0) }, {}];
    const result = measure(specs.number, [1], one([0, logit(0.25), 0]), labels);
    expect(result).toMatchObject({ form: "number", mae: expect.closeTo(0.25, 6), count: 2 }); // float32 logits
    expect(scoreOf(result)).toBeCloseTo(0.75, 6);
  });

  test("a map is measured at each pixel; of numbers alone only 0 says where", () => {
    const labels = [{ map: Uint8Array.of(255, 0) }, { amount: 0 }, { amount: 0.5 }];
    const result = measure(
      specs.map,
      [1, 2, 1],
      [
        [0, 0],
        [logit(0.25), logit(0.25)],
        [0, 0],
      ],
      labels,
    );
    // errors 1/2, 1/2; 1/4, 1/4: means 1/2 and 1/4
    expect(result).toMatchObject({ form: "map", mae: expect.closeTo(3 / 8, 6), count: 2 });
  });
});

test.each(kinds)("%s without labels reads not evaluated, never 0", (kind) => {
  const shape = { single: [3], multi: [3], segmentation: [2, 2, 1], boxes: [2, 2, 5], map: [2, 2, 1] }[
    kind as "single"
  ] ?? [1];
  const zeros = Array<number>(shape.reduce((a, b) => a * b)).fill(0);
  const result = measure(specs[kind], shape, [zeros, zeros], [undefined, {}]);
  expect(scoreOf(result)).toBeNull();
  expect(result.count).toBe(0);
});

test("decodes classes to names and scores", () => {
  expect(decodeClasses([0, Math.log(3), -Infinity], specs.single)).toEqual({
    class: "b",
    score: expect.closeTo(0.75, 12),
    scores: { a: expect.closeTo(0.25, 12), b: expect.closeTo(0.75, 12), c: 0 },
  });
  expect(decodeClasses([0, -1, -2], specs.multi)).toMatchObject({ class: "a", score: 0.5 });
  expect(decodeClasses([17], specs.regression)).toEqual({ value: 17 });
});
