/** A cross-validation that is stopped and resumed comes to what it comes to unstopped. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InterruptedError } from "../../src/core/errors.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { checkConfig } from "../../src/train/config.js";
import { compareSeparate } from "../../src/workflows/compare-separate.js";
import { crossValidate } from "../../src/workflows/cross-validate.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

const LONG = 600_000;
let engine: Engine;
let dataset: string;

beforeAll(async () => {
  engine = await selectEngine();
  dataset = await writeTinyDataset({ train: 10, validation: 2, test: 2 });
});

afterAll(() => engine.dispose());

/** Every name below a folder. */
const contents = (place: string) => readdirSync(place, { recursive: true }).sort();

test(
  "stopped in a fold and resumed, it trains no finished fold again",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "folds-"));
    const trunk = { inputSize: 32, weights: "random", alpha: 0.05 };
    const configOf = (out: string) =>
      checkConfig({
        ...{ dataset, out: join(folder, out), batchSize: 4, source: "conv_pw_3", trunk },
        stages: [{ train: "all", epochs: 2 }],
      });
    const whole = await crossValidate(configOf("whole"), { engine, folds: 2 });

    const controller = new AbortController();
    const trained: string[] = [];
    let fold = 0;
    const options = {
      ...{ engine, folds: 2 },
      onFold: (number: number) => {
        fold = number;
      },
      onEpoch: ({ epoch }: { epoch: number }) => {
        trained.push(`${fold}:${epoch}`);
        if (fold === 2 && epoch === 1) controller.abort();
      },
    };
    await expect(crossValidate(configOf("run"), { ...options, signal: controller.signal })).rejects.toThrow(
      InterruptedError,
    );
    expect(existsSync(join(folder, "run", "folds.json"))).toBe(false);
    // No folds.json yet.
    await expect(runTraining(configOf("run"), { engine, isResumed: true })).rejects.toThrow(/holds a cross-validation/);
    const other = crossValidate({ ...configOf("run"), fold: { of: 4 } }, options);
    await expect(other).rejects.toThrow("fold.of: is 4, and 2 folds are asked for. Give one.");
    const one = crossValidate({ ...configOf("run"), fold: { number: 2 } }, options);
    await expect(one).rejects.toThrow("fold.number: is 2, and all folds are asked for.");
    await expect(crossValidate(configOf("run"), options)).rejects.toThrow(/fold-1: holds a training run already/);
    const model = join(folder, "run", "fold-1", "best", "model.json");
    const written = statSync(model).mtimeMs;
    const resumed = await crossValidate(configOf("run"), { ...options, isResumed: true });
    expect(trained).toEqual(["1:1", "1:2", "2:1", "2:2"]);
    expect(statSync(model).mtimeMs).toBe(written);
    expect(resumed).toEqual(whole);
    expect(JSON.parse(readFileSync(join(folder, "run", "folds.json"), "utf8"))).toEqual(whole);
    expect(whole).toMatchObject({ format: "aspectlens-folds/1", dataset: { name: "tiny", count: 12 }, seed: 7 });
    expect(whole.runs.map(({ counts }) => counts.test)).toEqual([6, 6]);
    const former = contents(join(folder, "run"));
    await expect(runTraining(configOf("run"), { engine })).rejects.toThrow(
      /run: holds a cross-validation already\. Go on with --folds COUNT --resume, or choose another "out"\.$/,
    );
    await expect(compareSeparate(configOf("run"), { engine })).rejects.toThrow(/holds a cross-validation already/);
    expect(contents(join(folder, "run"))).toEqual(former);
    const { accuracy } = whole.heads.class.metrics;
    expect(accuracy.pooled).toBeCloseTo(accuracy.mean ?? Number.NaN, 12); // folds of one size
  },
  LONG,
);
