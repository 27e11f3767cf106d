import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { aspectlens } from "../helpers/command.js";
import { eagerBackend } from "../helpers/eager-engine.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

test("train and evaluate run on tfjs-node, and the compiled engine measures the same", async ({ skip }) => {
  skip(eagerBackend === "cpu", "skipped: tfjs-node is absent; .ci/run builds it and runs this");
  const folder = mkdtempSync(join(tmpdir(), "eager-"));
  const dataset = await writeTinyDataset();
  const stages = [{ train: "all", epochs: 2 }];
  const config = { dataset, out: "run", batchSize: 4, trunk: { inputSize: 32 }, stages };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await aspectlens([...args, "--json"], { cwd: folder });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout);
  };
  const trained = await json("train", "config.json", "--engine", "tfjs");
  expect(trained).toMatchObject({ best: "run/best", metrics: { split: "validation" } });
  const [eager, compiled] = [
    await json("evaluate", "run", dataset, "--engine", "tfjs"),
    await json("evaluate", "run", dataset, "--engine", "onnx"),
  ];
  expect(eager.heads.class.count).toBe(4);
  // Heads and metrics, number by number: within the tolerance of a forward pass (DESIGN section 4).
  const numbers = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, one) => (typeof one === "number" ? expect.closeTo(one, 3) : one));
  expect(eager).toEqual(numbers(compiled));
});
