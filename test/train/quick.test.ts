/** How `--quick` fills its time, worked by hand: 35 seconds of steps and features. */

import { expect, test } from "vitest";
import { resolveStages } from "../../src/train/config-stages.js";
import { quickStages } from "../../src/train/quick.js";

const trunk = { name: "mobilenet-v1", alpha: 0.25, inputSize: 96, weights: "random" } as const;
const stagesOf = (...epochs: number[]) =>
  resolveStages(
    epochs.map((count) => ({ train: "all", epochs: count })),
    trunk,
    100,
  );
const facts = {
  batchSize: 10,
  trainCount: 100,
  validationCount: 50,
  drawsEach: 1,
  stepSeconds: [0.1],
  featureSeconds: 0,
};
const epochsOf = (chosen: ReturnType<typeof quickStages>) => chosen.stages.map(({ epochs }) => epochs);

test("all images, as many epochs as there is time for", () => {
  // An epoch takes 10 steps of 0.1 s: 35 of the 80 epochs fit.
  const chosen = quickStages(stagesOf(80), facts);
  expect(epochsOf(chosen)).toEqual([35]);
  expect(chosen.images).toBeUndefined();
  expect(chosen.stages[0].learningRate).toBe(stagesOf(80)[0].learningRate);
});

test("an epoch takes longer where images are drawn more than once", () => {
  expect(epochsOf(quickStages(stagesOf(80), { ...facts, drawsEach: 2.5 }))).toEqual([14]);
});

test("never more than would be trained without it", () => {
  expect(epochsOf(quickStages(stagesOf(6), facts))).toEqual([6]);
});

test("stages keep their shares of the time", () => {
  // 20 epochs of 1 s and 30 of 4 s are 140 s, four times too long.
  const chosen = quickStages(stagesOf(20, 30), { ...facts, stepSeconds: [0.1, 0.4] });
  expect(epochsOf(chosen)).toEqual([5, 7]);
});

test("of a large set fewer images are taken, four times each", () => {
  // Four epochs of an image: 4 * 0.5 / 10 = 0.2 s, and its features 2 * 0.025 s: 140 images fit.
  const large = { ...facts, trainCount: 50_000, validationCount: 9_000, stepSeconds: [0.5], featureSeconds: 0.025 };
  const chosen = quickStages(stagesOf(50), large);
  expect(epochsOf(chosen)).toEqual([4]);
  expect(chosen.images).toEqual({ train: 140, validation: 35 });
  // Even where a step takes long, one batch.
  expect(quickStages(stagesOf(50), { ...large, stepSeconds: [90] }).images).toEqual({ train: 10, validation: 10 });
});
