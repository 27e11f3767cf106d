/** Runs found, read and compared, from folders that are written by hand; and the command as a user runs it. */

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { compareRuns } from "../../src/train/compare-runs.js";
import { findRuns, readRun } from "../../src/train/read-run.js";
import { temporaryFolder } from "../dataset/given.js";
import { aspectlens } from "../helpers/command.js";

let folder: string;

interface Given {
  readonly config?: object;
  readonly hash?: string;
  readonly accuracies: readonly number[];
  /** Of the test split, with an interval. */
  readonly test?: number;
}

async function writeRun(name: string, { config = {}, hash = "h1", accuracies, test }: Given): Promise<string> {
  const run = join(folder, name);
  await mkdir(join(run, "best"), { recursive: true });
  await writeFile(join(run, ".aspectlens-run"), "aspectlens-run/1\n");
  await writeFile(join(run, "config.json"), JSON.stringify({ out: run, seed: 7, ...config }));
  await writeFile(join(run, "dataset.json"), JSON.stringify({ name: "tiny", hash }));
  const metrics = (accuracy: number) => ({ class: { kind: "classifier", accuracy, count: 9 } });
  const lines = accuracies.map((score, index) =>
    JSON.stringify({ stage: 0, epoch: index + 1, losses: { total: 1 }, validation: metrics(score), score }),
  );
  await writeFile(join(run, "metrics.jsonl"), lines.map((line) => `${line}\n`).join(""));
  if (test === undefined) return run;
  const heads = { class: { ...metrics(test).class, intervals: { accuracy: [test - 0.1, test + 0.1] } } };
  const provenance = {
    metrics: {
      validation: { format: "aspectlens-metrics/1", split: "validation", heads: metrics(Math.max(...accuracies)) },
      test: { format: "aspectlens-metrics/1", split: "test", heads },
    },
  };
  await writeFile(join(run, "best", "model.json"), JSON.stringify({ provenance }));
  return run;
}

let a: string;
let b: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  a = await writeRun("a", { accuracies: [0.5, 0.75, 0.75], test: 0.7 });
  b = await writeRun("deep/b", { config: { seed: 8, trunk: { inputSize: 96 } }, accuracies: [0.9], test: 0.8 });
  await writeRun("deep/er/c", { hash: "h2", accuracies: [0.4] });
  await mkdir(join(folder, "no-run"));
});

test("runs are found in folders below, and none is an error", async () => {
  expect(await findRuns(folder)).toEqual([a, b, join(folder, "deep/er/c")]);
  const inner = await writeRun("deep/er/c/folded", { accuracies: [0.5] });
  expect(await findRuns(join(folder, "deep"))).toEqual([b, join(folder, "deep/er/c"), inner]); // a run hides no others
  await rm(inner, { recursive: true });
  await expect(findRuns(join(folder, "no-run"))).rejects.toThrow(/holds no run/);
  await expect(findRuns(join(folder, "gone"))).rejects.toThrow(/there is no such folder/);
});

test("the best epoch is the last of those with the highest score", async () => {
  expect((await readRun(a)).best?.epoch).toBe(3);
});

test("a folder that is no run, and a damaged line, are named", async () => {
  await expect(readRun(join(folder, "no-run"))).rejects.toThrow(/is not a run folder.*runs list/s);
  const damaged = await writeRun("damaged", { accuracies: [0.5] });
  await writeFile(join(damaged, "metrics.jsonl"), '{"stage":0}\n{"stage"');
  await expect(readRun(damaged)).rejects.toThrow(/metrics\.jsonl:2: is not JSON/);
  await writeRun("damaged", { accuracies: [0.5] });
});

describe("compared", () => {
  test("values of the configuration by key, without the place; metrics of each split with their intervals", async () => {
    const { config, metrics, isSameDataset } = compareRuns(await readRun(a), await readRun(b));
    expect(isSameDataset).toBe(true);
    expect(config).toEqual([
      { key: "seed", a: 7, b: 8 },
      { key: "trunk.inputSize", b: 96 },
    ]);
    expect(metrics.map(({ split, a, b }) => [split, a, b])).toEqual([
      ["validation", 0.75, 0.9],
      ["test", 0.7, 0.8],
    ]);
    expect(metrics[1].difference).toBeCloseTo(0.1, 12);
    expect(metrics[1].intervalA?.[0]).toBeCloseTo(0.6, 12);
  });

  test("runs on other images of the same data are said to be on different data", async () => {
    const part = await readRun(await writeRun("part", { config: { images: { train: 4 } }, accuracies: [0.5] }));
    expect(compareRuns(await readRun(a), part).isSameDataset).toBe(false);
    expect(compareRuns(part, part).isSameDataset).toBe(true);
  });

  test("runs on different data are said to be", async () => {
    const other = await readRun(join(folder, "deep/er/c"));
    expect(compareRuns(await readRun(a), other).isSameDataset).toBe(false);
    expect(other.isFinished).toBe(false);
  });
});

describe("the command", () => {
  test("lists runs and compares two, as tables and as JSON", async () => {
    const listed = await aspectlens(["runs", "list", folder]);
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/deep\/er\/c +tiny +h2 +not finished +1 +0\.400/);
    const compared = await aspectlens(["runs", "compare", a, b]);
    expect(compared.stdout).toMatch(/seed +7 +8/);
    expect(compared.stdout).toMatch(/test +class +accuracy +0\.700 \[0\.600, 0\.800\] +0\.800 .*\+0\.100/);
    const { stdout } = await aspectlens(["runs", "compare", a, b, "--json"]);
    expect(JSON.parse(stdout).format).toBe("aspectlens-comparison/1");
  });

  test("says in one line what is no run", async () => {
    const { code, stderr } = await aspectlens(["runs", "compare", a, join(folder, "no-run")]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^aspectlens: .*no-run: is not a run folder\./);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });
});
