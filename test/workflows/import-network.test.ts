import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExplainer } from "../../src/bundle/explainer.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { annotatedPart } from "../../src/dataset/open-part.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { randomizeClassifier } from "../../src/explain/calibration/randomized-models.js";
import { createModel } from "../../src/model/model.js";
import { readTrainedModel } from "../../src/model/trained-model.js";
import { SCALINGS } from "../../src/trunk/networks/network-table.js";
import { evaluateModel } from "../../src/workflows/evaluate-model.js";
import { exportRun } from "../../src/workflows/export-run.js";
import { importNetwork } from "../../src/workflows/import-network.js";
import { planTraining } from "../../src/workflows/train-plan.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";
import { drawn } from "../trunk/networks/run-network.js";
import { hasRealData, unpack } from "../trunk/real-data.js";
import { type Model, type Node, writeOnnx } from "../trunk/write-onnx.js";

const folder = mkdtempSync(join(tmpdir(), "aspectlens-import-"));
const CLASSES = ["without", "with"];
let engine: Engine;
let data: string;
beforeAll(async () => {
  engine = await selectEngine();
  data = await writeTinyDataset();
});
afterAll(() => engine.dispose());

/** Two convolutions, a gate of each channel, pooling, a dense layer, and what follows the logits. */
function classifier(ending?: "Softmax" | "Sigmoid", outputs = 2): Model {
  const node = (operator: string, inputs: string[], output: string, attributes?: Node["attributes"]): Node => ({
    ...{ operator, inputs, output },
    ...(attributes && { attributes }),
  });
  return {
    input: { name: "image", shape: [1, 3, 64, 64] },
    output: "out",
    nodes: [
      node("Conv", ["image", "k1", "b1"], "c1", { strides: [4, 4], pads: [1, 1, 1, 1] }),
      node("Relu", ["c1"], "early"),
      node("Conv", ["early", "k2"], "c2", { strides: [2, 2], pads: [1, 1, 1, 1], group: 2 }),
      node("Relu", ["c2"], "features"),
      node("GlobalAveragePool", ["features"], "mean"),
      node("Conv", ["mean", "k3"], "small"),
      node("Sigmoid", ["small"], "gate"),
      node("Mul", ["features", "gate"], "gated"),
      node("Conv", ["gated", "k4"], "last"),
      node("GlobalAveragePool", ["last"], "pooled"),
      node("Flatten", ["pooled"], "flat"),
      node("Gemm", ["flat", "w"], ending ? "logits" : "out", { transB: 1 }),
      ...(ending ? [node(ending, ["logits"], "out")] : []),
    ],
    tensors: {
      ...{ k1: drawn([8, 3, 3, 3], 1), b1: drawn([8], 2), k2: drawn([8, 4, 3, 3], 3) },
      ...{ k3: drawn([8, 8, 1, 1], 4), k4: drawn([6, 8, 1, 1], 5), w: drawn([outputs, 6], 6) },
    },
  };
}

function save(name: string, model: Model): string {
  const path = join(folder, `${name}.onnx`);
  writeFileSync(path, writeOnnx(model));
  return path;
}

const given = () => ({ engine, scaling: SCALINGS.imagenet, classes: CLASSES });

describe("a finished classifier comes in whole", () => {
  test("computes what ONNX Runtime computes, and is explained before its softmax", async () => {
    const out = join(folder, "whole");
    const { error, ending, trained } = await importNetwork(save("whole", classifier("Softmax")), { ...given(), out });
    expect([ending, (error ?? 1) < 1e-5]).toEqual(["softmax", true]);
    expect(trained.spec).toMatchObject({
      source: "gated",
      trunk: { name: "whole", inputSize: 64 },
      heads: [{ kind: "classifier", isImported: true, taps: ["last"], task: "single", classes: CLASSES }],
    });
    expect(await readTrainedModel(join(out, "best"))).toEqual(trained);
    const { heads } = await evaluateModel(trained, data, { engine, split: "test" });
    expect(heads.class).toMatchObject({ count: 4 });
  });

  test("a sigmoid at the end is of labels, and one output is too", async () => {
    const multi = await importNetwork(save("multi", classifier("Sigmoid")), { ...given(), out: join(folder, "multi") });
    expect([multi.ending, multi.trained.spec.heads[0]]).toMatchObject(["sigmoid", { task: "multi" }]);
    const one = { engine, scaling: SCALINGS.tf, out: join(folder, "one") };
    const single = await importNetwork(save("one", classifier(undefined, 1)), one);
    expect(single.trained.spec.heads[0]).toMatchObject({ task: "multi", classes: ["class 0"] });
  });

  test("is refused in one line where names, layer or folder do not fit", async () => {
    const path = save("refused", classifier());
    const refused = (more: object) => importNetwork(path, { ...given(), out: join(folder, "refused"), ...more });
    await expect(refused({ classes: ["one"] })).rejects.toThrow(/--classes: has 1 names, .* has 2 outputs/);
    await expect(refused({ source: "mean" })).rejects.toThrow(/cannot be explained at mean\. Its layers: c1, /);
    await expect(refused({ out: join(folder, "whole") })).rejects.toThrow(/holds a run already/);
    // Nor does a training write over it.
    const raw = { dataset: data, out: join(folder, "whole") };
    for (const isResumed of [false, true])
      await expect(runTraining(raw, { engine, isResumed })).rejects.toThrow(/holds a network that was imported/);
    const stopped = AbortSignal.abort(new Error("stopped"));
    await expect(refused({ signal: stopped })).rejects.toThrow("stopped");
    const maps = { ...classifier(), output: "gated" };
    await expect(importNetwork(save("maps", maps), { ...given(), out: join(folder, "maps") })).rejects.toThrow(
      /ends in 8 x 8 x 8 numbers, no answer of a classifier/,
    );
  });

  test("heads of a dataset of another task are not added", async () => {
    const out = join(folder, "labels");
    await importNetwork(save("labels", classifier("Sigmoid")), { ...given(), out });
    const raw = { dataset: data, out: join(folder, "never") };
    await expect(runTraining(raw, { engine, addHeadsTo: out })).rejects.toThrow(/its task is "single".*is "multi"/);
  });

  test("heads are added to it: the classifier stays as it is, and all of it is one bundle", {
    timeout: 120_000,
  }, async () => {
    const base = join(folder, "base");
    const { trained } = await importNetwork(save("base", classifier("Softmax")), { ...given(), out: base });
    const raw = { dataset: data, out: join(folder, "more"), stages: [{ train: "heads", epochs: 2 }] };
    const more = await runTraining(raw, { engine, addHeadsTo: base });
    expect(more.spec.heads.map(({ name }) => name)).toEqual(["class", "square", "bar", "bright", "red"]);
    for (const [name, { data }] of Object.entries(trained.parameters)) expect(more.parameters[name].data).toEqual(data);
    const bundle = join(folder, "more.aspect");
    await exportRun(raw.out, bundle);
    const explainer = await openExplainer(bundle);
    try {
      const image = join(data, JSON.parse(readFileSync(join(data, "samples.jsonl"), "utf8").split("\n")[0]).image);
      const { explanation } = await explainer.explain(image);
      expect(explanation.aspects.map(({ name }) => name)).toEqual(["square", "bar", "bright", "red"]);
      expect(explanation.prediction).toMatchObject({ scores: { with: expect.any(Number) } });
    } finally {
      await explainer.dispose();
    }
  });
});

test("its randomized classifiers have random layers behind the source, and answer otherwise", async () => {
  const out = join(folder, "randomized");
  const { trained } = await importNetwork(save("randomized", classifier("Softmax")), { ...given(), out });
  const model = createModel(trained.spec);
  const [one, two] = [1, 2].map((seed) => randomizeClassifier(model, { seed }));
  const turned = randomizeClassifier(model, { seed: 1, isNegated: true });
  const kernels = Object.keys(one).filter((name) => name.endsWith("kernel"));
  // The source is "gated": the convolution after it, and the dense layer that answers.
  expect(kernels).toEqual(["trunk/last/kernel", "trunk/logits/kernel"]);
  for (const name of kernels) {
    // He et al. 2015: a variance of 2 over the values that feed an output, 8 and 6.
    const { data } = one[name];
    const power = Array.from(data).reduce((sum, value) => sum + value ** 2, 0) / data.length;
    expect(power * (name === kernels[0] ? 8 : 6)).toBeGreaterThan(0.5);
    expect([...data]).not.toEqual([...two[name].data]);
  }
  expect([...turned["trunk/last/kernel"].data]).toEqual([...one["trunk/last/kernel"].data]);
  expect([...turned["trunk/logits/kernel"].data]).toEqual([...one["trunk/logits/kernel"].data].map((value) => -value));
});

describe("images without annotations", () => {
  /** The tiny dataset with annotations of its first images of each split alone; the others stay, or not. */
  async function fewOf(areOthersKept: boolean) {
    const few = await writeTinyDataset({ train: 12, validation: 6 });
    const samples = readFileSync(join(few, "samples.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const own = (split: string) => samples.filter((sample) => sample.split === split);
    const annotated = new Set([...own("train").slice(0, 4), ...own("validation").slice(0, 2)]);
    const kept = samples
      .filter((sample) => areOthersKept || annotated.has(sample))
      .map((sample) => (annotated.has(sample) ? sample : { ...sample, aspects: {} }));
    writeFileSync(join(few, "samples.jsonl"), kept.map((sample) => `${JSON.stringify(sample)}\n`).join(""));
    return few;
  }

  test("do not take part in learning heads that are added, but in references", { timeout: 120_000 }, async () => {
    const base = join(folder, "few-base");
    await importNetwork(save("few", classifier()), { ...given(), out: base });
    const stages = [{ train: "heads", epochs: 2 }];
    const trained = [];
    for (const areOthersKept of [true, false]) {
      const raw = { dataset: await fewOf(areOthersKept), out: join(folder, `few-${areOthersKept}`) };
      const { config, drawCount } = await planTraining(raw, { addHeadsTo: base });
      // Of four annotated images; by all twelve there would be more draws.
      expect([config.stages[0].epochs, drawCount < 12]).toEqual([100, true]);
      trained.push(await runTraining({ ...raw, stages }, { engine, addHeadsTo: base }));
    }
    const [among, alone] = trained;
    expect(among.parameters).toEqual(alone.parameters);
    expect(among.references).not.toEqual(alone.references);
    expect(among.provenance.dataset.counts.train).toBe(12);
    // Two validation images choose no epoch: no epoch has a score, so the last one is kept.
    const epochs = readFileSync(join(folder, "few-true", "metrics.jsonl"), "utf8")
      .trim()
      .split("\n");
    expect(epochs.map((line) => JSON.parse(line).score)).toEqual([null, null]);
    expect(among.provenance.warnings).toContainEqual(expect.stringMatching(/"square".*: score and threshold are left/));
  });

  test("take part where none is annotated: there is nothing else to learn from", async () => {
    const dataset = await openDataset(await fewOf(true));
    expect((await annotatedPart(dataset, ["square"])).summary.samples).toEqual({ train: 4, validation: 2, test: 4 });
    expect(await annotatedPart(dataset, [])).toBe(dataset);
  });
});

describe.skipIf(!hasRealData)("a model of Teachable Machine", () => {
  test("answers its 22 images as its own runtime does", { timeout: 120_000 }, async () => {
    const { folder: unpacked, dispose } = unpack("fixtures.tar.gz");
    try {
      const source = join(unpacked, "fixtures", "teachable_machine");
      const out = join(folder, "teachable");
      const { error, runtime, trained } = await importNetwork(source, { engine, out, scaling: SCALINGS.tf });
      expect([runtime, (error ?? 1) < 1e-5, trained.spec.source]).toEqual(["TensorFlow.js", true, "block_13_expand"]);
      const bundle = join(folder, "teachable.aspect");
      await exportRun(out, bundle);
      const explainer = await openExplainer(bundle);
      for (const { file, probs } of JSON.parse(readFileSync(join(source, "expected.json"), "utf8"))) {
        const { explanation } = await explainer.explain(join(source, file));
        const scores = "scores" in explanation.prediction ? Object.values(explanation.prediction.scores) : [];
        for (const [index, wanted] of probs.entries()) expect(Math.abs(scores[index] - wanted)).toBeLessThan(1e-5);
      }
      await explainer.dispose();
    } finally {
      dispose();
    }
  });
});
