/** What input errors say to programs: the file at fault, its line, and the cure that the message ends with. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readBundle } from "../../src/bundle/read-bundle.js";
import {
  BundleError,
  ConfigError,
  DatasetError,
  ImageError,
  InputError,
  inFile,
  WeightsError,
} from "../../src/core/errors.js";
import { openResultFolder } from "../../src/core/result-folder.js";
import { batches } from "../../src/dataset/batches.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { decodeImage } from "../../src/dataset/open-image.js";
import { readRaster } from "../../src/dataset/raster.js";
import { readTrainedModel } from "../../src/model/trained-model.js";
import { readConfig } from "../../src/train/read-config.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import { exportRun } from "../../src/workflows/export-run.js";
import { readModel } from "../../src/workflows/read-model.js";

let folder: string;
const at = (name: string) => join(folder, name);
const failure = async (work: Promise<unknown>) => work.catch((error: unknown) => error as InputError);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  const manifest = {
    format: "aspectlens-dataset/1",
    name: "two",
    classes: ["a", "b"],
    samples: "samples.jsonl",
    aspects: [],
  };
  await writeFile(at("dataset.json"), JSON.stringify(manifest));
  await sharp({ create: { width: 8, height: 8, channels: 3, background: "#888" } }).toFile(at("whole.png"));
  await writeFile(at("half.png"), (await readFile(at("whole.png"))).subarray(0, 60));
});
afterEach(() => rm(folder, { recursive: true }));

const samples = (...lines: object[]) =>
  writeFile(at("samples.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
const good = { image: "whole.png", split: "train", label: "a" };

async function readAll(): Promise<void> {
  for await (const _ of batches(await openDataset(folder), { split: "train", batchSize: 2, inputSize: 8 }));
}

const CASES: Record<
  string,
  { kind: typeof InputError; fail: () => Promise<unknown>; file: string; line?: number; cure: string }
> = {
  "a dataset's record": {
    kind: DatasetError,
    fail: async () => {
      await samples(good, { ...good, boxes: [] });
      await openDataset(folder);
    },
    file: "samples.jsonl",
    line: 2,
    cure: "Known: image, split, label, aspects, causes, groups, source.",
  },
  "a sample's answer": {
    kind: DatasetError,
    fail: async () => {
      await samples(good, good, { ...good, image: "../x.png" });
      await openDataset(folder);
    },
    file: "samples.jsonl",
    line: 3,
    cure: `Give a path relative to the dataset's folder, like "images/0001.png".`,
  },
  "a sample whose image is damaged": {
    kind: DatasetError,
    fail: async () => {
      await samples(good, { ...good, image: "half.png" });
      await readAll();
    },
    file: "samples.jsonl",
    line: 2,
    cure: "Convert it to PNG, JPEG, WebP, TIFF or GIF.",
  },
  "a manifest": {
    kind: DatasetError,
    fail: async () => {
      await writeFile(at("dataset.json"), "{");
      await openDataset(folder);
    },
    file: "dataset.json",
    cure: "Correct the file.",
  },
  "a configuration": {
    kind: ConfigError,
    fail: async () => {
      await writeFile(at("config.json"), '{ "dataset": "x", "out": "y", "epochs": 3 }');
      await readConfig(at("config.json"));
    },
    file: "config.json",
    cure:
      "Known: dataset, out, fold, images, seed, batchSize, accumulate, trunk, teacher, source, heads, stages, augment, " +
      "balance, repeatBelow, score, patience, cacheMegabytes, $schema.",
  },
  "a configuration with a mistake in its third line": {
    kind: ConfigError,
    fail: async () => {
      await writeFile(at("broken.json"), '{\n  "dataset": "x",\n  "out": "y" "seed": 7\n}');
      await readConfig(at("broken.json"));
    },
    file: "broken.json",
    line: 3,
    cure: "Correct the file.",
  },
  "a folder that is no run": {
    kind: InputError,
    fail: async () => {
      await mkdir(at("data"));
      await readModel(at("data"));
    },
    file: "data",
    cure: 'Name the folder that a training wrote, its "out".',
  },
  "a run that is not there": {
    kind: InputError,
    fail: () => exportRun(at("nope"), "m.aspect"),
    file: "nope",
    cure: "Check the path.",
  },
  "a file that is absent": {
    kind: ConfigError,
    fail: () => readConfig(at("none.json")),
    file: "none.json",
    cure: "Give the path of a configuration, as in: aspectlens train config.json.",
  },
  "an image": {
    kind: ImageError,
    fail: () => decodeImage(at("half.png"), { size: 8 }),
    file: "half.png",
    cure: "Convert it to PNG, JPEG, WebP, TIFF or GIF.",
  },
  "a mask": { kind: ImageError, fail: () => readRaster(at("half.png")), file: "half.png", cure: "Save it again." },
  "a bundle": {
    kind: BundleError,
    fail: () => readBundle(at("whole.png")),
    file: "whole.png",
    cure: "Copy or export it again.",
  },
  weights: {
    kind: WeightsError,
    fail: () => readWeights(at("whole.png")),
    file: "whole.png",
    cure: "Known are a tfjs model.json, a Keras .h5 or .keras, an .onnx, or a trunk.safetensors.",
  },
  "a trained model": {
    kind: InputError,
    fail: async () => {
      await writeFile(at("model.json"), "[");
      await readTrainedModel(folder);
    },
    file: "model.json",
    cure: "Train again, or copy the run again.",
  },
  "a folder of results": {
    kind: InputError,
    fail: async () => {
      await mkdir(at("out"));
      await writeFile(at("out/x.json"), "mine");
      await (await openResultFolder(at("out"))).write("x", { "x.json": "ours" });
    },
    file: "out/x.json",
    cure: "Choose another folder, or remove it.",
  },
};

test.each(Object.entries(CASES))("%s", async (_, { kind, fail, file, line, cure }) => {
  const error = (await failure(fail())) as InputError;
  expect(error).toBeInstanceOf(kind);
  expect({ file: error.file, line: error.line, cure: error.cure }).toEqual({ file: at(file), line, cure });
  expect(error.message.endsWith(` ${cure}`)).toBe(true);
});

test("the innermost place stays, and other errors are left as they are", () => {
  const bad = () => {
    throw new InputError("x: is bad.", { file: "inner" });
  };
  const failing = () => inFile({ file: "outer", line: 3 }, bad);
  expect(failing).toThrow(expect.objectContaining({ file: "inner" }));
  expect(failing).not.toThrow(expect.objectContaining({ line: 3 }));
  const other = new RangeError("x");
  expect(() =>
    inFile({ file: "outer" }, () => {
      throw other;
    }),
  ).toThrow(other);
  expect(other).not.toHaveProperty("file");
});
