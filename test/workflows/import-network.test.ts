import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openExplainer } from "../../src/bundle/explainer.js";
import { imageOutputs, ndArray } from "../../src/core/nd-array.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { annotatedPart } from "../../src/dataset/open-part.js";
import type { Engine } from "../../src/engine/engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { randomizeClassifier } from "../../src/explain/calibration/randomized-models.js";
import { createModel } from "../../src/model/model.js";
import { readTrainedModel } from "../../src/model/trained-model.js";
import { renderOverlay } from "../../src/pictures/overlay.js";
import { SCALINGS } from "../../src/trunk/networks/network-table.js";
import { readNetwork } from "../../src/trunk/networks/read-network.js";
import { runOnnx } from "../../src/weights/original-network-onnx.js";
import { runKerasModel } from "../../src/weights/original-network-tfjs.js";
import { evaluateModel } from "../../src/workflows/evaluate-model.js";
import { exportRun } from "../../src/workflows/export-run.js";
import { importNetwork } from "../../src/workflows/import-network.js";
import { planTraining } from "../../src/workflows/train-plan.js";
import { runTraining } from "../../src/workflows/train-run.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";
import { writeNpz } from "../helpers/write-npz.js";
import { drawn } from "../trunk/networks/run-network.js";
import { hasRealData, unpack } from "../trunk/real-data.js";
import { writeArchive, writeNamed } from "../trunk/write-keras.js";
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
function classifier(ending?: "Softmax" | "LogSoftmax" | "Sigmoid", outputs = 2): Model {
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

  test("its outputs are probabilities where that is said, and logits where that is", async () => {
    /** A softmax that is not called so: exponentials over their sum. */
    const written = (outputs: number): Model => {
      const { nodes, ...rest } = classifier(undefined, outputs);
      const more: Node[] = [
        { operator: "Exp", inputs: ["logits"], output: "powers" },
        { operator: "ReduceSum", inputs: ["powers", "axes"], output: "sum", attributes: { keepdims: 1 } },
        { operator: "Div", inputs: ["powers", "sum"], output: "out" },
      ];
      const renamed = nodes.map((node) => (node.output === "out" ? { ...node, output: "logits" } : node));
      const axes = { shape: [1], values: [1], form: "int64" as const };
      return { ...rest, nodes: [...renamed, ...more], tensors: { ...rest.tensors, axes } };
    };
    const path = save("written", written(3));
    const names = { classes: ["a", "b", "c"] };
    const told = await importNetwork(path, {
      ...given(),
      ...names,
      outputs: "probabilities",
      out: join(folder, "told"),
    });
    expect([told.ending, (told.error ?? 1) < 1e-5]).toEqual(["softmax", true]);
    expect(told.trained.spec.heads[0]).toMatchObject({ task: "single" });
    const { operations } = await readNetwork(path);
    expect(operations.at(-1)).toMatchObject({ op: "div" });

    const whole = save("as-it-is", classifier("Sigmoid", 1));
    const one = { engine, scaling: SCALINGS.tf };
    const cut = await importNetwork(whole, { ...one, outputs: "probabilities", out: join(folder, "cut") });
    expect([cut.ending, (cut.error ?? 1) < 1e-5]).toEqual(["sigmoid", true]);
    const kept = await importNetwork(whole, { ...one, outputs: "logits", out: join(folder, "kept") });
    expect([kept.ending, (kept.error ?? 1) < 1e-5]).toEqual(["none", true]);

    // Of one: the logarithm of the odds.
    const half = classifier("Sigmoid", 1);
    const halved = [...half.nodes.slice(0, -1), { operator: "Sigmoid", inputs: ["logits"], output: "chance" }];
    const product: Node = { operator: "Mul", inputs: ["chance", "half"], output: "out" };
    const tensors = { ...half.tensors, half: { shape: [1], values: [0.5] } };
    const alone = await importNetwork(save("half", { ...half, nodes: [...halved, product], tensors }), {
      ...{ ...one, outputs: "probabilities", out: join(folder, "half") },
    });
    expect([alone.ending, (alone.error ?? 1) < 1e-5]).toEqual(["sigmoid", true]);

    // Some that do not sum to 1.
    const sums = { ...given(), outputs: "probabilities", out: join(folder, "sums") } as const;
    await expect(importNetwork(save("sums", classifier()), sums)).rejects.toThrow(/Do its outputs sum to 1/);
  });

  test("the logarithm of a softmax is left out too", async () => {
    const options = { ...given(), out: join(folder, "logarithm") };
    const { ending, error, trained } = await importNetwork(save("logarithm", classifier("LogSoftmax")), options);
    expect([ending, (error ?? 1) < 1e-5]).toEqual(["log-softmax", true]);
    expect(trained.spec.heads[0]).toMatchObject({ task: "single" });
    expect(trained.spec.trunk.network?.operations.at(-1)).toMatchObject({ op: "dense" });
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

describe("a network that sees the middle square", () => {
  test("explains that square, says where it is, and draws it", { timeout: 60_000 }, async () => {
    const out = join(folder, "middle");
    const { trained } = await importNetwork(save("middle", classifier("Softmax")), {
      ...given(),
      out,
      centerCrop: 0.5,
    });
    expect(trained.spec.trunk.network?.centerCrop).toBe(0.5);
    const bundle = join(folder, "middle.aspect");
    await exportRun(out, bundle);
    const raw = { width: 200, height: 100, channels: 3 } as const;
    const pixels = Uint8Array.from({ length: 200 * 100 * 3 }, (_, index) => (11 * index) % 251);
    const file = join(folder, "wide.png");
    await sharp(pixels, { raw }).png().toFile(file);
    const square = join(folder, "square.png");
    const crop = { left: 75, top: 25, width: 50, height: 50 };
    await sharp(pixels, { raw }).extract(crop).png().toFile(square);
    const explainer = await openExplainer(bundle);
    expect(explainer.description.preprocessing).toMatchObject({ fit: "crop", centerCrop: 0.5 });
    const { explanation, width, height } = await explainer.explain(file);
    expect([explanation.crop, width, height]).toEqual([crop, 50, 50]);
    await explainer.dispose();
    // The same answer as of the square in a file of its own, by a network that sees all of it.
    const whole = await importNetwork(join(folder, "middle.onnx"), { ...given(), out: join(folder, "all") });
    await exportRun(join(folder, "all"), join(folder, "all.aspect"));
    expect(whole.trained.spec.trunk.network).not.toHaveProperty("centerCrop");
    const other = await openExplainer(join(folder, "all.aspect"));
    expect(other.description.preprocessing).not.toHaveProperty("centerCrop");
    const { explanation: wanted, ...explained } = await other.explain(square);
    await other.dispose();
    expect(explanation.prediction).toEqual(wanted.prediction);
    expect(await renderOverlay({ ...explained, explanation }, file)).toEqual(
      await renderOverlay({ ...explained, explanation: wanted }, square),
    );
  });
});

describe("outputs that somebody computed elsewhere", () => {
  const image = () => Float32Array.from({ length: 64 * 64 * 3 }, (_, index) => (7 * index) % 256);
  let wanted: number[];
  const npz = (name: string, { side = 64, count = 1, outputs = wanted } = {}) =>
    writeNpz(join(folder, `${name}.npz`), {
      images: { shape: [count, side, side, 3], data: image().slice(0, count * side * side * 3), type: "|u1" },
      outputs: { shape: [1, outputs.length], data: Float32Array.from(outputs) },
    });
  beforeAll(async () => {
    const [{ data }] = await runOnnx(save("checked", classifier("Softmax")), [ndArray([1, 64, 64, 3], image())], {
      scaling: SCALINGS.imagenet,
    });
    wanted = Array.from(data);
  });

  test("are those that the run computes, behind the softmax of the file", async () => {
    const check = npz("right");
    const out = join(folder, "right");
    const { error, original, comparedImages } = await importNetwork(join(folder, "checked.onnx"), {
      ...{ ...given(), out, check },
    });
    expect([original, comparedImages, (error ?? 1) < 1e-5]).toEqual([check, 1, true]);
  });

  test("may be maps, as the file has them", async () => {
    const path = save("maps", { ...classifier(), output: "last" });
    const given = { images: { shape: [1, 64, 64, 3], data: image(), type: "|u1" } };
    const [outputs] = await runOnnx(path, [ndArray([1, 64, 64, 3], image())], { scaling: SCALINGS.tf });
    expect(outputs.shape).toEqual([1, 6, 8, 8]);
    const check = writeNpz(join(folder, "maps.npz"), { ...given, outputs });
    const { error } = await importNetwork(path, { engine, scaling: SCALINGS.tf, out: join(folder, "maps"), check });
    expect(error).toBeLessThan(1e-5);
  });

  test("tell a wrong scaling, and are refused where they are of something else", async () => {
    const refused = (check: string, more: object = {}) =>
      importNetwork(join(folder, "checked.onnx"), { ...given(), out: join(folder, "checked"), check, ...more });
    await expect(refused(npz("scaled"), { scaling: SCALINGS.none })).rejects.toThrow(
      /computes something else than .*scaled\.npz says: .* Is --scaling what it was trained with\?/,
    );
    await expect(refused(npz("other", { outputs: [0.2, 0.3, 0.5] }))).rejects.toThrow(/has 2 outputs, .* has 3/);
    await expect(refused(npz("small", { side: 32 }))).rejects.toThrow(/its "images" are 1 x 32 x 32 x 3 numbers/);
    await expect(refused(npz("none", { count: 0 }))).rejects.toThrow(/its "images" are 0 x 64 x 64 x 3 numbers/);
    await expect(refused(join(folder, "absent.npz"))).rejects.toThrow(/does not exist/);
  });
});

describe("a classifier of Keras", () => {
  /** A `.h5` as Keras 2 has it, and the same as `.keras`. */
  const config = (isKeras3: boolean) => ({
    class_name: "Sequential",
    config: {
      name: "net",
      layers: [
        { class_name: "InputLayer", config: { name: "in", [isKeras3 ? "batch_shape" : "batch_input_shape"]: [null, 64, 64, 3] } },
        { class_name: "Conv2D", config: { name: "conv", filters: 8, kernel_size: [3, 3], strides: [4, 4], padding: "same", activation: "relu" } },
        { class_name: "Conv2D", config: { name: "more", filters: 6, kernel_size: [1, 1], activation: "relu" } },
        { class_name: "GlobalAveragePooling2D", config: { name: "mean" } },
        { class_name: "Dense", config: { name: "answer", units: 2, activation: "softmax" } },
      ],
    },
  }); // biome-ignore format: a table
  const array = (shape: number[], seed: number) => ({ shape, data: Float32Array.from(drawn(shape, seed).values) });
  const [k1, b1, k2, b2] = [array([3, 3, 3, 8], 1), array([8], 2), array([1, 1, 8, 6], 3), array([6], 4)];
  const [k3, b3] = [array([6, 2], 5), array([2], 6)];

  test("of version 2 is compared with TensorFlow.js, of version 3 with what the user computed", async () => {
    const layers = {
      conv: { "conv/kernel:0": k1, "conv/bias:0": b1 },
      ...{ more: { "more/kernel:0": k2, "more/bias:0": b2 }, answer: { "answer/kernel:0": k3, "answer/bias:0": b3 } },
    };
    const old = await writeNamed(join(folder, "old.h5"), layers, { config: config(false) });
    const groups = {
      "layers/conv2d": { arrays: [k1, b1] },
      ...{ "layers/conv2d_1": { arrays: [k2, b2] }, "layers/dense": { arrays: [k3, b3] } },
    };
    const fresh = await writeArchive(join(folder, "fresh.keras"), { config: config(true), groups });
    const tf = { engine, scaling: SCALINGS.tf, classes: CLASSES };
    const two = await importNetwork(old, { ...tf, out: join(folder, "keras-2") });
    expect([two.original, two.ending, (two.error ?? 1) < 1e-5]).toEqual(["TensorFlow.js", "softmax", true]);
    const three = await importNetwork(fresh, { ...tf, out: join(folder, "keras-3") });
    expect([three.error, three.notCompared]).toEqual([null, expect.stringContaining("--check FILE.npz")]);
    expect(three.trained.parameters).toEqual(two.trained.parameters);
    const images = array([2, 64, 64, 3], 9);
    images.data.forEach((value, index) => {
      images.data[index] = Math.round(127.5 * (value + 1));
    });
    const found = await runKerasModel(
      old,
      [0, 1].map((index) => imageOutputs({ images }, index).images),
      { scaling: SCALINGS.tf, wantsLogits: false },
    );
    if ("notCompared" in found) throw new Error(found.notCompared);
    const check = writeNpz(join(folder, "keras.npz"), {
      images,
      outputs: { shape: [2, 2], data: Float32Array.from(found.outputs.flatMap(({ data }) => Array.from(data))) },
    });
    const checked = await importNetwork(fresh, { ...tf, check, out: join(folder, "keras-3-checked") });
    expect([checked.comparedImages, (checked.error ?? 1) < 1e-5]).toEqual([2, true]);
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
      const { error, original, trained } = await importNetwork(source, { engine, out, scaling: SCALINGS.tf });
      expect([original, (error ?? 1) < 1e-5, trained.spec.source]).toEqual(["TensorFlow.js", true, "block_13_expand"]);
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
