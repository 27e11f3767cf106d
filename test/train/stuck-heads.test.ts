import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EpochRecord } from "../../src/core/epoch-record.js";
import { InterruptedError } from "../../src/core/errors.js";
import type { DataFingerprint } from "../../src/dataset/fingerprint.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { checkConfig, resolveConfig } from "../../src/train/config.js";
import { foundStuck, lossWeights, STUCK_WEIGHT, stuckHeads } from "../../src/train/stuck-heads.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

const facts = {
  trainCount: 10,
  aspects: [
    { name: "spot", kind: "segmentation" },
    { name: "rib", kind: "boxes" },
  ] as const,
  trunkOf: () => ({ source: "x", taps: [], output: "conv_pw_13" }),
};
const stages = [
  { train: "heads", epochs: 3 },
  { train: "all", epochs: 10 },
];
const config = resolveConfig(checkConfig({ dataset: "d", out: "o", stages, source: "x" }, "c"), facts);
const learning = ["class", "spot", "rib"];
/** Half of the images hold spots on a fifth of their area, so "everywhere" reaches an IoU of 0.1. */
const fingerprint = {
  heads: { spot: { kind: "segmentation", labelled: 20, positive: 10, area: 0.2 } },
} as unknown as DataFingerprint;

const epochOf = (stage: number, epoch: number, [accuracy, iou, ap50]: readonly number[]): EpochRecord => ({
  ...{ stage, epoch, seconds: 1, learningRate: 1, losses: {}, score: 0.5 },
  validation: {
    class: { kind: "classifier", task: "single", accuracy, majorityBaseline: 0.6, count: 9 },
    spot: { kind: "segmentation", iou, dice: iou, count: 9 },
    rib: { kind: "boxes", ap50, count: 9 },
  },
});
const first = [1, 2, 3].map((epoch) => epochOf(0, epoch, [0.6, 0, 0]));

describe("a head is stuck", () => {
  test("whose best epoch in the first fifth of the last stage is no better than a constant answer", () => {
    const history = [...first, epochOf(1, 1, [0.62, 0.11, 0]), epochOf(1, 2, [0.55, 0.12, 0.02])];
    expect(stuckHeads(history, { config, learning, fingerprint })).toEqual(["class", "spot", "rib"]);
    expect(stuckHeads(history, { config, learning: ["rib"], fingerprint })).toEqual(["rib"]);
    const alone = { ...config, heads: { ...config.heads, rib: { ...config.heads.rib, weight: 0 } } };
    expect(stuckHeads(history, { config: alone, learning, fingerprint })).toEqual(["class", "spot"]);
  });

  test("and not where one of them was", () => {
    const history = [...first, epochOf(1, 1, [0.63, 0.13, 0.03]), epochOf(1, 2, [0.6, 0.1, 0])];
    expect(stuckHeads(history, { config, learning, fingerprint })).toEqual([]);
  });

  test("judged once: not before, not later, not in a stage before the last, and not where nothing was measured", () => {
    const blind = (stage: number, epoch: number) => epochOf(stage, epoch, [0.6, 0, 0]);
    const of = (...history: EpochRecord[]) => stuckHeads(history, { config, learning, fingerprint });
    expect(of(...first.slice(0, 2))).toEqual([]);
    expect(of(...first, blind(1, 1))).toEqual([]);
    expect(of(...first, blind(1, 1), blind(1, 2), blind(1, 3))).toEqual([]);
    expect(of(...first, { ...blind(1, 1), validation: null }, { ...blind(1, 2), validation: null })).toEqual([]);
  });

  test("its loss counts four times from then on, in that stage", () => {
    const history = [...first, epochOf(1, 1, [0.7, 0.3, 0]), { ...epochOf(1, 2, [0.7, 0.3, 0]), stuck: ["rib"] }];
    expect(foundStuck(history, 1)).toEqual(["rib"]);
    expect(foundStuck(history, 0)).toEqual([]);
    expect(lossWeights(config, ["rib"])).toEqual({ class: 1, spot: 1, rib: 4 });
  });
});

describe("a training with heads that learn nothing", () => {
  let engine: Engine;
  let dataset: string;
  beforeAll(async () => {
    engine = await selectEngine();
    dataset = await writeTinyDataset();
  });
  afterAll(() => engine.dispose());

  const raw = (out: string) =>
    checkConfig(
      {
        dataset,
        out,
        batchSize: 64, // all images, so that every epoch has the same loss
        balance: false,
        repeatBelow: 0,
        trunk: { inputSize: 32, weights: "random" },
        stages: [{ train: "all", epochs: 6, learningRate: 1e-9, batchNorm: "frozen" }],
        augment: { flip: false, turn: "none", crop: 0, margin: 0, colour: 0 },
      },
      "config.json",
    );
  const temporary = () => join(mkdtempSync(join(tmpdir(), "stuck-")), "run");
  const recordsOf = (out: string): EpochRecord[] =>
    readFileSync(join(out, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));

  test("writes them down after the second of six epochs, weights them from the third on, and resumes so", async () => {
    const out = temporary();
    const whole = await runTraining(raw(out), { engine });
    const records = recordsOf(out);
    const [, judged, weighted] = records;
    expect(records.map(({ stuck }) => stuck !== undefined)).toEqual([false, true, false, false, false, false]);
    const { stuck = [] } = judged;
    expect(stuck.length).toBeGreaterThan(0);
    const sum = (weightOf: (name: string) => number) =>
      Object.entries(weighted.losses).reduce(
        (total, [name, loss]) => total + (name === "total" ? 0 : weightOf(name) * loss),
        0,
      );
    expect(judged.losses.total).toBeCloseTo(
      sum(() => 1),
      3,
    );
    expect(weighted.losses.total).toBeCloseTo(
      sum((name) => (stuck.includes(name) ? STUCK_WEIGHT : 1)),
      3,
    );

    const broken = temporary();
    const controller = new AbortController();
    const run = runTraining(raw(broken), {
      engine,
      signal: controller.signal,
      onEpoch: ({ epoch }) => {
        if (epoch === 4) controller.abort();
      },
    });
    await expect(run).rejects.toThrow(InterruptedError);
    const resumed = await runTraining(raw(broken), { engine, isResumed: true });
    expect(resumed.parameters).toEqual(whole.parameters);
    expect(recordsOf(broken).map(({ losses }) => losses)).toEqual(records.map(({ losses }) => losses));
  });
});
