/** Metrics over folds, worked by hand. */

import { expect, test } from "vitest";
import type { NdArray } from "../../src/core/nd-array.js";
import { atHalf, movedToHalf } from "../../src/evaluation/common-threshold.js";
import { foldTally } from "../../src/evaluation/fold-tally.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";
import { isSeen } from "../../src/heads/presence-reading.js";

const classifier: HeadSpec = { name: "class", kind: "classifier", taps: ["t"], task: "single", classes: ["a", "b"] };
const presence = (threshold: number): HeadSpec => ({ name: "wet", kind: "presence", taps: ["t"], threshold });

/** One image's logits. */
const row = (...values: number[]): NdArray => ({ shape: [1, values.length], data: Float32Array.from(values) });

test("accuracy is pooled over images, of a ranking there is the mean over the folds alone", () => {
  // The second model says 2 more of each image, and its threshold of 0.88 = sigmoid(2) answers for that.
  const models = [
    [classifier, presence(0.5)],
    [classifier, presence(0.88)],
  ];
  const tally = foldTally(models, { size: 4 });
  const add = (fold: number, isRight: boolean, wet: boolean, said: number) =>
    tally.add(fold, {
      outputs: { class: isRight ? row(1, 0) : row(0, 1), wet: row(said) },
      row: 0,
      labelOf: (head) => (head === "class" ? { label: "a" } : { present: wet }),
    });
  // Three images in the first fold, one in the second.
  add(0, true, true, 1);
  add(0, false, false, -1);
  add(0, false, false, -2);
  add(1, true, true, 3);
  add(1, true, false, 1);
  const { class: own, wet } = tally.result().heads;
  // 1 of 3 and 2 of 2: their mean is 2/3, their deviation sqrt(2 (1/3)^2) = 0.4714, together 3 of 5.
  expect(own.metrics.accuracy).toMatchObject({ folds: [1 / 3, 1], pooled: 0.6 });
  expect(own.metrics.accuracy.mean).toBeCloseTo(2 / 3, 12);
  expect(own.metrics.accuracy.deviation).toBeCloseTo(Math.SQRT2 / 3, 12);
  expect(own.count).toBe(5);
  // Each model ranks its own images rightly; the first one's 1 is a yes, the second one's is a no.
  expect(wet.metrics.auc).toMatchObject({ folds: [1, 1], mean: 1, deviation: 0, pooled: null, interval: [1, 1] });
  expect(wet.metrics.f1).toMatchObject({ folds: [1, 1], pooled: 1 });
});

test("a fold without labels counts for nothing", () => {
  const tally = foldTally([[presence(0.5)], [presence(0.5)]], { size: 4 });
  const outputs = { wet: row(1) };
  tally.add(0, { outputs, row: 0, labelOf: () => ({ present: true }) });
  tally.add(1, { outputs, row: 0, labelOf: () => undefined });
  const { wet } = tally.result().heads;
  expect(wet.count).toBe(1);
  expect(wet.metrics.accuracy).toMatchObject({ folds: [1, null], mean: 1, deviation: null, pooled: 1 });
});

test("moved answers decide as before, also at the threshold itself", () => {
  const spec = { name: "wet", kind: "presence", taps: ["t"], threshold: 0.3, temperature: 1.7 } as const;
  const least = Math.fround(1.7 * (Math.log(0.3) - Math.log1p(-0.3)));
  const half = atHalf(spec) as typeof spec;
  for (const answer of [-9, least - 1e-6, least, least + 1e-6, 0, 4]) {
    const [moved] = movedToHalf(Float32Array.of(answer), spec);
    expect(isSeen(moved, half), String(answer)).toBe(isSeen(Math.fround(answer), spec));
  }
  const boxes: HeadSpec = { name: "x", kind: "boxes", taps: ["t"], threshold: 0.5 };
  const cells = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  expect([...movedToHalf(cells, { ...boxes, threshold: 0.88 })].map((value) => Math.round(value))).toEqual([
    ...[-1, 2, 3, 4, 5],
    ...[4, 7, 8, 9, 10],
  ]);
});
