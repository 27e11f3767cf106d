/** Killed right after one of its files was written, and resumed: what a checkpoint alone does not show. */

import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import type * as Promises from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { openDataset } from "../../src/dataset/dataset.js";
import { takeInventory } from "../../src/dataset/inventory.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { checkConfig } from "../../src/train/config.js";
import { inRunFolder } from "../../src/train/run-folder.js";
import { trainStages } from "../../src/train/train-stages.js";
import { planOf } from "../../src/workflows/train-plan.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

/** Called after each file that is written as a whole. */
let onWritten: (path: string) => void = () => {};
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof Promises>();
  const rename: typeof real.rename = async (from, to) => {
    await real.rename(from, to);
    onWritten(String(to));
  };
  return { ...real, rename };
});

let engine: Engine;
let dataset: string;
beforeAll(async () => {
  engine = await selectEngine();
  // Without validation the latest epoch is the best.
  dataset = await writeTinyDataset({ validation: 0 });
});
afterEach(() => {
  onWritten = () => {};
});
afterAll(() => engine.dispose());

const BEST = join("best", "state.safetensors");
const CHECKPOINT = join("checkpoint", "state.safetensors");
const temporary = () => join(mkdtempSync(join(tmpdir(), "killed-")), "run");

async function train(out: string, { isResumed = false } = {}): Promise<void> {
  const raw = {
    ...{ dataset, out, batchSize: 4, trunk: { inputSize: 32, weights: "random" } },
    stages: [
      { train: "all", epochs: 1 },
      { train: "heads", epochs: 1, cache: false },
    ],
  };
  const config = checkConfig(raw, "config.json");
  const opened = await openDataset(dataset);
  const plan = await planOf(config, { dataset: opened, isResumed });
  await inRunFolder(out, async () => {
    await trainStages({ ...plan, engine, isResumed, inventory: await takeInventory(opened) });
  });
}

const epochsOf = (out: string) =>
  readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => ({ ...JSON.parse(line), seconds: 0 }));

test("a run killed between the files of an epoch ends as one that was not, byte for byte", async () => {
  const whole = temporary();
  const written: string[] = [];
  onWritten = (path) => written.push(path.slice(whole.length + 1));
  await train(whole);
  const states = written.filter((path) => path === BEST || path === CHECKPOINT);
  // The second stage begins with a checkpoint, before it can replace the best that it begins with.
  expect(states).toEqual([BEST, CHECKPOINT, CHECKPOINT, BEST, CHECKPOINT]);
  for (const [name, times] of [
    [BEST, 2],
    [CHECKPOINT, 3],
  ] as const) {
    const out = temporary();
    let seen = 0;
    onWritten = (path) => {
      if (path.endsWith(name) && ++seen === times) throw new Error("killed");
    };
    await expect(train(out)).rejects.toThrow(/killed/);
    onWritten = () => {};
    mkdirSync(join(out, "cache"));
    for (const left of ["features-0.bin", "own.txt"]) writeFileSync(join(out, "cache", left), "");
    await train(out, { isResumed: true });
    expect(epochsOf(out), `${name} ${times}`).toEqual(epochsOf(whole));
    expect(readFileSync(join(out, BEST)).equals(readFileSync(join(whole, BEST))), name).toBe(true);
    expect(["features-0.bin", "own.txt"].map((left) => existsSync(join(out, "cache", left)))).toEqual([false, true]);
  }
}, 300_000);
