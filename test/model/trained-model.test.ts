import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readTrainedModel, writeTrainedModel } from "../../src/model/trained-model.js";
import { tinyModel } from "../bundle/tiny-model.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-model-"));
});
afterEach(() => rm(folder, { recursive: true }));

test.each([
  [
    { high: 0.3, low: 0.1, isCalibrated: true },
    { value: 0.3, beside: 0.1, isCalibrated: true },
  ],
  [
    { high: 0.3, isCalibrated: true },
    { value: 0.3, isCalibrated: true },
  ],
])("model.json holds the thresholds %o as value and beside", async (threshold, stored) => {
  await writeTrainedModel(folder, { ...tinyModel(), threshold });
  expect(JSON.parse(await readFile(join(folder, "model.json"), "utf8")).threshold).toEqual(stored);
  expect((await readTrainedModel(folder)).threshold).toEqual(threshold);
});
