import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/core/errors.js";
import { imageOutputs, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { checkTaps, explainedTaps } from "../../src/explain/graph/explained-taps.js";
import { explainConstants } from "../../src/explain/graph/graph-constants.js";
import { readExplanation } from "../../src/explain/reading/read-explanation.js";
import { readScores } from "../../src/explain/reading/read-scores.js";
import { LEAST_AGREEMENT } from "../../src/explain/relevance-constants.js";
import type { Target } from "../../src/explain/target.js";
import { imageInputs } from "../../src/model/image-inputs.js";
import { createModel, type Model, predict } from "../../src/model/model.js";
import type { MappingSpec, ModelSpec } from "../../src/model/model-spec.js";
import { networkParameters } from "../../src/model/network.js";
import {
  ASPECTS,
  SOURCE,
  tinyImages,
  tinyModel,
  tinyParameters,
  tinyReferences,
  toArrays,
  toTensors,
} from "./tiny-model.js";

const SIZE = 32;
const shared = tinyModel();
const channels = 128;

/** The classifier of `shared`, its aspects on a network of their own. */
function mapped(mapping: Partial<MappingSpec> = {}, { inputSize = SIZE } = {}): Model {
  const spec: ModelSpec = {
    ...shared.spec,
    heads: shared.spec.heads.map((head) => (head.kind === "classifier" ? head : { ...head, network: "other" })),
    networks: [
      {
        name: "other",
        trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize },
        mapping: { kind: "linear", from: SOURCE, to: SOURCE, ...mapping },
      },
    ],
  };
  return createModel(spec);
}

/** The same network twice, and a mapping that changes nothing. */
function twice(model: Model): NdArrays {
  const own = tinyParameters(shared);
  const trunk = Object.fromEntries(Object.entries(own).filter(([name]) => name.startsWith("trunk/")));
  const kernel = ndArray([1, 1, channels, channels]);
  for (let i = 0; i < channels; i++) kernel.data[i * channels + i] = 1;
  return {
    ...initialize(model.headParameters, { seed: 4 }),
    ...own,
    ...networkParameters("other", trunk),
    "mapping/other/linear/kernel": kernel,
    "mapping/other/linear/bias": ndArray([channels]),
  };
}

const constantsOf = (model: Model, parameters: NdArrays) =>
  explainConstants({ parameters, references: tinyReferences(model) });

function inputsOf(model: Model, { target = [0, 0, 0] } = {}): NdArrays {
  const image = Uint8Array.from(tinyImages(1));
  const otherSizes = { 64: Uint8Array.from(tinyImages(1, { size: 64 })) };
  const sample = { path: "x.png", image, otherSizes, target: {}, aspects: {} };
  return { ...imageInputs(model.spec, [sample], { batchSize: 1 }), target: ndArray([1, 3], Float32Array.from(target)) };
}

function run(
  model: Model,
  parameters: NdArrays,
  options: Parameters<typeof explainFunction>[1] = {},
  target?: number[],
): NdArrays {
  let found: NdArrays = {};
  tf.tidy(() => {
    const inputs = toTensors(inputsOf(model, { target }));
    const { outputs } = explainFunction(
      model,
      options,
    )({
      inputs,
      constants: toTensors(constantsOf(model, parameters)),
      state: {},
    });
    found = toArrays(outputs);
  });
  return found;
}

function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [worst, scale] = [0, 1e-30];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(found[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return worst / scale;
}

const scale = { kind: "probability", line: 0.02, slope: 2.5, by: "general" } as const;
const read = (model: Model, outputs: NdArrays, target?: Target) =>
  readExplanation(outputs, { spec: model.spec, scale, image: "x.png", target });

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("aspects on a network of their own", () => {
  test("where it is the classifier's own network, and the mapping changes nothing, all numbers are the shared ones", () => {
    const model = mapped();
    const found = run(model, twice(model));
    const expected = run(shared, tinyParameters(shared));
    expect(Object.keys(found).sort()).toEqual(
      [...Object.keys(expected), ...ASPECTS.map(({ name }) => `${name}/mapped`)].sort(),
    );
    for (const [name, { shape, data }] of Object.entries(expected)) {
      expect(found[name].shape, name).toEqual(shape);
      expect(relativeError(found[name].data, data), name).toBeLessThan(1e-5);
    }
    for (const { name } of ASPECTS)
      expect(relativeError(found[`${name}/mapped`].data, found[`${name}/unmasked`].data)).toBeLessThan(1e-5);
    expect(readScores(found, model)).toEqual(readScores(expected, shared));
    const { aspects } = read(model, found).explanation;
    expect(aspects.map(({ score, share }) => [score, share])).toEqual(
      read(shared, expected).explanation.aspects.map(({ score, share }) => [score, share]),
    );
    expect(aspects[0].mapping).toEqual({
      ...{ network: "other", kind: "linear", from: SOURCE, to: SOURCE },
      ...{ r2: null, agreement: null, isTooPoor: false },
    });
  });

  test("is read from its own image at its own size, and answers at the classifier's", () => {
    const model = mapped({ to: "conv_pw_6" }, { inputSize: 64 });
    const parameters = { ...initialize(model.headParameters, { seed: 9 }), ...tinyParameters(shared) };
    for (const { name } of model.networks[0].trunk.foldedParameters)
      parameters[`network/other/${name}`] = tinyParameters(shared)[name];
    const found = run(model, parameters);
    expect(found["spot/unmasked"].shape).toEqual([1, SIZE, SIZE, 1]);
    expect(found[`spot/overlap/${SOURCE}`].shape).toEqual([1, 2, 2, 2]);
    expect(explainedTaps(model)).toEqual([SOURCE]);
    const inputs = inputsOf(model);
    const answers = (given: NdArrays): NdArrays => {
      let said: NdArrays = {};
      tf.tidy(() => {
        const images = toTensors(given);
        said = toArrays(predict(model, toTensors(parameters), { input: images.image as tf.Tensor4D }, { images }));
      });
      return said;
    };
    const alone = answers(inputs);
    for (const { name } of ASPECTS)
      expect(relativeError(found[`${name}/unmasked`].data, alone[name].data), name).toBeLessThan(1e-5);
    // Its own image, and no other, decides what it sees.
    const dark = { ...inputs, "image/other": ndArray(inputs["image/other"].shape) };
    const changed = answers(dark);
    expect([...changed.class.data]).toEqual([...alone.class.data]);
    expect(relativeError(changed.spot.data, alone.spot.data)).toBeGreaterThan(0.01);
  });

  test.each(["linear", "unet"] as const)("%s: its evidence is the gradient through mapping and network", (kind) => {
    const model = mapped({ kind, to: "conv_pw_8" });
    const own = tinyParameters(shared);
    const drawn = Object.entries(initialize(model.headParameters, { seed: 8 })).map(([name, { shape, data }]) => [
      name,
      // What begins at 0 must show, too.
      ndArray(
        shape,
        name.includes("leave") ? Float32Array.from(data, (_, i) => Math.sin(i) / 20) : Float32Array.from(data),
      ),
    ]);
    const parameters: Record<string, NdArrays[string]> = { ...Object.fromEntries(drawn), ...own };
    for (const { name } of model.networks[0].trunk.foldedParameters) parameters[`network/other/${name}`] = own[name];
    const references = tinyReferences(model);
    const steps = run(model, parameters, {}, [1, 0, 0]);
    const errors = tf.tidy(() => {
      const tensors = toTensors(parameters);
      const inputs = toTensors(inputsOf(model));
      const [network] = model.networks;
      const [head] = model.aspects;
      const isSeen = steps["spot/unmasked"].data.map((logit) => (logit >= 0 ? 1 : 0));
      const f = model.trunk.run(tensors, { input: inputs.image as tf.Tensor4D }, [SOURCE])[SOURCE];
      const rows = references[SOURCE];
      const r = tf.tensor(rows.data.slice(0, channels), [1, 1, 1, channels]);
      const half = tf.mul(tf.add(f, r), 0.5) as tf.Tensor4D;
      const value = (at: tf.Tensor4D) =>
        Float32Array.from(head.forward(tensors, network.mappedFeatures(tensors, at, head.spec.taps)).dataSync()).reduce(
          (sum, logit, pixel) => sum + logit * isSeen[pixel],
          0,
        );
      const difference = tf.sub(f, r).dataSync();
      const squares = Array.from({ length: 4 }, (_, place) => steps[`spot/overlap/${SOURCE}`].data[2 * place + 1]);
      return squares.map((square, place) => {
        // p = a (f - r), by differences of every channel of the place.
        let sum = 0;
        for (let channel = 0; channel < channels; channel++) {
          const step = 0.01;
          const shift = new Float32Array(4 * channels);
          shift[place * channels + channel] = step;
          const shifted = tf.tensor(shift, half.shape) as tf.Tensor4D;
          const slope = (value(tf.add(half, shifted)) - value(tf.sub(half, shifted))) / (2 * step);
          sum += (slope * difference[place * channels + channel]) ** 2;
        }
        return Math.abs(sum - square) / Math.max(...squares);
      });
    });
    // 2 %: float32 differences; activations may bend between the two points.
    for (const error of errors) expect(error).toBeLessThan(0.02);
  });

  test("both engines agree, and an aspect of it can be explained itself", { timeout: 60_000 }, async () => {
    const model = mapped({ kind: "unet", to: "conv_pw_6" }, { inputSize: 64 });
    const own = tinyParameters(shared);
    const parameters: Record<string, NdArrays[string]> = { ...initialize(model.headParameters, { seed: 8 }), ...own };
    for (const { name } of model.networks[0].trunk.foldedParameters) parameters[`network/other/${name}`] = own[name];
    const engine = await createOnnxEngine({ threads: 1 });
    try {
      for (const target of [undefined, { kind: "aspect", aspect: "spot" } as const]) {
        const inputs = inputsOf(model);
        const compiled = await engine.compile(explainFunction(model, { target }), {
          inputs: Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape])),
          constants: constantsOf(model, parameters),
        });
        const traced = imageOutputs(await compiled.run(inputs), 0);
        await compiled.dispose();
        for (const [name, { data }] of Object.entries(run(model, parameters, { target })))
          expect(relativeError(traced[name].data, data), name).toBeLessThan(1e-3);
        const { explanation } = read(model, traced, target);
        expect(explanation.aspects).toHaveLength(target ? 3 : 4);
      }
    } finally {
      await engine.dispose();
    }
  });

  test("the masked image itself goes in, where the mapping is of images", () => {
    const model = mapped({ kind: "image", from: "input", to: "input" }, { inputSize: 64 });
    expect(explainedTaps(model)).toEqual(["input", SOURCE]);
    const own = tinyParameters(shared);
    const parameters: Record<string, NdArrays[string]> = { ...initialize(model.headParameters, { seed: 8 }), ...own };
    for (const { name } of model.networks[0].trunk.foldedParameters) parameters[`network/other/${name}`] = own[name];
    const found = run(model, parameters);
    expect(found["spot/overlap/input"].shape).toEqual([1, SIZE, SIZE, 2]);
    expect(found["spot/overlap/input"].data.some((value) => value !== 0)).toBe(true);
  });

  test("a mapping that carries too little leaves its aspects without relevance, and says why", () => {
    const quality = { images: 40, r2: 0.1, agreement: { spot: LEAST_AGREEMENT - 0.01, thing: LEAST_AGREEMENT } };
    const model = mapped({ quality: { ...quality, agreement: { ...quality.agreement, tag: 0.9, share: null } } });
    const outputs = run(model, twice(model));
    const { aspects } = read(model, outputs).explanation;
    const [spot, ...others] = aspects;
    expect(spot).toMatchObject({ score: null, survival: null, relevance: null, isRelevant: false });
    expect(spot.mapping).toMatchObject({ r2: 0.1, agreement: LEAST_AGREEMENT - 0.01, isTooPoor: true });
    expect(others.map(({ mapping }) => mapping?.isTooPoor)).toEqual([false, false, false]);
    expect(readScores(outputs, model).aspects.map(({ score }) => score)).toEqual(aspects.map(({ score }) => score));
    // Nor is anything said where it is what is explained.
    const target = { kind: "aspect", aspect: "spot" } as const;
    const why = read(model, run(model, twice(model), { target }), target).explanation;
    expect(why.targetAspect?.mapping?.isTooPoor).toBe(true);
    expect(why.headline).toMatchObject({ case: "unreadable", text: expect.stringMatching(/carries too little of it/) });
    const only = { ...model.spec, heads: model.spec.heads.slice(0, 2) };
    const { headline } = readExplanation(outputs, { spec: only, scale, image: "x.png" }).explanation;
    expect(headline.text).toMatch(
      /cannot be said, spot is seen, but the mapping to its network carries too little of it/,
    );
  });

  test("what does not fit is refused", () => {
    expect(() => mapped({ from: "nowhere" })).toThrow(/network "other": its mapping names no layer "nowhere"/);
    expect(() => mapped({ to: "nowhere" })).toThrow(ConfigError);
    expect(() => mapped({ kind: "image" })).toThrow(/an image is mapped to an image/);
    expect(() => mapped({ to: "conv_pw_12" })).toThrow(/layer "conv_pw_11" cannot be computed from "conv_pw_12" alone/);
    expect(() => checkTaps(mapped(), { tap: "conv_pw_6" })).toThrow(
      /aspects on networks of their own are reached from layer "conv_pw_11", not from "conv_pw_6"/,
    );
    expect(checkTaps(mapped(), { tap: SOURCE })).toEqual([]);
    expect(() => explainFunction(mapped(), { mapping: "grey", tap: "input" })).toThrow(ConfigError);
    const { networks: _, ...spec } = mapped().spec;
    expect(() => createModel(spec)).toThrow(/head "spot": the model has no network "other". It has: none/);
    const sample = { path: "a.png", image: new Uint8Array(SIZE * SIZE * 3), target: {}, aspects: {} };
    const larger = mapped({}, { inputSize: 64 }).spec;
    expect(() => imageInputs(larger, [sample], { batchSize: 1 })).toThrow(ShapeError);
  });
});
