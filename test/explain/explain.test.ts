import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { logSumExp } from "../../src/core/logistic.js";
import { imageOutputs, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { checkTaps, explainedTaps } from "../../src/explain/graph/explained-taps.js";
import { explainConstants } from "../../src/explain/graph/graph-constants.js";
import { explanationSteps } from "../../src/explain/graph/steps.js";
import type { MaskingName } from "../../src/explain/methods.js";
import { readExplanation } from "../../src/explain/reading/read-explanation.js";
import { createModel, type Model } from "../../src/model/model.js";
import * as twin from "../reference/explanation.js";
import { scoreAlone } from "./score-alone.js";
import { SOURCE, tinyImages, tinyModel, tinyParameters, tinyReferences, toArrays, toTensors } from "./tiny-model.js";

const SIZE = 32;
const model = tinyModel();
const constants = explainConstants({ parameters: tinyParameters(model), references: tinyReferences(model) });

/** Runs the traced function eagerly on images. */
function run(
  of: Model,
  given: NdArrays,
  {
    images = tinyImages(1),
    targets = [[0, 0, 0]],
    masking,
  }: { images?: Float32Array; targets?: number[][]; masking?: MaskingName } = {},
): NdArrays {
  let found: NdArrays = {};
  tf.tidy(() => {
    const image = tf.tensor(images, [targets.length, SIZE, SIZE, 3]);
    const { outputs } = explainFunction(of, { masking })({
      inputs: { image, target: tf.tensor2d(targets) },
      constants: toTensors(given),
      state: {},
    });
    found = toArrays(outputs);
  });
  return found;
}

let outputs: NdArrays;
beforeAll(async () => {
  await tf.setBackend("cpu");
  outputs = run(model, constants);
});

/** Largest difference, relative to the largest expected value; itself where all expected values are 0. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [worst, scale] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs(found[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return scale > 0 ? worst / scale : worst;
}

describe("the explain function", () => {
  test("gives exactly the outputs that the design lists", () => {
    const shapes = Object.fromEntries(Object.entries(outputs).map(([name, { shape }]) => [name, shape.join()]));
    expect(shapes).toEqual({
      logits: "1,3",
      scores: "1,3",
      ...Object.fromEntries(
        [
          ["spot", "1,32,32,1"],
          ["thing", "1,8,8,5"],
          ["tag", "1,1"],
          ["share", "1,32,32,1"],
        ].flatMap(([name, shape]) => [
          [`${name}/unmasked`, shape],
          [`${name}/masked`, shape],
          [`${name}/reference`, shape],
          [`${name}/overlap/${SOURCE}`, "1,2,2,2"],
        ]),
      ),
      [`filterWeights/${SOURCE}`]: "1,1,1,128",
      [`saliency/${SOURCE}`]: "1,2,2,1",
      [`evidence/${SOURCE}`]: "1,2,2,2",
      [`pairs/${SOURCE}`]: "1,6",
    });
  });

  test("explains each image of a batch, and each target, as if it were alone", () => {
    const images = tinyImages(2);
    const targets = [
      [0, 0, 0],
      [1, -1, 0],
    ];
    const both = run(model, constants, { images, targets });
    const length = SIZE * SIZE * 3;
    for (const index of [0, 1]) {
      const alone = run(model, constants, {
        images: images.slice(index * length, (index + 1) * length),
        targets: [targets[index]],
      });
      const row = imageOutputs(both, index);
      for (const [name, { data }] of Object.entries(alone))
        expect(relativeError(row[name].data, data), name).toBeLessThan(1e-5);
    }
  });

  test("takes the predicted class where the target is all zero", () => {
    const best = [...outputs.logits.data].indexOf(Math.max(...outputs.logits.data));
    const named = run(model, constants, { targets: [[0, 1, 2].map((index) => (index === best ? 1 : 0))] });
    for (const [name, { data }] of Object.entries(named)) expect([...outputs[name].data], name).toEqual([...data]);
  });

  test("turns its filter weights round with the margin", () => {
    const weights = (target: number[]) => run(model, constants, { targets: [target] })[`filterWeights/${SOURCE}`].data;
    const [there, back] = [weights([1, -1, 0]), weights([-1, 1, 0])];
    expect(
      relativeError(
        there,
        back.map((value) => -value),
      ),
    ).toBeLessThan(1e-6);
  });

  test("leaves no tensor behind but its outputs", () => {
    const inputs = { image: tf.tensor(tinyImages(1), [1, SIZE, SIZE, 3]), target: tf.zeros([1, 3]) };
    const tensors = toTensors(constants);
    const before = tf.memory().numTensors;
    const result = explainFunction(model)({ inputs, constants: tensors, state: {} });
    expect(tf.memory().numTensors - before).toBe(Object.keys(result.outputs).length);
    tf.dispose([result.outputs, inputs, tensors]);
  });
});

test("the compiled graph gives the numbers of the eager run", async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  try {
    const inputs = { image: ndArray([1, SIZE, SIZE, 3], tinyImages(1)), target: ndArray([1, 3]) };
    const shapes = { image: inputs.image.shape, target: inputs.target.shape };
    const compiled = await engine.compile(explainFunction(model), { inputs: shapes, constants });
    const found = await compiled.run(inputs);
    expect(Object.keys(found).sort()).toEqual(Object.keys(outputs).sort());
    // The agreement of the design: 1e-3 for what depends on weights and masks.
    for (const [name, { data }] of Object.entries(outputs)) {
      expect(relativeError(found[name].data, data), name).toBeLessThan(1e-3);
    }
  } finally {
    await engine.dispose();
  }
});

describe("beside plain loops", () => {
  // The twin gets f and the gradients of the network alone; every formula of section 4 is its own.
  const classIndex = 1;

  test("every number of the design comes out the same", () => {
    const found = run(model, constants, { targets: [[0, 1, 0]] });
    const expected = tf.tidy(() => {
      const tensors = toTensors(constants);
      const image = tf.tensor(tinyImages(1), [1, SIZE, SIZE, 3]) as tf.Tensor4D;
      const at = model.trunk.run(tensors, { input: image }, [SOURCE])[SOURCE];
      const channels = at.shape[3];
      const row = constants[`reference/${SOURCE}`].data.slice(classIndex * channels, (classIndex + 1) * channels);
      const of = { features: at.dataSync(), reference: row, channels };
      const half = of.features.map((value, index) => (value + row[index % channels]) / 2);

      const logits = (features: tf.Tensor) =>
        model.classifier.forward(tensors, [
          model.trunk.run(tensors, { [SOURCE]: features as tf.Tensor4D }, ["conv_pw_13"]).conv_pw_13,
        ]);
      // d(z_1 - logsumexp(z_0, z_2)) / dz = 1 for the class, minus the softmax of the others.
      const gradientAt = (features: ArrayLike<number>) => {
        const tensor = tf.tensor(Float32Array.from(features), at.shape);
        const [a, , c] = logits(tensor).dataSync();
        const others = logSumExp([a, c]);
        return tf
          .grad(logits)(tensor, tf.tensor2d([[-Math.exp(a - others), 1, -Math.exp(c - others)]]))
          .dataSync();
      };
      const g = gradientAt(half);
      const w = twin.filterWeights(g, channels);
      const c = twin.answerEvidence(of, g);
      const net = twin.placeSums(
        twin.difference(of).map((value, index) => value * g[index]),
        channels,
      );
      const [head] = model.aspects;
      const answer = (features: ArrayLike<number>) =>
        head.forward(tensors, [tf.tensor(Float32Array.from(features), at.shape) as tf.Tensor4D]);
      const u = answer(of.features).dataSync();
      const map = c.map((value) => Math.max(0, value));
      const v = answer(twin.maskedByMap(of, map)).dataSync();
      const byFilterWeights = answer(twin.maskedByFilterWeights(of, w)).dataSync();
      const e = answer(of.features.map((_, index) => row[index % channels])).dataSync();
      const region = Float32Array.from(u, (value) => (1 / (1 + Math.exp(-value)) >= head.spec.threshold ? 1 : 0));
      const a = tf
        .grad((features: tf.Tensor) => head.forward(tensors, [features as tf.Tensor4D]))(
          tf.tensor(half, at.shape),
          tf.tensor(region, [1, SIZE, SIZE, 1]),
        )
        .dataSync();
      const p = twin.aspectEvidence(of, a);
      return {
        w,
        map: twin.placeSums(map, channels),
        net,
        u,
        v,
        byFilterWeights,
        e,
        c,
        p,
        channels,
      };
    });
    // 1e-4: float32 in the graph, float64 in the loops.
    expect(relativeError(found[`filterWeights/${SOURCE}`].data, expected.w)).toBeLessThan(1e-4);
    expect(Math.max(...expected.map)).toBeGreaterThan(0);
    expect(relativeError(found[`saliency/${SOURCE}`].data, expected.map)).toBeLessThan(1e-4);
    expect(relativeError(found["spot/unmasked"].data, expected.u)).toBeLessThan(1e-4);
    expect(relativeError(found["spot/masked"].data, expected.v)).toBeLessThan(1e-4);
    const design = run(model, constants, { targets: [[0, 1, 0]], masking: "filter-weights" });
    expect(relativeError(design["spot/masked"].data, expected.byFilterWeights)).toBeLessThan(1e-4);
    expect(relativeError(found["spot/reference"].data, expected.e)).toBeLessThan(1e-4);
    const sums = (x: readonly number[], y: readonly number[]) =>
      Array.from({ length: x.length / expected.channels }, (_, place) => {
        const from = place * expected.channels;
        return x.slice(from, from + expected.channels).reduce((sum, value, index) => sum + value * y[from + index], 0);
      });
    const part = (name: string, channel: number) =>
      Array.from(found[name].data).filter((_, index) => index % 2 === channel);
    const roots = expected.c.map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
    const [answer, overlap] = [`evidence/${SOURCE}`, `spot/overlap/${SOURCE}`];
    expect(relativeError(part(answer, 0), expected.net)).toBeLessThan(1e-4);
    expect(relativeError(part(answer, 1), sums(roots, roots))).toBeLessThan(1e-4);
    expect(relativeError(part(overlap, 0), sums(roots, expected.p))).toBeLessThan(1e-4);
    expect(relativeError(part(overlap, 1), sums(expected.p, expected.p))).toBeLessThan(1e-4);

    const { explanation } = readExplanation(found, {
      spec: model.spec,
      scale: { kind: "uncalibrated" },
      image: "x.png",
    });
    const [spot] = explanation.aspects;
    const alone = scoreAlone([{ evidence: found[`evidence/${SOURCE}`], overlap: found[`spot/overlap/${SOURCE}`] }]);
    const [score] = twin.scores(twin.rootEvidence(expected.c), [expected.p]);
    // The ridge of the fit is a thousandth.
    expect(1.001 * alone).toBeCloseTo(score, 5);
    expect(score).toBeGreaterThan(0.001);
    // It keeps that beside the others only if they add nothing.
    expect(spot.score).toBeGreaterThan(0);
    expect(spot.score).toBeLessThanOrEqual(alone);
    expect(spot.survival).toBeCloseTo(
      twin.survival(expected, { threshold: model.aspects[0].spec.threshold }) ?? Number.NaN,
      4,
    );
  });
});

describe("finite differences", () => {
  test("confirm the filter weights: half way, a channel shifted everywhere moves the target by height * width * w", () => {
    const step = 0.001;
    const errors = tf.tidy(() => {
      const tensors = toTensors(constants);
      const image = tf.tensor(tinyImages(1), [1, SIZE, SIZE, 3]) as tf.Tensor4D;
      const features = model.trunk.run(tensors, { input: image }, [SOURCE])[SOURCE];
      const reference = tf.slice(tensors[`reference/${SOURCE}`], 0, 1);
      const at = tf.mul<tf.Tensor4D>(tf.add(features, reference), 0.5);
      const target = (features: tf.Tensor4D) => {
        const { conv_pw_13 } = model.trunk.run(tensors, { [SOURCE]: features }, ["conv_pw_13"]);
        const z = model.classifier.forward(tensors, [conv_pw_13]).dataSync();
        return z[0] - logSumExp([z[1], z[2]]);
      };
      const weights = run(model, constants, { targets: [[1, 0, 0]] })[`filterWeights/${SOURCE}`].data;
      return [3, 40, 77, 101].map((channel) => {
        const shift = tf.mul(tf.oneHot(tf.tensor1d([channel], "int32"), 128), step); // [1, 128]
        const slope = (target(tf.add(at, shift)) - target(tf.sub(at, shift))) / (2 * step);
        return Math.abs(slope - 4 * weights[channel]) / (4 * Math.max(...weights.map(Math.abs)));
      });
    });
    // 1 %: float32 differences; relu6 may bend between the two points in a few elements.
    for (const error of errors) expect(error).toBeLessThan(0.01);
  });

  test("confirm every head's evidence gradient half way to the reference, in a random direction", () => {
    const step = 0.0005;
    tf.tidy(() => {
      // A presence head's maximum over places has a gradient of its own, which test/heads/presence.test.ts checks: here
      // only means.
      const kernel = "head/tag/output/kernel"; // [64, 1]: of 32 maxima, of 32 means
      const { shape, data } = constants[kernel];
      const ofMeans = Float32Array.from(data, (value, index) => (index < 32 ? 0 : value));
      const tensors = toTensors({ ...constants, [kernel]: ndArray(shape, ofMeans) });
      const inputs = { image: tf.tensor(tinyImages(1), [1, SIZE, SIZE, 3]), target: tf.zeros([1, 3]) };
      const steps = explanationSteps(model, { inputs, constants: tensors });
      const { features, reference, difference } = steps.taps[SOURCE];
      const half = Array.from(tf.mul(tf.add(features, reference), 0.5).dataSync());
      const stream = random(1, "direction");
      for (const head of model.aspects) {
        const u = steps.aspects[head.spec.name].unmasked.dataSync();
        const p = Array.from(steps.aspects[head.spec.name].evidence[0].dataSync());
        const d = difference.dataSync();
        // The gradient is p / d. The direction has its signs, so that nothing cancels and the error stays small beside
        // the slope;
        // where p is zero it keeps away.
        const direction = Float32Array.from(p, (value, index) => stream.uniform(0, 1) * Math.sign(value * d[index]));
        const expected = p.reduce(
          (sum, value, index) => sum + (value === 0 ? 0 : (value / d[index]) * direction[index]),
          0,
        );
        const isBoxes = head.spec.kind === "boxes";
        const isNumber = u.length === 1;
        const sumAt = (sign: number) => {
          const moved = half.map((value, index) => value + sign * step * direction[index]);
          const y = head.forward(tensors, [tf.tensor(moved, features.shape) as tf.Tensor4D]).dataSync();
          return Array.from(y).reduce((sum, value, index) => sum + (inRegion(index) ? value : 0), 0);
        };
        const side = 8;
        const heat = (y: number, x: number) =>
          y < 0 || x < 0 || y >= side || x >= side ? -Infinity : u[(y * side + x) * 5];
        const inRegion = (index: number) => {
          if (isNumber) return true;
          if (1 / (1 + Math.exp(-u[index])) < head.spec.threshold) return false;
          if (!isBoxes) return true;
          if (index % 5 !== 0) return false;
          const [y, x] = [Math.floor(index / 5 / side), (index / 5) % side];
          return [-1, 0, 1].every((dy) => [-1, 0, 1].every((dx) => heat(y + dy, x + dx) <= heat(y, x)));
        };
        const slope = (sumAt(1) - sumAt(-1)) / (2 * step);
        expect(Math.abs(expected), head.spec.name).toBeGreaterThan(0);
        // 3 %: float32 differences, and relus that bend between the two points.
        expect(Math.abs(slope - expected) / Math.abs(expected), head.spec.name).toBeLessThan(0.03);
      }
    });
  });
});

describe("the score", () => {
  const read = (from: NdArrays, name: string) =>
    scoreAlone([{ evidence: from[`evidence/${SOURCE}`], overlap: from[`${name}/overlap/${SOURCE}`] }]);

  test("does not change when a head answers louder", () => {
    const louder = Object.fromEntries(
      Object.entries(constants).map(([name, array]) => [
        name,
        name.startsWith("head/tag/output")
          ? ndArray(
              array.shape,
              Float32Array.from(array.data, (value) => 8 * value),
            )
          : array,
      ]),
    );
    const targets = [[1, 0, 0]];
    const [loud, soft] = [louder, constants].map((given) => run(model, given, { targets }));
    // The head is indeed 8 times louder, but for rounding.
    expect(loud["tag/unmasked"].data[0]).toBeCloseTo(8 * soft["tag/unmasked"].data[0], 3);
    expect(read(loud, "tag")).toBeCloseTo(read(soft, "tag"), 5);
    expect(read(soft, "tag")).toBeGreaterThan(0);
  });

  test("of a head of two taps is read over the elements of both, each masked", () => {
    const taps = ["conv_pw_5", SOURCE];
    const twoTaps = tinyModel({ aspects: [{ kind: "presence", name: "tag", taps, threshold: 0.5 }] });
    const given = explainConstants({
      parameters: tinyParameters(twoTaps),
      references: tinyReferences(twoTaps, { taps }),
    });
    const found = run(twoTaps, given, { targets: [[1, 0, 0]] });
    expect(found["tag/overlap/conv_pw_5"].shape).toEqual([1, 4, 4, 2]);
    expect(found["tag/overlap/conv_pw_11"].shape).toEqual([1, 2, 2, 2]);
    const overlaps = taps.map((tap) => ({ evidence: found[`evidence/${tap}`], overlap: found[`tag/overlap/${tap}`] }));
    const sum = (from: (place: number, tap: number) => number) =>
      overlaps.reduce(
        (all, { evidence }, tap) =>
          all +
          Array.from({ length: evidence.data.length / 2 }, (_, place) => from(place, tap)).reduce((a, b) => a + b),
        0,
      );
    const shared = sum((place, tap) => overlaps[tap].overlap.data[2 * place]);
    const roots = sum((place, tap) => overlaps[tap].evidence.data[2 * place + 1]);
    const aspect = sum((place, tap) => overlaps[tap].overlap.data[2 * place + 1]);
    expect(shared).toBeGreaterThan(0);
    expect(1.001 * scoreAlone(overlaps)).toBeCloseTo(shared ** 2 / (roots * aspect), 6);
  });
});

describe("tasks", () => {
  for (const task of ["multi", "regression"] as const) {
    test(`a ${task} model explains ${task === "multi" ? "its highest label" : "its value"}`, () => {
      const classes = task === "multi" ? ["a", "b", "c"] : [];
      const of = tinyModel({ aspects: [], classifier: { task, classes } });
      const given = explainConstants({ parameters: tinyParameters(of), references: tinyReferences(of) });
      const zeros = [task === "multi" ? [0, 0, 0] : [0]];
      const found = run(of, given, { targets: zeros });
      const best = found.logits.data.indexOf(Math.max(...found.logits.data));
      const named = run(of, given, { targets: [zeros[0].map((_, index) => (index === best ? 1 : 0))] });
      expect([...found[`filterWeights/${SOURCE}`].data]).toEqual([...named[`filterWeights/${SOURCE}`].data]);
      const scores = task === "multi" ? found.logits.data.map((z) => 1 / (1 + Math.exp(-z))) : found.logits.data;
      expect(relativeError(found.scores.data, scores)).toBeLessThan(1e-6);
      const { explanation } = readExplanation(found, {
        spec: of.spec,
        scale: { kind: "uncalibrated" },
        image: "x.png",
      });
      expect(explanation.target).toEqual(
        task === "multi" ? { kind: "logit", class: classes[best] } : { kind: "value" },
      );
    });
  }
});

describe("taps", () => {
  test("are those of the aspect heads and the source, in order of the trunk", () => {
    const early = { kind: "presence", name: "tag", taps: ["conv_pw_5"], threshold: 0.5 } as const;
    expect(explainedTaps(tinyModel({ aspects: [early] }))).toEqual(["conv_pw_5", SOURCE]);
  });

  test("after all that the classifier reads are an error at once", () => {
    const late = { kind: "presence", name: "tag", taps: ["conv_pw_13"], threshold: 0.5 } as const;
    const of = tinyModel({ aspects: [late], classifier: { taps: ["conv_pw_12"] } });
    expect(() => explainFunction(of)).toThrow(ConfigError);
    expect(() => explainFunction(of)).toThrow(
      /head "tag".*"conv_pw_13".*after "conv_pw_12".*Choose "conv_pw_12" or an earlier layer, such as "conv_pw_11"\.$/,
    );
    // The trunk's own source is no advice where it comes later as well.
    expect(() => explainFunction(tinyModel({ classifier: { taps: ["conv_pw_5"] } }))).toThrow(
      /"conv_pw_11".*Choose "conv_pw_5" or an earlier layer\.$/,
    );
  });

  test("after a linear layer are allowed with a warning that names the head", () => {
    const of = createModel({
      trunk: { name: "mobilenet-v2", alpha: 0.35, inputSize: 32 },
      source: "block_13_expand",
      heads: [
        { kind: "classifier", name: "class", taps: ["Conv_1"], task: "single", classes: ["a", "b"] },
        { kind: "presence", name: "tag", taps: ["block_12_project"], threshold: 0.5 },
      ],
    });
    expect(checkTaps(of)).toEqual([expect.stringMatching(/head "tag".*block_12_project.*block_13_expand/)]);
    expect(checkTaps(model)).toEqual([]);
  });
});
