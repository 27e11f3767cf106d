import { describe, expect, test } from "vitest";
import type { Cursor } from "../../src/train/checkpoint.js";
import { checkConfig, resolveConfig } from "../../src/train/config.js";
import { isBestScore, isStageDone } from "../../src/train/stage.js";

const facts = { trainCount: 10, aspects: [], trunkOf: () => ({ source: "x", taps: [], output: "conv_pw_13" }) };
const raw = { dataset: "d", out: "o", patience: 3, stages: [{ train: "all", epochs: 10 }] };
const config = resolveConfig(checkConfig(raw, "c"), facts);
const [stage] = config.stages;
const cursor = (scores: readonly (number | null)[], stage = 0): Cursor => ({
  stage,
  epoch: scores.length,
  batch: 0,
  lossSums: {},
  seconds: 0,
  history: [
    { stage: 0, epoch: 1, seconds: 1, learningRate: 1, losses: {}, validation: null, score: 1 },
    ...scores.map((score, index) => {
      return { stage, epoch: index + 1, seconds: 1, learningRate: 1, losses: {}, validation: null, score };
    }),
  ].slice(stage === 0 ? 1 : 0),
  best: null,
  fingerprint: "",
});

test("the best epoch is the one of the highest score, of equal ones the last", () => {
  const best = { score: 0.9, stage: 0, epoch: 1 };
  expect(isBestScore(0.8, best)).toBe(false);
  expect(isBestScore(0.9, best)).toBe(true);
  expect(isBestScore(null, best)).toBe(true);
  expect(isBestScore(0, null)).toBe(true);
});

describe("a stage ends", () => {
  test("after its epochs", () => {
    const rising = Array.from({ length: 10 }, (_, epoch) => epoch / 10);
    expect(isStageDone(cursor(rising), { stage, config })).toBe(true);
    expect(isStageDone(cursor(rising.slice(1)), { stage, config })).toBe(false);
  });

  test("after so many epochs without a better score as patience says", () => {
    expect(isStageDone(cursor([0.5, 0.4, 0.4]), { stage, config })).toBe(false);
    expect(isStageDone(cursor([0.5, 0.4, 0.4, 0.4]), { stage, config })).toBe(true);
  });

  test("one lucky epoch does not count: scores are averaged over three", () => {
    // Means of three: 0.2, 0.55, 0.5, 0.533, 0.367, 0.4 - the best is the second, after which four came.
    const lucky = [0.2, 0.9, 0.4, 0.3, 0.4, 0.5];
    expect(isStageDone(cursor(lucky.slice(0, 4)), { stage, config })).toBe(false);
    expect(isStageDone(cursor(lucky), { stage, config })).toBe(true);
    // 0.2, 0.5, 0.5, 0.633, 0.633: still rising, though no epoch reaches the second.
    expect(isStageDone(cursor([0.2, 0.8, 0.5, 0.6, 0.7]), { stage, config })).toBe(false);
  });

  test("not early where nothing was evaluated, or patience is 0", () => {
    expect(isStageDone(cursor([null, null, null, null, null]), { stage, config })).toBe(false);
    const endless = { ...config, patience: 0 };
    expect(isStageDone(cursor([0.5, 0.4, 0.4, 0.4, 0.4]), { stage, config: endless })).toBe(false);
  });

  test("scores of an earlier stage do not count", () => {
    expect(isStageDone(cursor([0.5, 0.4, 0.3], 1), { stage, config })).toBe(false);
    expect(isStageDone(cursor([0.5, 0.4, 0.3, 0.2], 1), { stage, config })).toBe(true);
  });
});
