/** What a run folder keeps from harm: files of others, a second training, pictures that changed, an early end. */

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelCard } from "../../src/bundle/model-card.js";
import { ConfigError, InputError, InterruptedError } from "../../src/core/errors.js";
import { temporaryName } from "../../src/core/files.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { metricsOf, readTrainedModel, recordMetrics } from "../../src/model/trained-model.js";
import { checkConfig } from "../../src/train/config.js";
import { inRunFolder } from "../../src/train/run-folder.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

let engine: Engine;
let dataset: string;
beforeAll(async () => {
  engine = await createOnnxEngine({ threads: 1 });
  dataset = await writeTinyDataset({ train: 8, validation: 4 });
});
afterAll(() => engine.dispose());

const folder = () => mkdtempSync(join(tmpdir(), "guard-"));
const configOf = (out: string, { from = dataset, epochs = 1 } = {}) =>
  checkConfig(
    {
      ...{ dataset: from, out, batchSize: 4, source: "conv_pw_3" },
      trunk: { weights: "random", inputSize: 32, alpha: 0.05 },
      stages: [{ train: "all", epochs }],
    },
    "test",
  );

/** Every file of a folder with its content. */
const contents = (place: string) =>
  Object.fromEntries(
    (readdirSync(place, { recursive: true, withFileTypes: true }) as import("node:fs").Dirent[])
      .filter((entry) => entry.isFile())
      .map((entry) => [join(entry.parentPath, entry.name), readFileSync(join(entry.parentPath, entry.name), "base64")]),
  );

/** Of the tiny set's few validation images. */
const few = expect.stringMatching(/^fewer than 10 validation images/);

/** Trains until the given epoch begins, as Ctrl-C would. @returns the plan's notes. */
async function trainUntil(raw: ReturnType<typeof configOf>, epoch: number, isResumed = false) {
  const controller = new AbortController();
  let notes: readonly string[] = [];
  const run = runTraining(raw, {
    engine,
    isResumed,
    signal: controller.signal,
    onStart: (plan) => {
      notes = plan.notes;
    },
    onProgress: (at) => {
      if (at.epoch === epoch) controller.abort();
    },
  });
  await expect(run).rejects.toThrow(InterruptedError);
  return notes;
}

describe("a folder that holds files of others", () => {
  test("is refused before any work, also through a link, and stays as it was", async () => {
    const before = contents(dataset);
    const link = join(folder(), "link");
    symlinkSync(dataset, link);
    for (const out of [dataset, `${dataset}/.`, join(dataset, "images", ".."), link]) {
      const run = runTraining(configOf(out), { engine });
      await expect(run, out).rejects.toThrow(ConfigError);
      await expect(run).rejects.toThrow(
        /dataset\.json: was not made by a training, and would be overwritten\. Choose another "out"/,
      );
    }
    expect(contents(dataset)).toEqual(before);
  });

  test.each(["config.json", "run.html", "metrics.jsonl", "best", "checkpoint", "cache"])("as %s", async (name) => {
    const out = folder();
    writeFileSync(join(out, name), "mine");
    await expect(runTraining(configOf(out), { engine })).rejects.toThrow(ConfigError);
    await expect(runTraining(configOf(out), { engine, isResumed: true })).rejects.toThrow(ConfigError);
    expect(contents(out)).toEqual({ [join(out, name)]: Buffer.from("mine").toString("base64") });
  });

  test("in a dataset's folder a folder of its own is fine, as are other files in it", async () => {
    const own = await writeTinyDataset({ train: 4, validation: 0, test: 0 });
    const before = contents(own);
    const out = join(own, "run");
    mkdirSync(out);
    writeFileSync(join(out, "notes.txt"), "mine");
    await runTraining(configOf(out, { from: own }), { engine });
    expect(readFileSync(join(out, "notes.txt"), "utf8")).toBe("mine");
    expect(contents(own)).toMatchObject(before);
  });

  test("a file is no folder", async () => {
    const out = join(folder(), "file");
    writeFileSync(out, "mine");
    await expect(runTraining(configOf(out), { engine })).rejects.toThrow(/"out" is a file\. Name a folder\./);
    await expect(runTraining(configOf(join(out, "sub")), { engine })).rejects.toThrow(InputError);
    expect(readFileSync(out, "utf8")).toBe("mine");
  });

  test("a refused run leaves no folder behind, and one that failed early can be started again", async () => {
    const out = join(folder(), "run");
    await expect(runTraining({ ...configOf(out), seed: -1 }, { engine })).rejects.toThrow(ConfigError);
    expect(existsSync(out)).toBe(false);
    const fails = () => {
      throw new Error("stopped");
    };
    await expect(runTraining(configOf(out), { engine, onProgress: fails })).rejects.toThrow("stopped");
    expect(existsSync(join(out, "config.json"))).toBe(true);
    await runTraining(configOf(out), { engine });
  });
});

test("of two trainings into one folder, the second is refused and the first is whole", async () => {
  const out = join(folder(), "run");
  let second: unknown;
  await runTraining(configOf(out, { epochs: 2 }), {
    engine,
    onEpoch: async () => {
      second ??= await runTraining(configOf(out), { engine, isResumed: true }).catch((error: unknown) => error);
    },
  });
  await expect.poll(() => second).toBeInstanceOf(ConfigError);
  expect((second as Error).message).toBe(
    `${out}: a training: process ${process.pid} is already running. Wait for it, or choose another "out".`,
  );
  expect(readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n")).toHaveLength(2);
  expect(readdirSync(out)).not.toContain(".lock");
});

test("what a killed training left half-written is gone after the next", async () => {
  const out = join(folder(), "run");
  await trainUntil(configOf(out, { epochs: 2 }), 1);
  const names = ["checkpoint/state.safetensors", "best/state.safetensors", "run.html"].map((name) =>
    temporaryName(join(out, name)).replace(`.${process.pid}.`, ".4194999."),
  );
  for (const name of names) writeFileSync(name, "half");
  await runTraining(configOf(out, { epochs: 2 }), { engine, isResumed: true });
  expect(names.filter((name) => existsSync(name))).toEqual([]);
});

describe("a dataset that is not as it was when the run began", () => {
  test("files whose bytes changed are named, in the notes and in the model", async () => {
    const own = await writeTinyDataset({ train: 8, validation: 4 });
    const out = join(folder(), "run");
    const raw = configOf(out, { from: own, epochs: 2 });
    expect(await trainUntil(raw, 1)).toEqual([few]);
    const image = (name: string) => join(own, "images", name);
    cpSync(image("001.png"), image("000.png"));
    utimesSync(image("002.png"), 1, 1); // only touched
    const bytes = readFileSync(image("003.png"));
    bytes[bytes.length - 1] ^= 1; // of the same size; past the end of the picture, so it still decodes
    writeFileSync(image("003.png"), bytes);
    let notes: readonly string[] = [];
    const onStart = (plan: { notes: readonly string[] }) => {
      notes = plan.notes;
    };
    const trained = await runTraining(raw, { engine, isResumed: true, onStart });
    const note =
      "2 files of the dataset changed since the run began: images/000.png, images/003.png. What was learned before is of the former ones.";
    expect(notes).toEqual([few, note]);
    expect(trained.provenance.warnings).toContain(note);
  });

  test("a moved and copied set, and a moved run, go on without a word", async () => {
    const own = await writeTinyDataset({ train: 8, validation: 4 });
    const place = folder();
    await trainUntil(configOf(join(place, "run"), { from: own, epochs: 2 }), 1);
    cpSync(own, join(place, "copy"), { recursive: true });
    renameSync(join(place, "run"), join(place, "moved"));
    let notes: readonly string[] | undefined;
    const raw = configOf(join(place, "moved"), { from: join(place, "copy"), epochs: 2 });
    const { provenance } = await runTraining(raw, {
      engine,
      isResumed: true,
      onStart: (plan) => {
        notes = plan.notes;
      },
    });
    expect(notes).toEqual([few]);
    const { fingerprint, reasons, ...kept } = JSON.parse(readFileSync(join(place, "moved", "dataset.json"), "utf8"));
    expect(fingerprint.count).toBe(8);
    expect(reasons["augment.turn"]).toContain("images are too few");
    expect(kept.contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(provenance.dataset).toEqual(kept);
  });

  test("a picture that is absent is said at the start", async () => {
    const own = await writeTinyDataset({ train: 4, validation: 0, test: 0 });
    renameSync(join(own, "images", "002.png"), join(own, "elsewhere.png"));
    await expect(runTraining(configOf(join(folder(), "run"), { from: own }), { engine })).rejects.toThrow(
      /samples\.jsonl:3: .*002\.png: no such file/,
    );
  });
});

test.each([
  [{ train: "conv_pw_99" }, /stages: train "conv_pw_99" is neither "heads" nor "all" nor a layer/],
  [{ train: "heads", batchNorm: "batch" }, /"batchNorm": "batch" goes with "train": "all"/],
  [{ train: "all", batchNorm: "batch" }, /needs weights with batch normalisation; these are folded/],
])("a second stage that cannot work, %j, is refused before the first", async (stage, message) => {
  const out = join(folder(), "run");
  const raw = {
    ...configOf(out),
    stages: [
      { train: "heads", epochs: 1 },
      { epochs: 1, ...stage },
    ],
  };
  await expect(runTraining(checkConfig(raw), { engine })).rejects.toThrow(message);
  expect(existsSync(out)).toBe(false);
});

describe("an interrupted run that is finished where it is", () => {
  test("becomes a model of its best epoch with references, threshold and metrics, and can go on", async () => {
    const out = join(folder(), "run");
    const raw = configOf(out, { epochs: 3 });
    await trainUntil(raw, 1);
    const state = readFileSync(join(out, "checkpoint", "state.safetensors"));
    let isPlanned = false;
    const again = runTraining(raw, { engine, onStart: () => (isPlanned = true) });
    await expect(again).rejects.toMatchObject({
      message: expect.stringContaining("holds a training run already"),
      file: out,
    });
    expect(isPlanned).toBe(false);
    const finished = await runTraining(raw, { engine, isFinishing: true });
    expect(finished.provenance).toMatchObject({ epochs: 1, metrics: { validation: { split: "validation" } } });
    expect(finished.provenance.warnings).toContain("the training was ended early; epochs done: 1.");
    expect((await readTrainedModel(join(out, "best"))).parameters).toEqual(finished.parameters);
    expect(Object.keys(finished.references).length).toBeGreaterThan(0);
    expect(readFileSync(join(out, "checkpoint", "state.safetensors")).equals(state)).toBe(true);
    const whole = await runTraining(raw, { engine, isResumed: true });
    expect(whole.provenance.epochs).toBe(3);
    expect(whole.provenance.warnings.join()).not.toContain("ended early");
  });

  test("before the first epoch is complete, or where nothing was begun, there is nothing to finish", async () => {
    const out = join(folder(), "run");
    const raw = configOf(out, { epochs: 2 });
    for (const begin of [async () => {}, () => trainUntil(raw, 0)]) {
      await begin();
      await expect(runTraining(raw, { engine, isFinishing: true })).rejects.toThrow(
        /no epoch is complete, so there is nothing/,
      );
    }
  });
});

test("the model card shows what was measured: validation by training, and other splits once they are evaluated", async () => {
  const out = join(folder(), "run");
  const trained = await runTraining(configOf(out), { engine });
  const card = modelCard(trained, { name: basename(out) });
  expect(card).toContain("On the split `validation`:");
  expect(card).toMatch(/\| class \| accuracy \| [\d.]+ \([\d.]+ to [\d.]+\) \| 4 \|/);
  expect(card).toMatch(/\| class \| recall of with \| [\d.]+ \| 4 \|/);
  expect(card).not.toContain("Not evaluated.");
  const best = join(out, "best");
  const [{ heads }] = metricsOf(trained.provenance);
  await recordMetrics(best, { format: "aspectlens-metrics/1", split: "test", heads });
  const again = await readTrainedModel(best);
  expect(again).toEqual({ ...trained, provenance: again.provenance });
  expect(modelCard(again, { name: "x" })).toContain("On the split `test`:");
  expect(metricsOf(again.provenance).map(({ split }) => split)).toEqual(["validation", "test"]);
});

test("the lock of a run is held while the work goes on, and not after it", async () => {
  const out = join(folder(), "run");
  await inRunFolder(out, async () => {
    expect(JSON.parse(readFileSync(join(out, ".lock"), "utf8"))).toMatchObject({ pid: process.pid });
  });
  expect(existsSync(out)).toBe(false);
});
