/** Cross-validation, quick trainings and heads alone as a user runs them. */

import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

const LONG = 600_000;
let folder: string;
const at = (...names: string[]) => join(folder, ...names);
const run = (...args: string[]) => aspectlens(["train", "config.json", ...args], { cwd: folder });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "folds-"));
  const dataset = await writeTinyDataset({ train: 10, validation: 2, test: 2 });
  const trunk = { inputSize: 32, weights: "random", alpha: 0.05 };
  const stages = [{ train: "all", epochs: 1 }];
  const config = { dataset, out: "run", batchSize: 4, source: "conv_pw_3", trunk, stages };
  writeFileSync(at("config.json"), JSON.stringify(config));
});

test(
  "--folds prints a table, and writes the same numbers",
  async () => {
    const { code, stdout, stderr } = await run("--folds", "2");
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^tiny: 12 images in 2 folds/);
    expect(stdout).toMatch(/^class +accuracy +12 +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ to [\d.]+$/m);
    expect(stdout).toMatch(/^bright +auc +8 +[\d.]+ +[\d.]+ +- +[\d.]+ to [\d.]+$/m);
    const { heads } = JSON.parse(readFileSync(at("run", "folds.json"), "utf8"));
    expect(stdout).toContain(heads.class.metrics.accuracy.pooled.toFixed(3));
    expect(existsSync(at("run", "fold-2", "run.html"))).toBe(true);
  },
  LONG,
);

test("a folds.json of others, and too many folds, are refused before anything is trained", {
  timeout: LONG,
}, async () => {
  await mkdir(at("mine"));
  writeFileSync(at("mine", "folds.json"), "{}");
  const foreign = await run("--folds", "2", "--set", "out=mine");
  expect(foreign.code).toBe(2);
  expect(foreign.stderr).toMatch(/^aspectlens: mine[\\/]folds\.json: exists and is not [^\n]*\n$/);
  const many = await run("--folds", "20", "--set", "out=many");
  expect(many.code).toBe(2);
  expect(many.stderr).toMatch(/cannot be divided into 20 folds: 12 samples/);
  expect((await run("--folds", "1")).code).toBe(2);
  expect((await run("--folds", "2", "--finish")).code).toBe(2);
  expect(existsSync(at("many"))).toBe(false);
});

test("--quick says what it chose and writes it; beside it separate.json of others is not overwritten", {
  timeout: LONG,
}, async () => {
  const { code, stderr } = await run("--quick", "--set", "out=quick");
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/^quick: epochs 1 over all training images; a step takes [\d.e-]+ s$/m);
  expect(JSON.parse(readFileSync(at("quick", "config.json"), "utf8"))).toMatchObject({ stages: [{ epochs: 1 }] });
  writeFileSync(at("mine", "separate.json"), "{}");
  const foreign = await run("--compare-separate", "--set", "out=mine");
  expect(foreign.code).toBe(2);
  expect(foreign.stderr).toMatch(/^aspectlens: mine[\\/]separate\.json: exists and is not [^\n]*\n$/);
});
