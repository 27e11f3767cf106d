import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import { openDataset } from "../../src/dataset/dataset.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { type FaithfulnessOfModel, faithfulnessOf } from "../../src/faithfulness/measure-model.js";
import { comparePairedModels } from "../../src/faithfulness/paired-models.js";
import { createModel } from "../../src/model/model.js";
import type { TrainedModel } from "../../src/model/trained-model.js";
import { stubModel } from "../bundle/stub.js";
import { SOURCE, tinyParameters, tinyReferences } from "../explain/tiny-model.js";
import { writeTinyDataset } from "../helpers/tiny-dataset.js";

const SCALE = { kind: "probability", line: 0.04, slope: 2, by: "general" } as const;

/** Heads that see their aspect in every image, and a classifier that answers "with" to everything. */
function lavishModel(): TrainedModel {
  const spec: TrainedModel["spec"] = {
    trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 32 },
    source: SOURCE,
    heads: [
      { kind: "classifier", name: "class", taps: ["conv_pw_13"], task: "single", classes: ["without", "with"] },
      { kind: "presence", name: "square", taps: [SOURCE], threshold: 1e-6 },
      { kind: "presence", name: "bar", taps: [SOURCE], threshold: 1e-6 },
    ],
  };
  const model = createModel(spec);
  const louder = Object.entries(tinyParameters(model, { seed: 5 })).map(([name, { shape, data }]) => {
    if (name === "head/class/bias") return [name, ndArray(shape, Float32Array.of(0, 50))] as const;
    if (!/square|bar/.test(name)) return [name, { shape, data }] as const;
    // Positive kernels: more of anything is more of the aspect.
    return [
      name,
      ndArray(
        shape,
        Float32Array.from(data, (value) => 20 * Math.abs(value)),
      ),
    ] as const;
  });
  const references = Object.entries(tinyReferences(model)).map(([name, { shape, data }]) => [
    name,
    ndArray(
      shape,
      Float32Array.from(data, (value) => value / 100),
    ),
  ]);
  return {
    spec,
    parameters: Object.fromEntries(louder),
    references: Object.fromEntries(references),
    absences: {},
    scales: { evidence: { class: SCALE } },
    provenance: stubModel.provenance,
  };
}

describe("a model on a dataset that knows its causes", () => {
  let found: FaithfulnessOfModel;
  const progress: number[] = [];
  beforeAll(async () => {
    const engine = await createOnnxEngine({ threads: 1 });
    try {
      const dataset = await openDataset(await writeTinyDataset({ train: 1, validation: 6, test: 24 }));
      found = await faithfulnessOf(lavishModel(), {
        engine,
        dataset,
        others: ["grad-cam", "hires-cam"],
        draws: 2,
        drawImages: 24,
        onProgress: (share) => progress.push(share),
      });
    } finally {
      await engine.dispose();
    }
  });

  test("is comparison by every masking of every method, the default marked", () => {
    const { methods, count, coverage } = found.faithfulness;
    expect(count).toBeGreaterThan(0);
    expect(coverage).toBeGreaterThan(0);
    expect(methods).toHaveLength(6 + 6 + 3);
    expect(methods.filter(({ isDefault }) => isDefault)).toMatchObject([
      { saliency: "evidence", masking: "multiply", scale: SCALE },
    ]);
    // Relevance does not depend on the masking, survival does.
    const own = methods.filter(({ saliency }) => saliency === "evidence");
    expect(new Set(own.map(({ namedCause, auc }) => `${namedCause} ${auc}`)).size).toBe(1);
    for (const { namedCause, bySurvival } of methods) {
      expect(namedCause).toBeGreaterThanOrEqual(0);
      expect(bySurvival.namedCause).toBeGreaterThanOrEqual(0);
    }
  });

  test("leaves aspects out that are not to be ranked, causes too", async () => {
    const engine = await createOnnxEngine({ threads: 1 });
    try {
      const dataset = await openDataset(await writeTinyDataset({ train: 1, validation: 6, test: 8 }));
      const options = { engine, dataset, unranked: ["square"], draws: 1, drawImages: 4, inpaintedImages: 0 };
      // The only cause of this dataset.
      expect((await faithfulnessOf(lavishModel(), options)).faithfulness.count).toBe(0);
    } finally {
      await engine.dispose();
    }
  });

  test("tells what painting over an aspect does, and follows the maps of each method", () => {
    const { methods, chance, aspects } = found.faithfulness;
    const { square, bar } = aspects;
    expect(square.removal?.count).toBeGreaterThan(0);
    expect(square.removal?.flipped).toBe(0); // it answers "with" to everything
    expect(Number.isFinite(bar.removal?.lost)).toBe(true);
    for (const { saliency, curves, removalCorrelation } of methods) {
      // The last layer is one cell here, which speaks against the answer: Grad-CAM's map is empty.
      if (saliency === "grad-cam") expect(removalCorrelation).toBeNull();
      else expect(Math.abs(removalCorrelation ?? Number.NaN)).toBeLessThanOrEqual(1);
      for (const score of [curves?.deletion, curves?.insertion, chance.curves?.deletion]) {
        expect(score).toBeGreaterThan(0.9);
        expect(score).toBeLessThanOrEqual(1);
      }
    }
  });

  test("is read beside classifiers with both signs and heads that have learned nothing", () => {
    const { randomClassifier, randomHeads } = found.faithfulness.controls;
    expect(randomClassifier).toMatchObject({ draws: 4 });
    expect(randomHeads).toMatchObject({ draws: 2 });
    expect(randomClassifier?.relevant).toBeGreaterThanOrEqual(0);
    expect(randomClassifier?.relevant).toBeLessThanOrEqual(1);
  });

  test("shows its worst cases, worst first, with what a picture needs", () => {
    const { worst } = found;
    expect(worst.length).toBeGreaterThan(0);
    expect(worst.map(({ error }) => error)).toEqual(worst.map(({ error }) => error).sort((a, b) => b - a));
    expect(worst[0].pixels).toHaveLength(32 * 32 * 3);
    expect(worst[0].comparison.causes).toEqual(["square"]);
    expect(worst[0].comparison.distractors).toContain("bar");
  });

  test("tells how far it is, up to the end", () => {
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.at(-1)).toBeCloseTo(1, 6);
  });
});

test("twins that are one model name the same aspect, whatever their datasets call the cause", async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  try {
    const [own, other] = [await writeTinyDataset({ test: 24 }), await writeTinyDataset({ test: 24 })];
    const manifest = JSON.parse(readFileSync(join(other, "dataset.json"), "utf8"));
    writeFileSync(join(other, "dataset.json"), JSON.stringify({ ...manifest, causes: { with: ["bar"] } }));
    const twin = async (folder: string) => ({ trained: lavishModel(), dataset: await openDataset(folder) });
    const twins = await comparePairedModels(await twin(own), await twin(other), { engine });
    expect(twins.count).toBeGreaterThan(0);
    expect(twins).toMatchObject({ ownFirst: 0, sameFirst: 1 });
    // With the same cause there is nothing to compare.
    expect(await comparePairedModels(await twin(own), await twin(own), { engine })).toEqual({
      count: 0,
      ownFirst: null,
      sameFirst: null,
    });
  } finally {
    await engine.dispose();
  }
});

test("an interruption between two batches ends it", async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  try {
    const dataset = await openDataset(await writeTinyDataset());
    const controller = new AbortController();
    controller.abort();
    const run = faithfulnessOf(lavishModel(), { engine, dataset, draws: 1, signal: controller.signal });
    await expect(run).rejects.toThrow(/interrupted/);
  } finally {
    await engine.dispose();
  }
});
