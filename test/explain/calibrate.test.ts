import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Sample, Task } from "../../src/core/annotation.js";
import { type NdArray, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import type { Engine } from "../../src/engine/engine.js";
import { createTfjsEngine } from "../../src/engine/tfjs-engine.js";
import { type Calibration, calibrate } from "../../src/explain/calibration/calibrate.js";
import {
  overRandomizedModels,
  type Randomization,
  randomizeClassifier,
} from "../../src/explain/calibration/randomized-models.js";
import { computeReferences, createTable } from "../../src/explain/calibration/references.js";
import { overSamples } from "../../src/explain/calibration/run-over-samples.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { explainConstants } from "../../src/explain/graph/graph-constants.js";
import { GENERAL_LINES } from "../../src/explain/relevance-constants.js";
import { CLASSES, SOURCE, tinyImages, tinyModel, tinyParameters, tinyReferences, toTensors } from "./tiny-model.js";

const SIZE = 32;
const model = tinyModel({
  aspects: [
    { kind: "segmentation", name: "spot", taps: [SOURCE], threshold: 0.5 },
    { kind: "amount", form: "map", name: "share", taps: [SOURCE], threshold: 0.5 },
  ],
});
const parameters = tinyParameters(model);
const references = tinyReferences(model);

let engine: Engine;
beforeAll(async () => {
  await tf.setBackend("cpu");
  engine = await createTfjsEngine({ backend: "cpu" });
});
afterAll(() => engine.dispose());

/** Images of their own, labelled in turn, with an answer of every aspect. */
function samples(count: number, rest: (index: number) => Partial<Sample> = () => ({})): Sample[] {
  return Array.from({ length: count }, (_, index) => ({
    path: `${index}.png`,
    image: Uint8Array.from(tinyImages(1, { seed: index + 1 }), (value) => Math.min(255, Math.max(0, value))),
    target: { label: CLASSES[index % 3] },
    aspects: { spot: { present: true }, share: { present: true } },
    ...rest(index),
  }));
}

describe("the table of references", () => {
  const table = (task: Task, classes: string[], images: [number[], string[] | undefined][]) => {
    const sums = createTable({ classes, task, channels: images[0][0].length });
    for (const [means, labels] of images) sums.add(means, labels);
    return [...sums.result().data];
  };

  test("weighs the other classes equally, however many images each has", () => {
    const images: [number[], string[] | undefined][] = [
      [[1], ["a"]],
      [[3], ["a"]],
      [[10], ["b"]],
      [[100], ["c"]],
      [[6], undefined],
    ];
    // a: (10 + 100) / 2; b: (2 + 100) / 2; c: (2 + 10) / 2; all five images, the unlabelled too: 120 / 5.
    expect(table("single", ["a", "b", "c"], images)).toEqual([55, 51, 6, 24]);
  });

  test("of a label is over the labelled images without it", () => {
    const images: [number[], string[] | undefined][] = [
      [
        [1, 0],
        ["a", "b"],
      ],
      [[2, 4], ["b"]],
      [[6, 2], []],
    ];
    // a: images 2 and 3; b: image 3.
    expect(table("multi", ["a", "b"], images)).toEqual([4, 3, 6, 2, 3, 2]);
  });

  test("falls back to all images where there is no other class, and is one row for a regression", () => {
    expect(
      table(
        "single",
        ["a", "b"],
        [
          [[4], ["a"]],
          [[8], ["a"]],
        ],
      ),
    ).toEqual([6, 6, 6]);
    expect(
      table(
        "regression",
        [],
        [
          [[4], undefined],
          [[8], undefined],
        ],
      ),
    ).toEqual([6]);
  });
});

test("references are the means of the features over space and images, short batches included", async () => {
  const images = samples(3);
  const found = await computeReferences(model, {
    engine,
    parameters,
    samples: [images.slice(0, 2), images.slice(2)],
    batchSize: 2,
  });
  // Of every layer, so that each can be a tap; of the explained ones and the image a row for each class.
  expect(Object.keys(found)).toEqual(model.trunk.taps.map(({ name }) => name));
  expect(found[SOURCE].shape).toEqual([4, 128]);
  expect(found.input.shape).toEqual([4, 3]);
  expect(found.conv_pw_5.shape).toEqual([1, 64]);
  const means = images.map(({ image }) =>
    tf.tidy(() => {
      const input = tf.tensor(Float32Array.from(image), [1, SIZE, SIZE, 3]) as tf.Tensor4D;
      const data = model.trunk.run(toTensors(parameters), { input }, [SOURCE])[SOURCE].dataSync();
      return Array.from({ length: 128 }, (_, k) =>
        [0, 1, 2, 3].reduce((sum, place) => sum + data[place * 128 + k] / 4, 0),
      );
    }),
  );
  for (let k = 0; k < 128; k++) {
    expect(found[SOURCE].data[k]).toBeCloseTo((means[1][k] + means[2][k]) / 2, 5);
    expect(found[SOURCE].data[3 * 128 + k]).toBeCloseTo((means[0][k] + means[1][k] + means[2][k]) / 3, 5);
  }
});

describe("calibration", () => {
  /**
   * An engine that gives each image, in turn, these relevances, and the relevance `chance` to every aspect under a
   * randomized classifier.
   */
  function playing(
    script: readonly { relevance: Record<string, number> }[],
    { chance = 0, methods = ["evidence"] }: { chance?: number; methods?: readonly string[] } = {},
  ): Engine {
    const row = (of: (image: (typeof script)[number]) => readonly number[], shape: readonly number[]) =>
      ndArray([script.length, ...shape], Float32Array.from(script.flatMap((image) => [...of(image)])));
    const names = ["spot", "share"];
    const pixels = (value: number) => row(() => new Array(SIZE * SIZE).fill(value), [SIZE, SIZE, 1]);
    const explained: NdArrays = {
      logits: row(() => [3, 0, 0], [3]),
      scores: row(() => [0.9, 0.05, 0.05], [3]),
      [`saliency/${SOURCE}`]: row(() => [1], [1, 1, 1]),
      [`evidence/${SOURCE}`]: row(() => [1, 1], [1, 1, 2]),
      [`pairs/${SOURCE}`]: row(() => [0], [1]),
      ...Object.fromEntries(
        names.flatMap((name): [string, NdArray][] => [
          [`${name}/unmasked`, pixels(4)],
          [`${name}/masked`, pixels(2)],
          [`${name}/reference`, pixels(-4)],
          [`${name}/overlap/${SOURCE}`, row(({ relevance }) => [relevance[name], 1], [1, 1, 2])],
        ]),
      ),
    };
    const byChance = Object.fromEntries(
      names.map((name) => [`${name}/overlap/${SOURCE}`, row(() => [chance, 1], [1, 1, 2])]),
    );
    const ofMethods = (outputs: NdArrays) =>
      Object.fromEntries(
        methods.flatMap((method) => Object.entries(outputs).map(([name, array]) => [`${method}>${name}`, array])),
      );
    const done = () => Promise.resolve();
    const missing = () => Promise.reject(new Error("not needed"));
    return {
      name: "tfjs",
      compile: (_, { name }) => {
        const found = ofMethods(name === "randomized" ? { ...explained, ...byChance } : explained);
        return Promise.resolve({ run: () => Promise.resolve(found), dispose: done });
      },
      createState: () => Promise.resolve({ shapes: {}, read: missing, write: done, dispose: done }),
      dispose: missing,
    };
  }
  const run = async (
    script: Parameters<typeof playing>[0],
    rest: (index: number) => Partial<Sample>,
    { chance, ...options }: { limit?: number; causes?: Record<string, string[]>; chance?: number } = {},
  ) =>
    scaled(
      await calibrate(model, {
        engine: playing(script, { chance }),
        parameters,
        references,
        samples: () => [samples(script.length, rest)],
        batchSize: script.length,
        ...options,
      }),
    );
  const scaled = (found: Calibration) => ({
    ...found,
    scale: found.scales.evidence?.class ?? { kind: "uncalibrated" },
  });
  const scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
  const isFirstClass = () => ({ target: { label: "a" } });
  /** The score of an aspect alone at one place where the answer's evidence and its own are 1: the square of `d p`. */
  const scoreOf = (product: number) => product ** 2 / 1.001;

  test("with known causes separates them from the distractors of images that are answered right", async () => {
    const script = scores.map((score) => ({ relevance: { spot: 0.05, share: score / 100 } }));
    // The last image, whose distractor scores highest, is labelled otherwise than the answer "a".
    const rest = (index: number) => ({ target: { label: index === 5 ? "b" : "a" } });
    const { scale, ...found } = await run(script, rest, { causes: { a: ["spot"], b: ["spot"] } });
    expect(found).toMatchObject({ imageCount: 6, warnings: [] });
    expect(scale).toMatchObject({ kind: "probability", by: "causes" });
    if (scale.kind !== "probability") throw new Error();
    expect(scale.line).toBeGreaterThan(scoreOf(0.005));
    expect(scale.line).toBeLessThan(scoreOf(0.05));
  });

  test("takes all aspects for distractors where it is known that none causes the answer", async () => {
    const caused = scores.map((score) => ({ relevance: { spot: 0.3, share: score / 100 } }));
    const uncaused = scores.map(() => ({ relevance: { spot: 0.18, share: 0.18 } }));
    const lineWith = async (causes: string[] | undefined) => {
      const rest = (index: number) => ({ ...isFirstClass(), causes: index < 6 ? ["spot"] : causes });
      const { scale } = await run([...caused, ...uncaused], rest);
      if (scale.kind !== "probability") throw new Error();
      return scale.line;
    };
    expect(await lineWith(undefined)).toBeLessThan(scoreOf(0.18));
    expect(await lineWith([])).toBeGreaterThan(scoreOf(0.18));
    expect(await lineWith([])).toBeLessThan(scoreOf(0.3));
  });

  test("warns of causes that do not stand out, as where the wrong aspects are named", async () => {
    const script = scores.map((score) => ({ relevance: { spot: score / 10, share: 0.07 - score / 10 } }));
    const { warnings } = await run(script, isFirstClass, { causes: { a: ["spot"] } });
    expect(warnings).toEqual([expect.stringMatching(/^the known causes \(spot\) hardly stand out.* 50 % of both/)]);
    // Fewer than five of either say nothing.
    expect(await run(script.slice(0, 4), isFirstClass, { causes: { a: ["spot"] } })).toMatchObject({ warnings: [] });
  });

  test("takes causes from the samples too", async () => {
    const script = scores.map((score) => ({ relevance: { spot: score / 100, share: 0.05 } }));
    const { scale } = await run(script, () => ({ ...isFirstClass(), causes: ["share"] }));
    expect(scale).toMatchObject({ by: "causes" });
  });

  test("stays near the line of all models where that separates as well", async () => {
    const script = scores.map((score) => ({ relevance: { spot: 0.9, share: score / 10 } }));
    const { scale } = await run(script, isFirstClass, { causes: { a: ["spot"] } });
    const { slope, line = 0 } = GENERAL_LINES.evidence;
    expect(scale).toEqual({ kind: "probability", slope, by: "causes", line: expect.closeTo(line, 2) });
  });

  test("without causes is what 3 % of the aspects reach under classifiers that have learned nothing", async () => {
    const script = scores.map((score) => ({ relevance: { spot: 0.9, share: score / 10 } }));
    const { scale } = await run(script, isFirstClass, { chance: 0.5 });
    // Both aspects have the same evidence there, at one place, and none in common.
    expect(scale).toMatchObject({ by: "randomized", line: expect.closeTo(scoreOf(0.5), 6) });
    // Below the line of all models too.
    const low = await run(script, isFirstClass, { chance: 0.13 });
    expect(low).toMatchObject({ scale: { by: "randomized", line: expect.closeTo(scoreOf(0.13), 8) }, imageCount: 6 });
    // But not below a third of it.
    const least = { by: "randomized", line: expect.closeTo((GENERAL_LINES.evidence.line ?? 0) / 3, 12) };
    expect(await run(script, isFirstClass, { chance: 0.01 })).toMatchObject({ scale: least });
    // Where causes are known, distractors tell.
    const known = await run(script, isFirstClass, { causes: { a: ["spot"] }, chance: 0.5 });
    expect(known).toMatchObject({ scale: { by: "causes" } });
  });

  test("a distractor that is relevant in most images all the same is warned of, and raises no line", async () => {
    const script = scores.map(() => ({ relevance: { spot: 0.5, share: 0.6 } }));
    const { scale, warnings } = await run(script, isFirstClass, { causes: { a: ["spot"] }, chance: 0.25 });
    // No distractor is left to tell how high the line must be.
    expect(scale).toMatchObject({ by: "randomized", line: expect.closeTo(scoreOf(0.25), 6) });
    expect(warnings).toEqual([expect.stringMatching(/^"share" is relevant in 6 of the 6 images .* "causes"/)]);
  });

  test("a distractor above the line of all models that causes are well above raises the line", async () => {
    const script = scores.map(() => ({ relevance: { spot: 0.9, share: 0.4 } }));
    const { scale, warnings } = await run(script, isFirstClass, { causes: { a: ["spot"] }, chance: 0.25 });
    expect(warnings).toEqual([]);
    expect(scale).toMatchObject({ by: "causes" });
    if (scale.kind !== "probability") throw new Error();
    expect(scale.line).toBeGreaterThan(scoreOf(0.4));
    expect(scale.line).toBeLessThan(scoreOf(0.9));
  });

  test("without causes, where classifiers that have learned nothing reach nothing, is the line of all models", async () => {
    const script = scores.map((score) => ({ relevance: { spot: score, share: score } }));
    expect(await run(script, () => ({}), { chance: 0 })).toMatchObject({ scale: { by: "general" }, imageCount: 6 });
  });

  test("of a method without a line of all models is none where heads see nothing", async () => {
    const given = { engine, parameters, references, samples: () => [], batchSize: 3 };
    const { scales, imageCount } = await calibrate(model, { ...given, methods: ["hires-cam", "evidence"] });
    expect(imageCount).toBe(0);
    expect(scales["hires-cam"]).toEqual({ class: { kind: "uncalibrated" } });
    expect(scales.evidence).toEqual({ class: { kind: "probability", ...GENERAL_LINES.evidence, by: "general" } });
  });

  test("of several methods reads each method's own outputs", async () => {
    const methods = ["evidence", "grad-cam"] as const;
    const script = scores.map((score) => ({ relevance: { spot: 0.05, share: score / 100 } }));
    const { scales } = await calibrate(model, {
      ...{ engine: playing(script, { methods }), parameters, references, methods },
      samples: () => [samples(script.length, isFirstClass)],
      batchSize: script.length,
      causes: { a: ["spot"] },
    });
    // The same numbers were played for both.
    expect(scales["grad-cam"]?.class).toMatchObject({ kind: "probability", by: "causes" });
    expect(Object.keys(scales)).toEqual(methods);
  });

  test("uses at most `limit` images, and says how many", async () => {
    const script = scores.map((score) => ({ relevance: { spot: score, share: score } }));
    expect(await run(script, () => ({}), { limit: 4 })).toMatchObject({ imageCount: 4 });
  });

  test("warns of a head that says nearly the same of the reference", async () => {
    // A head whose last kernel is tiny and whose bias is loud sees its aspect everywhere, whatever it looks at.
    const deaf = Object.fromEntries(
      Object.entries(parameters).map(([name, { shape, data }]) => {
        if (name === "head/spot/output/kernel") return [name, { shape, data: data.map((value) => value * 1e-4) }];
        return [name, { shape, data: name === "head/spot/output/bias" ? data.map(() => 2) : data }];
      }),
    );
    const given = { engine, parameters: deaf, references, samples: () => [samples(3)], batchSize: 3 };
    const { warnings } = await calibrate(model, given);
    expect(warnings).toContainEqual(
      expect.stringMatching(/^head "spot" cannot tell its answer from nothing on 3 of the 3 images/),
    );
  });
});

describe("randomized classifiers", () => {
  test("leave heads and what they read as they are, and differ from one another", () => {
    const [one, two] = [1, 2].map((seed) => randomizeClassifier(model, { seed }));
    const names = Object.keys(one);
    expect(names).toContain("trunk/conv_pw_13/kernel");
    expect(names).toContain("head/class/kernel");
    // The source is conv_pw_11: nothing up to it, and no aspect head.
    expect(names.filter((name) => /conv_pw_11\/|conv_dw_11|conv1\/|spot|share/.test(name))).toEqual([]);
    expect([...one["head/class/kernel"].data]).not.toEqual([...two["head/class/kernel"].data]);
  });

  test("run one after another over the same images, each with its own parameters", async () => {
    const images = samples(2);
    const found: { randomization: Randomization; logits: number[]; unmasked: number }[] = [];
    const options = {
      engine,
      fn: explainFunction(model),
      parameters,
      references,
      batchSize: 2,
      randomizations: [{ seed: 1 }, { seed: 2 }],
    };
    for await (const { randomization, outputs } of overRandomizedModels(model, { ...options, samples: () => [images] }))
      found.push({ randomization, logits: [...outputs.logits.data], unmasked: outputs["spot/unmasked"].data[0] });
    expect(found.map(({ randomization }) => randomization.seed)).toEqual([1, 1, 2, 2]);
    expect(found[0].logits).not.toEqual(found[2].logits);
    expect(found[0].unmasked).toBe(found[2].unmasked);
    // As a model that has these parameters from the start.
    const given = explainConstants({
      parameters: { ...parameters, ...randomizeClassifier(model, { seed: 2 }) },
      references,
    });
    const alone = { engine, fn: explainFunction(model), constants: given, samples: [images], batchSize: 2 };
    for await (const { outputs } of overSamples(model, alone)) {
      expect([...outputs.logits.data]).toEqual(found[2].logits);
      break;
    }
  });
});
