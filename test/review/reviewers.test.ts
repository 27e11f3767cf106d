/** What is gathered of each kind of head, on answers and labels that are made by hand. */

import { expect, test } from "vitest";
import type { NdArray } from "../../src/core/nd-array.js";
import type { Label } from "../../src/heads/head.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";
import { createReviewer } from "../../src/review/create-reviewer.js";
import { extremes } from "../../src/review/extremes.js";

function reviewOf(
  spec: HeadSpec,
  shape: readonly number[],
  rows: readonly (readonly number[])[],
  labels: readonly Label[],
) {
  const reviewer = createReviewer(spec, { inputSize: 4 });
  const logits: NdArray = { shape: [rows.length, ...shape], data: Float32Array.from(rows.flat()) };
  reviewer.add(
    logits,
    labels,
    labels.map((_, index) => `${index}.png`),
  );
  return reviewer.result();
}

const paths = (images: readonly { path: string }[]) => images.map(({ path }) => path);

test("extremes keep the highest and the lowest, and show none twice", () => {
  const kept = extremes<number>({ best: 2, worst: 2 });
  for (const value of [3, 1, 5, 2, 4]) kept.add(value, () => value);
  expect([kept.best, kept.worst]).toEqual([
    [5, 4],
    [1, 2],
  ]);
  const few = extremes<number>({ best: 2, worst: 2 });
  for (const value of [3, 1]) few.add(value, () => value);
  expect([few.best, few.worst]).toEqual([[3, 1], []]);
  const bad = extremes<number>({ best: 2, worst: 2 });
  for (const value of [3, 1]) bad.add(value, () => value, { isGood: value > 1 });
  expect([bad.best, bad.worst]).toEqual([[3], [1]]);
});

test("classifier: the constant is the majority, cells hold the surest mistakes first", () => {
  const spec: HeadSpec = { name: "class", kind: "classifier", task: "single", taps: [], classes: ["a", "b"] };
  const labels = [{ label: "a" }, { label: "b" }, { label: "b" }, { label: "b" }, {}];
  const review = reviewOf(
    spec,
    [2],
    [
      [2, 0],
      [1, 0],
      [3, 0],
      [0, 5],
      [0, 9],
    ],
    labels,
  );
  expect(review.constant).toBe(0.75);
  expect(review.confusion?.map((row) => row.map(({ count }) => count))).toEqual([
    [1, 0],
    [2, 1],
  ]);
  expect(paths(review.confusion?.[1][0].images ?? [])).toEqual(["2.png", "1.png"]);
  expect(review.best[0].path).toBe("3.png");
  expect(review.best.at(-1)?.text).toBe("a 88 %"); // softmax of [2, 0]; mistakes are never among the best
  expect(review.worst[0].text).toMatch(/^is b; said a 95 %$/); // softmax of [3, 0]: 1 / (1 + e^-3) = 0.953
});

test("segmentation: the constant is the share of positive pixels; silent empty images are not shown", () => {
  const spec: HeadSpec = { name: "x", kind: "segmentation", taps: [], threshold: 0.5 };
  const half = Float32Array.of(...Array(8).fill(1), ...Array(8).fill(0));
  const rows = [
    Array(16).fill(9),
    [...Array(8).fill(9), ...Array(8).fill(-9)],
    Array(16).fill(-9),
    [9, ...Array(15).fill(-9)],
  ];
  const labels = [{ mask: half }, { mask: half }, { mask: null }, { mask: null }];
  const review = reviewOf(spec, [4, 4, 1], rows, labels);
  expect(review.constant).toBe(16 / 64);
  expect(review.best.map(({ path, text }) => `${path} ${text}`)).toEqual(["1.png IoU 1.00", "0.png IoU 0.50"]);
  expect(review.worst.map(({ path, text }) => `${path} ${text}`)).toEqual(["3.png false alarm: none is there"]);
  expect(review.medianSide).toBeCloseTo(Math.sqrt(8), 12);
  // Where no image shows it, nothing tells a head that sees from one that does not.
  expect(reviewOf(spec, [4, 4, 1], rows.slice(2), labels.slice(2)).constant).toBeNull();
});

test("boxes: right, false and missed ones are counted in words", () => {
  const spec: HeadSpec = { name: "x", kind: "boxes", taps: [], threshold: 0.5 };
  const log = Math.log(0.5);
  // Two cells of a 1 x 2 grid: a box of half the side around (0.5, 0.25), sure; nothing in the other.
  const row = [4, log, log, 0.5, 0.5, -9, log, log, 0.5, 0.5];
  const review = reviewOf(spec, [1, 2, 5], [row, row], [{ boxes: [[0.25, 0, 0.75, 0.5]] }, { boxes: [] }]);
  expect(review.constant).toBe(0);
  expect(review.best.map(({ text }) => text)).toEqual(["1 of 1 found"]);
  expect(review.worst.map(({ text }) => text)).toEqual(["0 of 0 found, 1 false"]);
  expect(review.medianSide).toBeCloseTo(2, 12); // half of 4 pixels
  expect(review.precision.x[100]).toBe(0.5); // both are equally sure
});

test("presence and amount: the best constant answers", () => {
  const presence: HeadSpec = { name: "x", kind: "presence", taps: [], threshold: 0.5 };
  const seen = reviewOf(presence, [1], [[2], [-1]], [{ present: true }, { present: false }]);
  expect(seen.constant).toBe(0.5);
  const amount: HeadSpec = { name: "x", kind: "amount", form: "number", taps: [], threshold: 0.1 };
  const said = reviewOf(amount, [1], [[0], [0], [0]], [{ amount: 0 }, { amount: 0.2 }, { amount: 1 }]);
  // Always 0.2: errors 0.2, 0 and 0.8, a third of their sum is 1/3.
  expect(said.constant).toBeCloseTo(1 - 1 / 3, 2);
  expect(said.pairs?.map(([truth]) => Number(truth.toFixed(3)))).toEqual([0, 0.2, 1]);
});

test("what is void counts for nothing: pixels, and boxes in an ignored region", () => {
  const segmentation: HeadSpec = { name: "x", kind: "segmentation", taps: [], threshold: 0.5 };
  const mask = Float32Array.of(1, 0, 0, 0);
  const label = { mask, ignored: Uint8Array.of(0, 1, 0, 0) };
  const review = reviewOf(segmentation, [2, 2, 1], [[9, 9, -9, -9]], [label]);
  expect(review.best[0].text).toBe("IoU 1.00");
  expect(review.constant).toBeCloseTo(1 / 3, 12);
  const boxes: HeadSpec = { name: "x", kind: "boxes", taps: [], threshold: 0.5 };
  const row = [4, Math.log(0.5), Math.log(0.5), 0.5, 0.5, -9, 0, 0, 0.5, 0.5];
  const crowd = reviewOf(boxes, [1, 2, 5], [row], [{ boxes: [], ignoredBoxes: [[0, 0, 1, 0.5]] }]);
  expect(crowd.best.map(({ text }) => text)).toEqual(["0 of 0 found"]);
});
