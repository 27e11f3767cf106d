/** Every kind of dataset that the check accepts becomes a bundle that explains: one step, references, threshold, export. */

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExplainer } from "../../src/bundle/explainer.js";
import { exportBundle } from "../../src/bundle/export-bundle.js";
import { checkDataset } from "../../src/dataset/check.js";
import { RESIZE_KERNEL } from "../../src/dataset/resize-image.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { openRuntime, type Runtime } from "../../src/engine/session.js";
import { checkConfig, type RawConfig } from "../../src/train/config.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

let engine: Engine;
let runtime: Runtime;
beforeAll(async () => {
  engine = await createOnnxEngine({ threads: 1 });
  runtime = openRuntime({ threads: 1 });
});
afterAll(async () => {
  await engine.dispose();
  await runtime.dispose();
});

type Data = NonNullable<Parameters<typeof writeTinyDataset>[0]>;

const many = Array.from({ length: 12 }, (_, index) => `class ${index}`);
const tasks: readonly (readonly [string, Data])[] = [
  ["single, two classes", { task: "single" }],
  ["single, many classes", { task: "single", classes: many }],
  ["multi, one class", { task: "multi", classes: ["with"] }],
  ["multi, two classes", { task: "multi" }],
  ["multi, many classes", { task: "multi", classes: many }],
  ["regression", { task: "regression" }],
];
const splits: readonly (readonly [string, Data])[] = [
  ["training alone", { train: 4, validation: 0, test: 0 }],
  ["with validation", { train: 4, validation: 2, test: 0 }],
  ["with validation and test", { train: 4, validation: 2, test: 2 }],
];

/** @returns what an image of the dataset is taken for, explained by the exported bundle. */
async function toBundle(data: Data, heads?: RawConfig["heads"]) {
  const dataset = await writeTinyDataset(data);
  const report = await checkDataset(dataset);
  expect(report.faults.filter(({ severity }) => severity === "error")).toEqual([]);
  const out = join(mkdtempSync(join(tmpdir(), "run-")), "run");
  const raw = checkConfig(
    {
      ...{ dataset, out, batchSize: 4, source: "conv_pw_3", trunk: { weights: "random", inputSize: 32, alpha: 0.05 } },
      stages: [{ train: "all", epochs: 1 }],
      ...(heads && { heads }),
    },
    "test",
  );
  const trained = await runTraining(raw, { engine });
  expect(trained.provenance.epochs).toBe(1);
  const path = join(out, "model.aspect");
  await exportBundle(trained, path, { runtime, kernel: RESIZE_KERNEL });
  const explainer = await openExplainer(path, { threads: 1 });
  try {
    return await explainer.explain(join(dataset, "images", "000.png"));
  } finally {
    await explainer.dispose();
  }
}

describe.each(tasks)("%s", (_, task) => {
  test.each(splits)("%s", async (_, split) => {
    const { explanation } = await toBundle({ ...task, ...split });
    expect(explanation.aspects.length).toBe(4);
    if ("class" in explanation.prediction)
      expect(task.classes ?? ["without", "with"]).toContain(explanation.prediction.class);
    else expect(explanation.prediction).toHaveProperty(task.task === "regression" ? "value" : "labels");
  });
});

describe("names that every object inherits", () => {
  test.each(["constructor", "toString"])("%s", async (name) => {
    const { explanation } = await toBundle({ train: 4, validation: 2, classes: [name, "__proto__"], square: name });
    expect(explanation.aspects.map((aspect) => aspect.name)).toContain(name);
    const { scores } = explanation.prediction as { scores: Record<string, number> };
    expect(Object.keys(scores)).toEqual([name, "__proto__"]);
    expect(Object.values(scores).reduce((sum, score) => sum + score)).toBeCloseTo(1, 5);
  });
});

test("values that 32 bits cannot hold are refused by the check, not by a loss of NaN", async () => {
  const dataset = await writeTinyDataset({ task: "regression", train: 2, validation: 0, test: 0 });
  const path = join(dataset, "samples.jsonl");
  const edited = (value: string) => readFileSync(path, "utf8").replace(/"value":[-+\d.e]+/, `"value":${value}`);
  for (const value of ["1.7e308", "-1e16", "1e999"]) {
    writeFileSync(path, edited(value));
    const { faults } = await checkDataset(dataset);
    expect(faults[0].message).toMatch(
      /samples\.jsonl:1: value -?(1\.7e\+308|10000000000000000|Infinity) is larger than 1e\+15 in magnitude\. Give it in a larger/,
    );
    writeFileSync(path, edited("1"));
  }
});

test("no head reads the trunk's last layers: those do not learn", async () => {
  const { explanation } = await toBundle({ train: 4, validation: 2 }, { class: { tap: ["conv_pw_3", "conv_pw_5"] } });
  expect(explanation.aspects.length).toBe(4);
});
