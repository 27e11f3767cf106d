/**
 * Every saliency method, masking, target and tap on a whole model: eager beside compiled, and beside what each must
 * mean.
 */

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { type NdArrays, ndArray } from "../../src/core/nd-array.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { explainConstants } from "../../src/explain/graph/graph-constants.js";
import type { ExplainOptions } from "../../src/explain/graph/options.js";
import { ofMethod, severalMethods } from "../../src/explain/graph/several-methods.js";
import { explanationSteps } from "../../src/explain/graph/steps.js";
import { maskingsOf, SALIENCY_NAMES } from "../../src/explain/methods.js";
import { readExplanation } from "../../src/explain/reading/read-explanation.js";
import { readScores } from "../../src/explain/reading/read-scores.js";
import type { InnerTarget } from "../../src/explain/target.js";
import { createModel, type Model } from "../../src/model/model.js";
import { SOURCE, tinyImages, tinyModel, tinyParameters, tinyReferences, toArrays, toTensors } from "./tiny-model.js";

const SIZE = 32;
const EARLY = "conv_pw_3";
/** The classifier reads the source itself too, so that CAM is at home. */
const model = tinyModel({ classifier: { taps: [SOURCE] } });
const parameters = tinyParameters(model);
const constants = explainConstants({
  parameters,
  references: tinyReferences(model, { taps: [SOURCE, EARLY, "conv_pw_5", "conv_pw_12", "conv_pw_13", "input"] }),
});

let engine: Engine;
beforeAll(async () => {
  await tf.setBackend("cpu");
  engine = await createOnnxEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const given = () => ({ image: ndArray([1, SIZE, SIZE, 3], tinyImages(1)), target: ndArray([1, 3]) });

function eager(options: ExplainOptions, of: Model = model, numbers: NdArrays = constants): NdArrays {
  let found: NdArrays = {};
  tf.tidy(() => {
    const { outputs } = explainFunction(
      of,
      options,
    )({
      inputs: toTensors(given()),
      constants: toTensors(numbers),
      state: {},
    });
    found = toArrays(outputs);
  });
  return found;
}

async function compiled(options: ExplainOptions): Promise<NdArrays> {
  const inputs = given();
  const shapes = { image: inputs.image.shape, target: inputs.target.shape };
  const graph = await engine.compile(explainFunction(model, options), { inputs: shapes, constants });
  try {
    return await graph.run(inputs);
  } finally {
    await graph.dispose();
  }
}

/** Relative L2 error; of all zeros, the norm of what was found. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [error, norm] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    error += (found[i] - expected[i]) ** 2;
    norm += expected[i] ** 2;
  }
  return Math.sqrt(norm > 0 ? error / norm : error);
}

describe("every method", () => {
  for (const saliency of SALIENCY_NAMES) {
    for (const tap of [undefined, EARLY, "input"] as const) {
      if (saliency === "cam" && tap === EARLY) continue; // no dense layer follows there
      test(`${saliency} at ${tap ?? "the heads' own layer"} says the same eagerly and compiled`, async () => {
        const options = { saliency, tap, masking: "multiply" } as const;
        const [a, b] = [eager(options), await compiled(options)];
        expect(Object.keys(b).sort()).toEqual(Object.keys(a).sort());
        for (const [name, { shape, data }] of Object.entries(a)) {
          expect(b[name].shape).toEqual(shape);
          expect([...data].every(Number.isFinite), name).toBe(true);
          expect(relativeError(b[name].data, data), name).toBeLessThan(1e-3);
        }
        const { explanation, maps } = readExplanation(a, {
          spec: model.spec,
          scale: { kind: "uncalibrated" },
          image: "x.png",
          method: options,
        });
        expect(explanation).toMatchObject({ saliency, masking: "multiply" });
        expect(maps.saliency.height).toBe(tap === "input" ? SIZE : tap === EARLY ? 8 : 2);
        expect(Math.max(...maps.saliency.values)).toBeGreaterThan(0);
      });
    }
  }
});

describe("all methods in one graph", () => {
  test("give the scores that each gives alone", () => {
    let together: NdArrays = {};
    tf.tidy(() => {
      const all = { inputs: toTensors(given()), constants: toTensors(constants), state: {} };
      together = toArrays(severalMethods(model, SALIENCY_NAMES)(all).outputs);
    });
    const found = SALIENCY_NAMES.map((saliency) => readScores(ofMethod(together, saliency), model));
    for (const [index, saliency] of SALIENCY_NAMES.entries()) {
      const options = { spec: model.spec, scale: { kind: "uncalibrated" }, image: "x.png" } as const;
      const { prediction, aspects } = readExplanation(eager({ saliency }), options).explanation;
      expect(found[index], saliency).toEqual({
        prediction,
        aspects: aspects.map(({ name, isPresent, score }) => ({
          name,
          isPresent,
          score: score === null ? null : expect.closeTo(score, 5),
        })),
      });
    }
    const ofSpot = found.map(({ aspects }) => aspects[0].score);
    expect(new Set(ofSpot).size).toBeGreaterThan(3);
  });
});

describe("every pair of method and masking", () => {
  for (const saliency of SALIENCY_NAMES) {
    test(`of ${saliency} masks, and compiled the same`, async () => {
      for (const masking of maskingsOf(saliency)) {
        const options = { saliency, masking };
        const [a, b] = [eager(options), await compiled(options)];
        for (const name of ["spot/masked", "tag/masked"])
          expect(relativeError(b[name].data, a[name].data), `${masking}: ${name}`).toBeLessThan(1e-3);
        expect([...a["spot/masked"].data]).not.toEqual([...a["spot/unmasked"].data]);
      }
    });
  }

  test("that does not exist is an error that lists those that do", () => {
    const options = { saliency: "hires-cam", masking: "filter-weights" } as const;
    expect(() => explainFunction(model, options)).toThrow(ConfigError);
    expect(() => explainFunction(model, options)).toThrow(
      /"filter-weights".*"hires-cam" has no filter weights.*multiply, threshold, threshold-absolute/,
    );
    expect(() => explainFunction(model, { saliency: "grad-cam", masking: "both", tap: "input" })).toThrow(
      /"grad-cam" has no filter weights on the image/,
    );
  });

  test("CAM without a dense layer right after is an error that says where there is one", () => {
    expect(() => explainFunction(tinyModel(), { saliency: "cam" })).toThrow(
      /"cam": needs.*conv_pw_11.*classifier reads conv_pw_13/,
    );
    expect(() => explainFunction(model, { saliency: "cam", target: { kind: "aspect", aspect: "tag" } })).toThrow(
      ConfigError,
    );
  });

  test("CAM is had by leaving out what stands in its way, and by training only where nothing does", () => {
    const target = { kind: "aspect", aspect: "tag" } as const;
    const refused = (of: Model, options: ExplainOptions) =>
      expect(() => explainFunction(of, { saliency: "cam", ...options }));
    refused(model, { target }).toThrow(/Take another method, or leave the target out\.$/);
    refused(model, { tap: EARLY }).toThrow(/Take another method, or leave the tap out\.$/);
    refused(model, { tap: EARLY, target }).toThrow(/Take another method, or leave the target and the tap out\.$/);
    refused(tinyModel(), {}).toThrow(/Take another method, or train with "source": "conv_pw_13"\.$/);
    refused(tinyModel(), { tap: EARLY }).toThrow(/or train with "source"/);
    refused(tinyModel(), { target }).toThrow(/Take another method\.$/);
  });
});

test("CAM's weights are Grad-CAM's times the number of places", () => {
  const weights = (saliency: "cam" | "grad-cam") => eager({ saliency })[`filterWeights/${SOURCE}`].data;
  expect(
    relativeError(
      weights("cam"),
      weights("grad-cam").map((weight) => 4 * weight),
    ),
  ).toBeLessThan(1e-5);
});

describe("a tap", () => {
  test("before the heads' own is masked there, and leads to them through the trunk", () => {
    const found = eager({ tap: EARLY, masking: "filter-weights" });
    expect(found[`tag/overlap/${EARLY}`].shape).toEqual([1, 8, 8, 2]);
    expect(found[`saliency/${SOURCE}`]).toBeUndefined();
    const own = eager({});
    // Unmasked, the heads see what they always see.
    expect(relativeError(found["spot/unmasked"].data, own["spot/unmasked"].data)).toBeLessThan(1e-5);
    expect(relativeError(found["spot/masked"].data, own["spot/masked"].data)).toBeGreaterThan(1e-3);
  });

  test("that is the image shows the heads the masked image", () => {
    tf.tidy(() => {
      const tensors = toTensors(constants);
      const steps = explanationSteps(model, { inputs: toTensors(given()), constants: tensors }, { tap: "input" });
      const { masked, reference } = steps.taps.input;
      expect(reference.shape).toEqual([1, 1, 1, 3]);
      const features = model.trunk.run(tensors, { input: masked }, [SOURCE])[SOURCE];
      const [spot] = model.aspects;
      const expected = spot.forward(tensors, [features]).dataSync();
      expect(relativeError(steps.aspects.spot.masked.dataSync(), expected)).toBeLessThan(1e-5);
    });
  });

  test("grey shows them that image without colours, masked and unmasked", () => {
    tf.tidy(() => {
      const tensors = toTensors(constants);
      const inputs = toTensors(given());
      const steps = explanationSteps(model, { inputs, constants: tensors }, { tap: "input", mapping: "grey" });
      const grey = tf.tile(tf.sum(tf.mul(inputs.image, [0.299, 0.587, 0.114]), 3, true), [1, 1, 1, 3]) as tf.Tensor4D;
      const features = model.trunk.run(tensors, { input: grey }, [SOURCE])[SOURCE];
      const [spot] = model.aspects;
      const expected = spot.forward(tensors, [features]).dataSync();
      expect(relativeError(steps.aspects.spot.unmasked.dataSync(), expected)).toBeLessThan(1e-5);
    });
    expect(() => eager({ mapping: "grey" })).toThrow(/grey leads from the image/);
  });

  test("must exist, lead to every head, and lie before what the target reads", () => {
    const options = (tap: string) => () => explainFunction(model, { tap });
    expect(options("conv9")).toThrow(/no layer "conv9".*conv_pw_3/);
    expect(options("conv_pw_13")).toThrow(/"conv_pw_11" cannot be computed from "conv_pw_13" alone/);
    // A residual sum leads around block_5_expand.
    const v2 = createModel({
      trunk: { name: "mobilenet-v2", alpha: 0.35, inputSize: 32 },
      source: "block_13_expand",
      heads: [{ kind: "classifier", name: "class", taps: ["Conv_1"], task: "single", classes: ["a", "b"] }],
    });
    expect(() => explainFunction(v2, { tap: "block_5_expand" })).toThrow(
      /cannot be computed from "block_5_expand" alone/,
    );
    expect(() => explainFunction(v2, { tap: "block_6_expand" })).not.toThrow();
  });

  test("without a reference is an error that names those that there are", () => {
    expect(() => eager({ tap: "conv_pw_4" })).toThrow(/"conv_pw_4": the model holds no reference.*conv_pw_3/);
  });
});

describe("a target that is no class", () => {
  const targets: readonly InnerTarget[] = [
    { kind: "aspect", aspect: "tag" },
    { kind: "aspect", aspect: "spot" },
    { kind: "aspect", aspect: "thing" },
    { kind: "image", aspect: "share", object: 1, background: -0.5 },
    { kind: "unit", layer: "conv_pw_13", channel: 6 },
    { kind: "unit", layer: "conv_pw_12", channel: 3, place: [0, 0] },
  ];

  for (const target of targets)
    test(`${JSON.stringify(target)} has the gradient of finite differences`, () => {
      tf.tidy(() => {
        const tensors = toTensors(constants);
        const inputs = toTensors(given());
        const steps = explanationSteps(model, { inputs, constants: tensors }, { target, saliency: "grad-cam" });
        const { features, weights } = steps.taps[SOURCE];
        // A channel shifted everywhere moves the target by height * width * w; the region stays where it is.
        const all = [...(weights as tf.Tensor).dataSync()];
        const largest = all.indexOf(all.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a)));
        expect(Math.abs(all[largest])).toBeGreaterThan(0);
        const step = 0.001;
        const shift = tf.mul(tf.oneHot(tf.tensor1d([largest], "int32"), all.length), step);
        const valueAt = (at: tf.Tensor) => steps.targetAt({ [SOURCE]: at as tf.Tensor4D }).dataSync()[0];
        const slope = (valueAt(tf.add(features, shift)) - valueAt(tf.sub(features, shift))) / (2 * step);
        // 2 %: float32 differences; activations may bend between the two points.
        expect(Math.abs(slope - 4 * all[largest]) / Math.abs(slope)).toBeLessThan(0.02);
      });
    });

  test("compiles like any other, and an aspect does not explain itself", async () => {
    const options = { target: { kind: "aspect", aspect: "tag" } } as const;
    const [a, b] = [eager(options), await compiled(options)];
    expect(Object.keys(a).filter((name) => name.startsWith("tag/"))).toEqual(["tag/unmasked"]);
    for (const [name, { data }] of Object.entries(a))
      expect(relativeError(b[name].data, data), name).toBeLessThan(1e-3);
    const { explanation } = readExplanation(a, {
      spec: model.spec,
      scale: { kind: "uncalibrated" },
      image: "x.png",
      target: options.target,
    });
    expect(explanation.target).toEqual({ kind: "aspect", aspect: "tag" });
    expect(explanation.aspects.map(({ name }) => name)).toEqual(["spot", "thing", "share"]);
  });

  test("before the heads' layer wants a tap before itself", () => {
    const target: InnerTarget = { kind: "unit", layer: "conv_pw_5", channel: 1 };
    expect(() => explainFunction(model, { target })).toThrow(
      /the target does not depend on layer "conv_pw_11".*Mask one layer from which it and all heads are computed: --tap conv_pw_5\.$/,
    );
    expect(eager({ target, tap: "conv_pw_5" })["saliency/conv_pw_5"].shape).toEqual([1, 4, 4, 1]);
    expect(eager({ target, tap: EARLY })[`saliency/${EARLY}`].shape).toEqual([1, 8, 8, 1]);
  });

  test("must be part of the model", () => {
    const refused = (target: InnerTarget) => expect(() => explainFunction(model, { target }));
    refused({ kind: "aspect", aspect: "muzzle" }).toThrow(/no aspect "muzzle".*spot, thing, tag, share/);
    refused({ kind: "image", aspect: "tag", object: 1, background: 0 }).toThrow(/"tag" is no image, but presence/);
    refused({ kind: "unit", layer: "conv9", channel: 1 }).toThrow(/no layer "conv9"/);
    refused({ kind: "unit", layer: "conv_pw_13", channel: 9999 }).toThrow(/1 x 1 with 256 channels.*no unit 9999/);
    refused({ kind: "unit", layer: "conv_pw_13", channel: 1, place: [0, 5] }).toThrow(/no unit 1@0,5/);
  });
});

test("a class's own score is explained without its odds against the others", () => {
  const scores = tf.tidy(() => {
    const inputs = { ...toTensors(given()), target: tf.tensor2d([[0, 1, 0]]) };
    const steps = explanationSteps(
      model,
      { inputs, constants: toTensors(constants) },
      { target: { kind: "logit", class: "b" } },
    );
    return [steps.target.dataSync()[0], steps.logits.dataSync()[1]];
  });
  expect(scores[0]).toBe(scores[1]);
});
