import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
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

test("model.json holds the scales as they are, by method and kind of target", async () => {
  const scales = {
    evidence: {
      class: { kind: "probability", line: 0.02, slope: 2, by: "general" },
      aspect: { kind: "above-chance", line: 0.01 },
    },
    cam: { class: { kind: "uncalibrated" } },
  } as const;
  await writeTrainedModel(folder, { ...tinyModel(), scales });
  const { format, scales: stored } = JSON.parse(await readFile(join(folder, "model.json"), "utf8"));
  expect(format).toBe("aspectlens-model/2");
  expect(stored).toEqual(scales);
  expect((await readTrainedModel(folder)).scales).toEqual(scales);
});

test("a model of the earlier version is read as not calibrated: its threshold meant another number", async () => {
  await writeTrainedModel(folder, tinyModel());
  const path = join(folder, "model.json");
  const { scales, ...others } = JSON.parse(await readFile(path, "utf8"));
  expect(scales).not.toEqual({});
  const earlier = { ...others, format: "aspectlens-model/1", threshold: { value: 0.3, isCalibrated: true } };
  await writeFile(path, JSON.stringify(earlier));
  const read = await readTrainedModel(folder);
  expect(read.scales).toEqual({});
  expect(read).not.toHaveProperty("threshold"); // what is written again holds no old number
  await writeFile(path, JSON.stringify({ ...others, format: "aspectlens-model/9" }));
  await expect(readTrainedModel(folder)).rejects.toThrow(
    /format "aspectlens-model\/9", expected "aspectlens-model\/2"/,
  );
});
