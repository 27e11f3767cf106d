import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, InterruptedError } from "../../src/core/errors.js";
import { ndArray } from "../../src/core/nd-array.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { createModel } from "../../src/model.js";
import { runTraining } from "../../src/run-training.js";
import { readCheckpoint } from "../../src/train/checkpoint.js";
import { checkConfig } from "../../src/train/config.js";
import { evaluationStep, modelInputShapes } from "../../src/train/step.js";
import { readTrainedModel, type TrainedModel } from "../../src/trained-model.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

let engine: Engine;
let dataset: string;

beforeAll(async () => {
  engine = await selectEngine();
  dataset = await writeTinyDataset();
});

afterAll(() => engine.dispose());

const temporary = () => join(mkdtempSync(join(tmpdir(), "run-")), "run");
const configOf = (out: string, more: object = {}) =>
  checkConfig(
    { dataset, out, batchSize: 4, trunk: { inputSize: 32 }, stages: [{ train: "all", epochs: 4 }], ...more },
    "config.json",
  );

/** Runs until a condition asks to stop, as Ctrl-C would. */
async function runUntil(
  out: string,
  stop: (at: { epoch: number; batch: number }) => boolean,
  more: object = {},
  { isResumed = false } = {},
) {
  const controller = new AbortController();
  const run = runTraining(configOf(out, more), {
    engine,
    isResumed,
    signal: controller.signal,
    onProgress: (at) => {
      if (stop(at)) controller.abort();
    },
  });
  await expect(run).rejects.toThrow(InterruptedError);
}

/** The classifier's logits on one noisy image. */
async function classScores({ spec, parameters }: TrainedModel): Promise<number[]> {
  const image = ndArray([1, 32, 32, 3]);
  for (let i = 0; i < image.data.length; i++) image.data[i] = (i * 7919) % 256;
  const input = { kind: "image" } as const;
  const model = createModel(spec);
  const compiled = await engine.compile(evaluationStep(model, { input }), {
    inputs: modelInputShapes(model, input, 1),
    constants: parameters,
  });
  const { class: logits } = await compiled.run({ image });
  await compiled.dispose();
  return [...logits.data];
}

const arraysOf = (model: { parameters: object; references: object; threshold: object }) => ({
  parameters: model.parameters,
  references: model.references,
  threshold: model.threshold,
});

describe("a run that was interrupted and resumed", () => {
  test("ends with the parameters of one that was not, bit for bit, in the middle of an epoch too", async () => {
    const whole = await runTraining(configOf(temporary()), { engine });
    const out = temporary();
    await runUntil(out, (at) => at.epoch === 1 && at.batch === 3); // the last batch of the second epoch
    await runUntil(out, (at) => at.epoch === 2 && at.batch === 1, {}, { isResumed: true });
    const resumed = await runTraining(configOf(out), { engine, isResumed: true });
    expect(arraysOf(resumed)).toEqual(arraysOf(whole));
    expect(readFileSync(join(out, "metrics.jsonl"), "utf8").trim().split("\n")).toHaveLength(4);
  });

  test("does the same across stages, from cached features on", async () => {
    const stages = {
      stages: [
        { train: "heads", epochs: 2 },
        { train: "conv_dw_12", epochs: 2 },
      ],
    };
    const whole = await runTraining(configOf(temporary(), stages), { engine });
    const out = temporary();
    await runUntil(out, (at) => at.epoch === 1 && at.batch === 2, stages);
    const resumed = await runTraining(configOf(out, stages), { engine, isResumed: true });
    expect(arraysOf(resumed)).toEqual(arraysOf(whole));
  });

  test("is refused under another configuration; a second run is refused without --resume", async () => {
    const out = temporary();
    await runUntil(out, (at) => at.batch === 1);
    await expect(runTraining(configOf(out, { seed: 8 }), { engine, isResumed: true })).rejects.toThrow(
      /another configuration or dataset/,
    );
    await expect(runTraining(configOf(out), { engine })).rejects.toThrow(InputError);
    expect((await readCheckpoint(out))?.cursor.batch).toBe(1);
  });
});

describe("what does not learn", () => {
  test("is byte-identical afterwards: the trunk up to the first layer that learns, the classifier when heads are added", async () => {
    const first = temporary();
    const base = await runTraining(configOf(first, { stages: [{ train: "all", epochs: 1 }], heads: {} }), { engine });
    const out = temporary();
    const added = await writeTinyDataset({ seed: 1 });
    const { readFileSync: read, writeFileSync: write } = await import("node:fs");
    const manifest = JSON.parse(read(join(added, "dataset.json"), "utf8"));
    manifest.aspects.push({ name: "spot", kind: "segmentation" });
    write(join(added, "dataset.json"), JSON.stringify(manifest));
    const lines = read(join(added, "samples.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const line of lines) line.aspects.spot = line.aspects.square;
    write(join(added, "samples.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const raw = checkConfig({ dataset: added, out, batchSize: 4, stages: [{ train: "heads", epochs: 2 }] }, "c");
    const more = await runTraining(raw, { engine, addHeadsTo: first });
    expect(more.spec.heads.map((head) => head.name)).toEqual(["class", "square", "bar", "bright", "red", "spot"]);
    for (const [name, array] of Object.entries(base.parameters)) expect(more.parameters[name], name).toEqual(array);
    const scores = await Promise.all([base, more].map((trained) => classScores(trained)));
    for (const [index, score] of scores[1].entries())
      expect(Math.abs(score - scores[0][index])).toBeLessThanOrEqual(1e-6);
    expect(Object.keys(more.parameters).filter((name) => name.startsWith("head/spot/")).length).toBeGreaterThan(0);
    expect(arraysOf(await readTrainedModel(join(out, "best"))).parameters).toEqual(more.parameters);
    // Without the finished run, --resume would train its heads on.
    await expect(runTraining(raw, { engine, isResumed: true })).rejects.toThrow(/--add-heads RUN/);
    const again = await runTraining(raw, { engine, addHeadsTo: first, isResumed: true });
    expect(again.parameters).toEqual(more.parameters);
  });
});

test("says what the data cannot teach, before training and in the model", async () => {
  const folder = await writeTinyDataset({ seed: 2 });
  const path = join(folder, "dataset.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  manifest.classes.push("third");
  manifest.aspects.push({ name: "unseen", kind: "boxes" });
  writeFileSync(path, JSON.stringify(manifest));
  const lines = readFileSync(join(folder, "samples.jsonl"), "utf8").trim().split("\n");
  const third = { ...JSON.parse(lines[lines.length - 1]), label: "third" };
  writeFileSync(join(folder, "samples.jsonl"), `${[...lines, JSON.stringify(third)].join("\n")}\n`);
  let notes: readonly string[] = [];
  const trained = await runTraining(configOf(temporary(), { dataset: folder, stages: [{ train: "all", epochs: 1 }] }), {
    engine,
    onStart: (plan) => {
      notes = plan.notes;
    },
  });
  const expected = [
    'class "third" has no training sample; it cannot be learned.',
    'aspect "unseen" is labelled in no training sample; it cannot be learned.',
  ];
  expect(notes).toEqual(expected);
  expect(trained.provenance.warnings.slice(0, 2)).toEqual(expected);
});
