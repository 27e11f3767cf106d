import { describe, expect, test } from "vitest";
import type { Cursor } from "../../src/train/checkpoint.js";
import { checkConfig, resolveConfig } from "../../src/train/config.js";
import { isStageDone } from "../../src/train/stage.js";

const facts = { trainCount: 10, aspects: [], trunkOf: () => ({ source: "x", taps: [], output: "conv_pw_13" }) };
const raw = { dataset: "d", out: "o", patience: 3, stages: [{ train: "all", epochs: 10 }] };
const config = resolveConfig(checkConfig(raw, "c"), facts);
const [stage] = config.stages;
const cursor = (epoch: number, best: Cursor["best"]): Cursor => ({
  stage: 0,
  epoch,
  batch: 0,
  lossSums: {},
  seconds: 0,
  history: [],
  best,
  fingerprint: "",
});

describe("a stage ends", () => {
  test("after its epochs", () => {
    expect(isStageDone(cursor(10, { score: 1, stage: 0, epoch: 10 }), { stage, config })).toBe(true);
    expect(isStageDone(cursor(9, { score: 1, stage: 0, epoch: 9 }), { stage, config })).toBe(false);
  });

  test("after so many epochs without a better score as patience says", () => {
    expect(isStageDone(cursor(6, { score: 0.5, stage: 0, epoch: 4 }), { stage, config })).toBe(false);
    expect(isStageDone(cursor(7, { score: 0.5, stage: 0, epoch: 4 }), { stage, config })).toBe(true);
  });

  test("not early where nothing was evaluated, or patience is 0", () => {
    expect(isStageDone(cursor(9, { score: null, stage: 0, epoch: 1 }), { stage, config })).toBe(false);
    const endless = { ...config, patience: 0 };
    expect(isStageDone(cursor(9, { score: 0.5, stage: 0, epoch: 1 }), { stage, config: endless })).toBe(false);
  });

  test("counts from the stage's start where the best is of an earlier stage", () => {
    const second = { ...cursor(2, { score: 0.5, stage: 0, epoch: 9 }), stage: 1 };
    expect(isStageDone(second, { stage, config })).toBe(false);
    expect(isStageDone({ ...second, epoch: 3 }, { stage, config })).toBe(true);
  });
});
