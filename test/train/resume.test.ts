import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, InterruptedError } from "../../src/core/errors.js";
import { ndArray } from "../../src/core/nd-array.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { scoreOf } from "../../src/heads/metrics.js";
import { meanOf } from "../../src/metrics/weights.js";
import { createModel } from "../../src/model/model.js";
import { readTrainedModel, type TrainedModel } from "../../src/model/trained-model.js";
import { readCheckpoint } from "../../src/train/checkpoint.js";
import { checkConfig } from "../../src/train/config.js";
import type { Metrics } from "../../src/train/evaluate-split.js";
import { averagedParametersOf, parametersOf } from "../../src/train/stage-arrays.js";
import { evaluationStep, modelInputShapes } from "../../src/train/step.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { exportRun } from "../../src/workflows/export-run.js";
import { runTraining } from "../../src/workflows/train-run.js";
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
    {
      dataset,
      out,
      batchSize: 4,
      trunk: { inputSize: 32, weights: "random" },
      stages: [{ train: "all", epochs: 4 }],
      ...more,
    },
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

const arraysOf = (model: { parameters: object; references: object; scales: object }) => ({
  parameters: model.parameters,
  references: model.references,
  scales: model.scales,
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

  test("loses nothing of an epoch that is being validated", async () => {
    const whole = await runTraining(configOf(temporary(), { batchSize: 1 }), { engine });
    const out = temporary();
    const controller = new AbortController();
    const stopping: Engine = {
      ...engine,
      compile: async (compute, options) => {
        const compiled = await engine.compile(compute, options);
        const run: typeof compiled.run = (inputs, how) => {
          if (options.name === "validation") controller.abort();
          return compiled.run(inputs, how);
        };
        return { ...compiled, run };
      },
    };
    const stopped = runTraining(configOf(out, { batchSize: 1 }), { engine: stopping, signal: controller.signal });
    await expect(stopped).rejects.toThrow("interrupted in a validation; saved.");
    const epochs = (await readCheckpoint(out))?.cursor;
    expect(epochs).toMatchObject({ epoch: 0, history: [] });
    expect(epochs?.batch).toBeGreaterThan(0);
    const resumed = await runTraining(configOf(out, { batchSize: 1 }), { engine, isResumed: true });
    expect(arraysOf(resumed)).toEqual(arraysOf(whole));
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

  test("does the same between the batches of one step, with averages and dropout, and after being killed", async () => {
    // 10 images by 2 make 5 batches, by 2 make steps of 2, 2 and 1.
    const all = {
      batchSize: 2,
      accumulate: 2,
      heads: { class: { dropout: 0.5 } },
      stages: [{ train: "heads", epochs: 3, movingAverage: 0.9 }],
    };
    const wholeOut = temporary();
    const whole = await runTraining(configOf(wholeOut, all), { engine });
    const out = temporary();
    await runUntil(out, (at) => at.epoch === 0 && at.batch === 2, all); // the batch behind it is under way
    const middle = await readCheckpoint(out);
    expect(middle?.cursor.batch).toBe(3);
    expect(middle?.arrays["gradient/head/class/kernel"].data.some((value) => value !== 0)).toBe(true);
    await runUntil(out, (at) => at.epoch === 1 && at.batch === 4, all, { isResumed: true });
    const killed = runTraining(configOf(out, all), {
      engine,
      isResumed: true,
      onProgress: (at) => {
        if (at.epoch === 2 && at.batch === 3) throw new Error("killed");
      },
    });
    await expect(killed).rejects.toThrow("killed");
    expect((await readCheckpoint(out))?.cursor).toMatchObject({ epoch: 2, batch: 0 });
    const resumed = await runTraining(configOf(out, all), { engine, isResumed: true });
    expect(arraysOf(resumed)).toEqual(arraysOf(whole));
    const [ended, wanted] = [await readCheckpoint(out), await readCheckpoint(wholeOut)];
    expect(ended?.arrays).toEqual(wanted?.arrays);
    // Each key matters: without it the same run ends elsewhere.
    for (const without of [{ accumulate: 1 }, { heads: {} }, { stages: [{ train: "heads", epochs: 3 }] }]) {
      const other = await runTraining(configOf(temporary(), { ...all, ...without }), { engine });
      expect(arraysOf(other).parameters, Object.keys(without)[0]).not.toEqual(arraysOf(whole).parameters);
    }
  }, 240_000);

  test("that was begun with mean pooling before there was a choice goes on with it", async () => {
    const out = temporary();
    const mean = { heads: { class: { pooling: "mean" } } };
    await runUntil(out, (at) => at.epoch === 1, mean);
    // What a run's configuration said before there was a choice.
    const path = join(out, "config.json");
    const { heads, ...config } = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...config, heads: { ...heads, class: { weight: 1 } } }));
    const other = { heads: { class: { pooling: "generalized-mean" } } };
    await expect(runTraining(configOf(out, other), { engine, isResumed: true })).rejects.toThrow(
      /heads\.class\.pooling: the classifier that is there has mean\. Leave it out\./,
    );
    const { spec } = await runTraining(configOf(out), { engine, isResumed: true });
    expect(spec.heads[0]).not.toHaveProperty("pooling");
  });

  test("is refused under another configuration; a second run is refused without --resume", async () => {
    const out = temporary();
    await runUntil(out, (at) => at.batch === 1);
    await expect(runTraining(configOf(out, { seed: 8 }), { engine, isResumed: true })).rejects.toThrow(
      /another configuration or dataset \(seed was \d+, is 8\)/,
    );
    await expect(runTraining(configOf(out), { engine })).rejects.toThrow(InputError);
    expect((await readCheckpoint(out))?.cursor.batch).toBe(2); // the one behind it was under way
  });
});

test("progress counts batches, and the optimizer steps that they make", async () => {
  const seen: number[][] = [];
  const counted = { batchSize: 2, accumulate: 2, repeatBelow: 0, stages: [{ train: "all", epochs: 1 }] };
  await runTraining(configOf(temporary(), counted), {
    engine,
    onProgress: ({ batch, batchCount, step, stepCount }) => seen.push([batch, batchCount, step, stepCount]),
  });
  expect(seen).toEqual([
    [1, 5, 0, 3],
    [2, 5, 1, 3],
    [3, 5, 1, 3],
    [4, 5, 2, 3],
    [5, 5, 3, 3],
  ]);
});

test("a stage hands on the averages: what is kept as best, and what the next stage starts from", async () => {
  const unscored = await writeTinyDataset({ validation: 0 }); // the best is then the latest
  const first = { train: "all", epochs: 2, learningRate: 0.02, movingAverage: 0.9 };
  const out = temporary();
  const one = await runTraining(configOf(out, { dataset: unscored, stages: [first] }), { engine });
  const { trunk } = createModel(one.spec);
  const arrays = (await readCheckpoint(out))?.arrays ?? {};
  const averaged = foldBatchNorm(trunk, averagedParametersOf(arrays));
  expect(one.parameters).toEqual(averaged);
  const raw = foldBatchNorm(trunk, parametersOf(arrays));
  expect(raw["head/class/kernel"]).not.toEqual(averaged["head/class/kernel"]);
  // A second stage that moves nothing further than 1e-20.
  const second = { train: "all", epochs: 1, learningRate: 1e-30, movingAverage: 0.5 };
  const stages = [first, { ...second, batchNorm: "frozen" }];
  const two = await runTraining(configOf(temporary(), { dataset: unscored, stages }), { engine });
  for (const [name, { data }] of Object.entries(averaged)) {
    const moved = Array.from(data, (value, i) => Math.abs(value - two.parameters[name].data[i]));
    expect(
      moved.reduce((most, value) => Math.max(most, value), 0),
      name,
    ).toBeLessThan(1e-20);
  }
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
    expect(more.scales).toEqual(base.scales);
    const references = [first, out].map((run) => readFileSync(join(run, "best", "references.safetensors")));
    expect(references[1].equals(references[0])).toBe(true);
    const scores = await Promise.all([base, more].map((trained) => classScores(trained)));
    for (const [index, score] of scores[1].entries())
      expect(Math.abs(score - scores[0][index])).toBeLessThanOrEqual(1e-6);
    expect(Object.keys(more.parameters).filter((name) => name.startsWith("head/spot/")).length).toBeGreaterThan(0);
    expect(arraysOf(await readTrainedModel(join(out, "best"))).parameters).toEqual(more.parameters);
    // Without the finished run, --resume would train its heads on.
    await expect(runTraining(raw, { engine, isResumed: true })).rejects.toThrow(/--add-heads RUN/);
    // The classifier is the finished model's, and the configuration says so.
    const poolingIn = (folder: string) =>
      JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).heads.class.pooling;
    expect(poolingIn(raw.out)).toBe(poolingIn(first));
    const asked = { ...raw, out: temporary(), heads: { class: { pooling: "mean" as const } } };
    await expect(runTraining(asked, { engine, addHeadsTo: first })).rejects.toThrow(
      /has generalized-mean\. Leave it out/,
    );
    const again = await runTraining(raw, { engine, addHeadsTo: first, isResumed: true });
    expect(again.parameters).toEqual(more.parameters);
  });
});

test("says what the data cannot teach, before training and in the model", async () => {
  const folder = await writeTinyDataset({ seed: 2 });
  const path = join(folder, "dataset.json");
  const manifest = JSON.parse(readFileSync(path, "utf8"));
  manifest.classes.push("third");
  manifest.aspects.push({ name: "unseen", kind: "presence" });
  writeFileSync(path, JSON.stringify(manifest));
  const lines = readFileSync(join(folder, "samples.jsonl"), "utf8").trim().split("\n");
  const third = { ...JSON.parse(lines[lines.length - 1]), label: "third" };
  const judged = lines.map((line) => {
    const sample = JSON.parse(line);
    return sample.split === "validation"
      ? { ...sample, aspects: { ...sample.aspects, unseen: { present: true } } }
      : sample;
  });
  writeFileSync(
    join(folder, "samples.jsonl"),
    [...judged, third]
      .map((sample, at) => `${JSON.stringify({ ...sample, groups: { patient: `p${at % 3}` } })}\n`)
      .join(""),
  );
  let notes: readonly string[] = [];
  const out = temporary();
  const trained = await runTraining(configOf(out, { dataset: folder, stages: [{ train: "all", epochs: 1 }] }), {
    engine,
    onStart: (plan) => {
      notes = plan.notes;
    },
  });
  const expected = [
    'class "third" has no training sample; it cannot be learned.',
    'aspect "unseen" is labelled in no training sample; it cannot be learned.',
  ];
  expect(notes.slice(0, 2)).toEqual(expected);
  expect(notes).toContainEqual(expect.stringMatching(/^fewer than 10 validation images are labelled for "class", /));
  expect(trained.provenance.warnings.slice(0, 2)).toEqual(expected);
  expect(notes).toContain('3 of 3 groups "patient" lie in several splits: results will look better than they are.');
  const unseen = 'this model does not see "unseen": no training image is labelled for it.';
  expect(trained.provenance.unseen).toMatchObject({ unseen });
  expect(trained.provenance.warnings).toContain(unseen);
  const page = readFileSync(join(out, "run.html"), "utf8");
  expect(page).toContain('<b class="bad">unseen</b> is not seen: no training image is labelled for it.');
  const { validation, score } = JSON.parse(readFileSync(join(out, "metrics.jsonl"), "utf8"));
  const { unseen: untaught, ...taught } = validation;
  expect(scoreOf(untaught)).not.toBeNull();
  expect(score).toBeCloseTo(meanOf(Object.values(taught as Metrics).map(scoreOf)) ?? -1, 12);
  const said: string[] = [];
  await exportRun(out, join(out, "model.aspect"), { onNotice: (line) => said.push(line) });
  expect(said).toContain(unseen);
});
