import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { eagerBackend } from "../helpers/eager-engine.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

test("train and evaluate give the same numbers on tfjs-node as on the compiled engine", async ({ skip }) => {
  skip(eagerBackend === "cpu", "skipped: tfjs-node is absent; .ci/run builds it and runs this");
  const folder = mkdtempSync(join(tmpdir(), "eager-"));
  const dataset = await writeTinyDataset();
  // With batch norm in training mode, Adam would magnify rounding from step to step.
  const stages = [
    { train: "heads", epochs: 1 },
    { train: "conv_pw_9", epochs: 2 },
  ];
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await aspectlens([...args, "--json"], { cwd: folder });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const epochs = async (engine: "tfjs" | "onnx") => {
    const config = { dataset, out: engine, batchSize: 4, trunk: { inputSize: 32, weights: "random" }, stages };
    writeFileSync(join(folder, "config.json"), JSON.stringify(config));
    await run("train", "config.json", "--engine", engine);
    const lines = readFileSync(join(folder, engine, "metrics.jsonl"), "utf8")
      .trim()
      .split("\n");
    return lines.map((line) => JSON.parse(line).losses);
  };
  const losses = await epochs("tfjs");
  expect(losses).toHaveLength(3);
  expect(losses).toEqual(nearly(await epochs("onnx")));
  const metrics = await run("evaluate", "tfjs", dataset, "--engine", "tfjs");
  expect(metrics.heads.class.count).toBe(4);
  expect(metrics).toEqual(nearly(await run("evaluate", "tfjs", dataset, "--engine", "onnx")));
});

/** The same with every number to three places; measured: losses and metrics differ in the seventh. */
function nearly(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, one) => (typeof one === "number" ? expect.closeTo(one, 3) : one));
}
