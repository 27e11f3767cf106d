/** Two models on the same images, worked by hand. */

import { expect, test } from "vitest";
import type { NdArray } from "../../src/core/nd-array.js";
import { pairedTally } from "../../src/evaluation/paired-tally.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";

const classifier: HeadSpec = { name: "class", kind: "classifier", taps: ["t"], task: "single", classes: ["a", "b"] };

/** One image's logits. */
const row = (...values: number[]): NdArray => ({ shape: [1, values.length], data: Float32Array.from(values) });
const answer = (isRight: boolean) => row(isRight ? 1 : 0, isRight ? 0 : 1);

/** Right or wrong of each image, of the joint model and of the other. */
function classifiers(images: readonly (readonly [joint: boolean, separate: boolean])[], groups?: readonly string[]) {
  const tally = pairedTally([{ joint: classifier, separate: classifier }], { size: 2 });
  const common = (at: number) => ({
    row: 0,
    labelOf: () => ({ label: "a" }),
    ...(groups && { groups: { patient: groups[at] } }),
  });
  for (const [at, [isRight]] of images.entries())
    tally.addJoint({ outputs: { class: answer(isRight) }, ...common(at) });
  for (const [at, [, isRight]] of images.entries())
    tally.addSeparate("class", { outputs: { class: answer(isRight) }, ...common(at) });
  return tally.result();
}

test("the difference is joint minus separate, its interval of images that both models see", () => {
  // Joint right on 3 of 4, separate on 2 of 4. A draw's difference is k / 4, the second image drawn k of 4 times:
  // k is binomial (4, 1/4), so P(0) = 0.32, P(k >= 3) = 0.051 and P(4) = 0.004: the interval is 0 to 3/4.
  const { heads, intervals } = classifiers([
    [true, true],
    [true, false],
    [true, true],
    [false, false],
  ]);
  expect(heads.class).toEqual({
    ...{ kind: "classifier", metric: "accuracy", count: 4 },
    ...{ joint: 0.75, separate: 0.5, difference: 0.25, interval: [0, 0.75] },
  });
  expect(intervals).toEqual({ level: 0.95, drawn: "image" });
});

test("models that are right on the same images differ by nothing in every draw", () => {
  const { heads } = classifiers([
    [true, true],
    [false, false],
    [true, true],
  ]);
  expect(heads.class).toMatchObject({ joint: 2 / 3, separate: 2 / 3, difference: 0, interval: [0, 0] });
});

test("images of a group are drawn together", () => {
  // Each of ten patients has one image that only the joint model and one that only the other gets right: drawn whole,
  // they cancel out in every draw.
  const groups = Array.from({ length: 20 }, (_, at) => `p${Math.floor(at / 2)}`);
  const images = groups.map((_, at) => [at % 2 === 0, at % 2 === 1] as const);
  const paired = classifiers(images, groups);
  expect(paired.intervals.drawn).toBe("patient");
  expect(paired.heads.class).toMatchObject({ difference: 0, interval: [0, 0] });
  const [low, high] = classifiers(images).heads.class.interval ?? [];
  expect(low).toBeLessThan(-0.2); // the deviation of one draw's difference is 1 / sqrt(20) = 0.22
  expect(high).toBeGreaterThan(0.2);
});

test("an amount counts by its error, so that higher is better", () => {
  const amount: HeadSpec = { name: "fill", kind: "amount", taps: ["t"], form: "number", threshold: 0.1 };
  const tally = pairedTally([{ joint: amount, separate: amount }], { size: 2 });
  // True 0.5 and 1; the joint model says 0.5 of both, the other 1: each is wrong by 0.5 once.
  for (const truth of [0.5, 1]) {
    const common = { row: 0, labelOf: () => ({ amount: truth }) };
    tally.addJoint({ outputs: { fill: row(0) }, ...common });
    tally.addSeparate("fill", { outputs: { fill: row(99) }, ...common });
  }
  // A quarter of the draws is the first image twice (1 - 0.5), a quarter the second twice (0.5 - 1).
  expect(tally.result().heads.fill).toMatchObject({
    ...{ metric: "1 - mae", joint: 0.75, separate: 0.75, difference: 0, interval: [-0.5, 0.5] },
  });
});

test("each model answers by its own threshold", () => {
  const head = (threshold: number): HeadSpec => ({ name: "cell", kind: "segmentation", taps: ["t"], threshold });
  // 0.88 = sigmoid(2).
  const tally = pairedTally([{ joint: head(0.5), separate: head(0.88) }], { size: 2 });
  const pixels = (...values: number[]): NdArray => ({ shape: [1, 2, 2, 1], data: Float32Array.from(values) });
  const common = { row: 0, labelOf: () => ({ mask: Float32Array.of(1, 0, 0, 0) }) };
  tally.addJoint({ outputs: { cell: pixels(1, 1, -1, -1) }, ...common }); // two pixels, one right
  tally.addSeparate("cell", { outputs: { cell: pixels(3, 1, 1, 1) }, ...common }); // the right one alone
  expect(tally.result().heads.cell).toMatchObject({
    ...{ metric: "iou", joint: 0.5, separate: 1, difference: -0.5, interval: [-0.5, -0.5] },
  });
});

test("without labels there is no number", () => {
  const head: HeadSpec = { name: "wet", kind: "presence", taps: ["t"], threshold: 0.5 };
  const tally = pairedTally([{ joint: head, separate: head }], { size: 2 });
  const image = { outputs: { wet: row(1) }, row: 0, labelOf: () => undefined };
  tally.addJoint(image);
  tally.addSeparate("wet", image);
  expect(tally.result().heads.wet).toMatchObject({
    ...{ metric: "auc", count: 0, joint: null, separate: null, difference: null, interval: null },
  });
});
