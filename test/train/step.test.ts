import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type NdArray, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import { random } from "../../src/core/random.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { createModel } from "../../src/model/model.js";
import { averagedNames, averagedParametersOf, stageArrays } from "../../src/train/stage-arrays.js";
import { firstMoment, gradientSum, movingAverage } from "../../src/train/state-names.js";
import { evaluationStep, type StepOptions, stepInputShapes, trainingStep } from "../../src/train/step.js";
import { layerOfParameter } from "../../src/trunk/layer-parameters.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createOnnxEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const TAP = "conv_pw_5";
const model = createModel({
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 32 },
  source: TAP,
  heads: [
    { name: "class", kind: "classifier", task: "single", taps: ["conv_pw_6"], classes: ["a", "b", "c"] },
    { name: "vessel", kind: "presence", taps: [TAP], threshold: 0.5 },
  ],
});
const layers = new Set(["conv_dw_6", "conv_pw_6"]);
const specs = [
  ...model.trunk.foldedParameters.filter((spec) => layers.has(layerOfParameter(spec.name))),
  ...model.headParameters,
];
const parameters = initialize(specs, { seed: 5 });
const trainable = specs.map((spec) => spec.name);
const common: StepOptions = {
  input: { kind: "features", taps: [TAP] },
  batchSize: 4,
  trainable,
  batchNorm: "frozen",
  weights: { vessel: 0.5 },
};
const number = (value: number) => ndArray([], Float32Array.of(value));

/** Features, labels and presences of images `from` up to `to`, all labelled. */
function images(from: number, to: number): NdArrays {
  const batchSize = to - from;
  const shapes = stepInputShapes(model, { ...common, batchSize });
  const features = ndArray(shapes[`tap/${TAP}`]);
  const size = features.data.length / batchSize;
  const inputs: Record<string, NdArray> = { [`tap/${TAP}`]: features };
  const labels = Array.from({ length: batchSize }, (_, row) => {
    const stream = random(1, "image", from + row);
    for (let i = 0; i < size; i++) features.data[row * size + i] = Math.max(0, stream.normal());
    return { label: ["a", "b", "c"][stream.integer(3)], present: stream.next() < 0.5 };
  });
  for (const head of model.heads) {
    for (const [what, data] of Object.entries(head.encode(labels))) {
      const name = `label/${head.spec.name}/${what}`;
      inputs[name] = { shape: shapes[name], data };
    }
  }
  return inputs;
}

async function open(options: { isAccumulated?: boolean; isAveraged?: boolean } = {}) {
  const { isAccumulated = false, isAveraged = false } = options;
  const { constants, state } = stageArrays(parameters, { trainable, batchNorm: "frozen", isAccumulated, isAveraged });
  const store = await engine.createState(state);
  const compile = (step: Partial<StepOptions>) => {
    const all = { ...common, ...step };
    return engine.compile(trainingStep(model, all), { inputs: stepInputShapes(model, all), constants, state: store });
  };
  return { store, compile, constants };
}

/** Largest difference, as a share of the largest number. */
function apart(a: { data: ArrayLike<number> }, b: { data: ArrayLike<number> }): number {
  let [worst, largest] = [0, 0];
  for (let i = 0; i < b.data.length; i++) {
    worst = Math.max(worst, Math.abs(a.data[i] - b.data[i]));
    largest = Math.max(largest, Math.abs(b.data[i]));
  }
  return worst / Math.max(largest, 1e-30);
}

describe("a group of batches", () => {
  test("of two batches of 4 moves the parameters as one batch of 8 does", async () => {
    const rate = number(1e-3);
    const rates = { "rate/trunk": rate, "rate/heads": rate };
    const whole = await open();
    const step = await whole.compile({ batchSize: 8 });
    const halves = await open({ isAccumulated: true });
    const [more, last] = [
      await halves.compile({ accumulation: "more" }),
      await halves.compile({ accumulation: "last" }),
    ];
    for (let at = 0; at < 3; at++) {
      const one = await step.run({ ...images(8 * at, 8 * at + 8), ...rates });
      const share = { "gradient/share": number(1 / 2) };
      const first = await more.run({ ...images(8 * at, 8 * at + 4), ...rates, ...share });
      if (at === 0) {
        const middle = await halves.store.read();
        expect(middle[gradientSum("head/class/bias")].data.some((value) => value !== 0)).toBe(true);
        for (const name of trainable) expect(middle[name], name).toEqual(parameters[name]);
      }
      const second = await last.run({ ...images(8 * at + 4, 8 * at + 8), ...rates, ...share });
      for (const name of ["loss", "loss/class", "loss/vessel"]) {
        expect((first[name].data[0] + second[name].data[0]) / 2).toBeCloseTo(one[name].data[0], 4);
      }
    }
    const [wanted, got] = [await whole.store.read(), await halves.store.read()];
    for (const name of trainable) {
      // Moments are linear in the gradients: float32 rounding of sums in another order. Adam divides by the gradient's
      // size, which magnifies that where a gradient is near zero: compared with the way that the parameter has come.
      expect(apart(got[firstMoment(name)], wanted[firstMoment(name)]), name).toBeLessThan(1e-3);
      const way = (arrays: NdArrays) => ({ data: arrays[name].data.map((v, i) => v - parameters[name].data[i]) });
      expect(apart(way(got), way(wanted)), name).toBeLessThan(0.02);
      expect(apart(wanted[name], parameters[name]), name).toBeGreaterThan(0);
      expect(got[gradientSum(name)].data.every((value) => value === 0)).toBe(true);
    }
    for (const each of [step, more, last, whole.store, halves.store]) await each.dispose();
  });
});

describe("averages", () => {
  test("are kept of the statistics of batch normalisation too, which belong to the averaged weights", async () => {
    const unread = new Set(model.trunk.layersFrom("conv_dw_7"));
    const read = model.trunk.parameters.filter((spec) => !unread.has(layerOfParameter(spec.name)));
    const trunk = initialize(read, { seed: 6 });
    const all = { ...initialize(model.headParameters, { seed: 5 }), ...trunk };
    const learning = Object.keys(all).filter((name) => !name.includes("/moving_"));
    const options: StepOptions = {
      ...{ input: { kind: "image" }, batchSize: 2, trainable: learning, batchNorm: "batch", weights: {} },
      isAveraged: true,
    };
    const { constants, state } = stageArrays(all, {
      ...options,
      batchNorm: "batch",
      isAccumulated: false,
      isAveraged: true,
    });
    const store = await engine.createState(state);
    const shapes = stepInputShapes(model, options);
    const compiled = await engine.compile(trainingStep(model, options), { inputs: shapes, constants, state: store });
    const pixels = random(2, "pixels");
    const zeros = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, ndArray(shape)]));
    const statistic = "trunk/conv_pw_5/moving_variance";
    const wanted = Float64Array.from(all[statistic].data);
    for (const decay of [0.2, 0.6]) {
      const image = ndArray(shapes.image);
      for (let i = 0; i < image.data.length; i++) image.data[i] = pixels.uniform(0, 255);
      const rate = number(1e-3);
      await compiled.run({ ...zeros, image, "rate/trunk": rate, "rate/heads": rate, "average/decay": number(decay) });
      const now = (await store.read())[statistic].data;
      for (const [i, value] of wanted.entries()) wanted[i] = decay * value + (1 - decay) * now[i];
    }
    const arrays = await store.read();
    expect(apart(arrays[movingAverage(statistic)], { data: wanted })).toBeLessThan(1e-6);
    expect(apart(arrays[statistic], { data: wanted })).toBeGreaterThan(1e-4);
    expect(averagedParametersOf(arrays)[statistic]).toBe(arrays[movingAverage(statistic)]);
    expect(averagedNames(all, { trainable: learning, batchNorm: "batch" }).toSorted()).toEqual(
      Object.keys(all).toSorted(),
    );
    for (const each of [compiled, store]) await each.dispose();
  });

  test("answer in evaluation, while training goes on from the raw parameters", async () => {
    const { store, compile, constants } = await open({ isAveraged: true });
    const step = await compile({ isAveraged: true });
    const plain = await open();
    const other = await plain.compile({});
    const rate = number(1e-2);
    const wanted = Object.fromEntries(trainable.map((name) => [name, Float64Array.from(parameters[name].data)]));
    for (const decay of [0.1, 0.5, 0.75]) {
      const inputs = { ...images(0, 4), "rate/trunk": rate, "rate/heads": rate };
      await step.run({ ...inputs, "average/decay": number(decay) });
      await other.run(inputs);
      const now = await store.read();
      for (const name of trainable) {
        wanted[name] = wanted[name].map((value, i) => decay * value + (1 - decay) * now[name].data[i]);
      }
    }
    const [arrays, raw] = [await store.read(), await plain.store.read()];
    for (const name of trainable) {
      expect(arrays[name], name).toEqual(raw[name]);
      expect(apart(arrays[movingAverage(name)], { data: wanted[name] }), name).toBeLessThan(1e-5);
    }
    const { input } = common;
    const features = { [`tap/${TAP}`]: images(0, 4)[`tap/${TAP}`] };
    const inputs = { [`tap/${TAP}`]: features[`tap/${TAP}`].shape };
    const outputs = [];
    for (const averaged of [trainable, []]) {
      const fn = evaluationStep(model, { input, averaged });
      const evaluate = await engine.compile(fn, { inputs, constants, state: store });
      outputs.push((await evaluate.run(features)).class);
      await evaluate.dispose();
    }
    const byHand = await engine.compile(evaluationStep(model, { input }), {
      inputs,
      constants: Object.fromEntries(trainable.map((name) => [name, arrays[movingAverage(name)]])),
    });
    expect(apart(outputs[0], (await byHand.run(features)).class)).toBeLessThan(1e-5);
    expect(apart(outputs[1], outputs[0])).toBeGreaterThan(1e-3);
    for (const each of [step, other, byHand, store, plain.store]) await each.dispose();
  });
});

describe("dropout", () => {
  test("changes the classifier's loss with the seed, and no other head's", async () => {
    const { store, compile } = await open();
    const step = await compile({ dropout: 0.5 });
    const still = { ...images(0, 4), "rate/trunk": number(0), "rate/heads": number(0) };
    const runs = [];
    for (const seed of [1, 2, 1]) runs.push(await step.run({ ...still, seed: number(seed) }));
    expect(runs[0]).toEqual(runs[2]);
    expect(runs[0]["loss/class"]).not.toEqual(runs[1]["loss/class"]);
    expect(runs[0]["loss/vessel"]).toEqual(runs[1]["loss/vessel"]);
    await step.dispose();
    await store.dispose();
  });
});
