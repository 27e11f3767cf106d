import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { WeightsError } from "../../src/core/errors.js";
import { ndArray } from "../../src/core/nd-array.js";
import { normaliseByBatch } from "../../src/trunk/batch-norm.js";
import { foldBatchNorm } from "../../src/trunk/fold-batch-norm.js";
import { layerOfParameter } from "../../src/trunk/layer-parameters.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import { loopTrunk, moments, toNumbers } from "../reference/trunk.js";
import { NARROW, NARROW_SIZE, noiseImage, toTensor, toTensors, unevenWeights, worstDifference } from "./narrow.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const vector = (...values: number[]) => tf.tensor1d(values);

test("normalises by mean and mean squared difference of the batch, and blends them into the moving ones", () => {
  // Channel 1 holds 1, 3: mean 2, variance 1. gamma 2, beta 5 give 5 -+ 2 / sqrt(1.001).
  const x = tf.tensor4d([1, 3], [2, 1, 1, 1]);
  const statistics = { gamma: vector(2), beta: vector(5), movingMean: vector(10), movingVariance: vector(4) };
  const { output, movingMean, movingVariance } = normaliseByBatch(x, statistics, { momentum: 0.75 });
  const step = 2 / Math.sqrt(1.001);
  expect(worstDifference(output.dataSync(), [5 - step, 5 + step])).toBeLessThan(1e-6);
  expect(movingMean.dataSync()[0]).toBeCloseTo(0.75 * 10 + 0.25 * 2, 5);
  expect(movingVariance.dataSync()[0]).toBeCloseTo(0.75 * 4 + 0.25 * 1, 5);
});

test("stays right, with its gradient, where the mean is a thousand deviations from zero", () => {
  const image = noiseImage(8, { batch: 2 });
  const data = image.data.map((value) => 300 + value / 255);
  const x = toTensor({ ...image, data });
  const float32 = Float64Array.from(x.dataSync());
  const { mean, variance } = moments({ ...image, data: float32 });
  const upstream = noiseImage(8, { batch: 2, seed: 2 }).data.map((value) => value / 127.5 - 1);
  const gamma = [0.5, 1, 2];
  const count = float32.length / 3;
  const normal = float32.map((value, i) => (value - mean[i % 3]) / Math.sqrt(variance[i % 3] + 1e-3));
  const [betaGradient, gammaGradient] = [new Float64Array(3), new Float64Array(3)];
  upstream.forEach((dy, i) => {
    betaGradient[i % 3] += dy;
    gammaGradient[i % 3] += dy * normal[i];
  });
  const expected = upstream.map((dy, i) => {
    const c = i % 3;
    const free = dy - betaGradient[c] / count - (normal[i] * gammaGradient[c]) / count;
    return (free * gamma[c]) / Math.sqrt(variance[c] + 1e-3);
  });
  const statistics = { movingMean: vector(0, 0, 0), movingVariance: vector(1, 1, 1) };
  const run = (features: tf.Tensor, gammaIn: tf.Tensor, beta: tf.Tensor) =>
    normaliseByBatch(features as tf.Tensor4D, { ...statistics, gamma: gammaIn, beta }, { momentum: 0.9 }).output;
  const gradients = tf.grads(run)([x, vector(...gamma), vector(0, 0, 0)], toTensor({ ...image, data: upstream }));
  // 300 in float32 has steps of 3e-5, a ten-thousandth of the deviation of 0.29; the sums average most of it out.
  expect(worstDifference(gradients[0].dataSync(), expected)).toBeLessThan(1e-4);
  expect(worstDifference(gradients[1].dataSync(), gammaGradient)).toBeLessThan(1e-4);
  expect(worstDifference(gradients[2].dataSync(), betaGradient)).toBeLessThan(1e-5);
});

test("batch mode runs the whole trunk on batch statistics and reports new ones for each layer it ran", () => {
  const { trunk, architecture, middle } = NARROW[1];
  const weights = unevenWeights(trunk, { seed: 4 });
  const image = noiseImage(NARROW_SIZE, { batch: 3 });
  const updates = new Map<string, Float32Array>();
  const update = (name: string, value: tf.Tensor) => {
    updates.set(name, value.dataSync<"float32">().slice());
    value.dispose();
  };
  const batchNorm = { mode: "batch", momentum: 0.9, update } as const;
  const run = trunk.run(toTensors(weights), { input: toTensor(image) }, [middle], { batchNorm });
  const expected = loopTrunk(architecture, toNumbers(weights), image, { mode: "batch" });
  expect(worstDifference(run[middle].dataSync(), expected.get(middle)?.data ?? [])).toBeLessThan(1e-4);
  const ran = trunk.parameters.filter(
    (spec) => !spec.isTrainable && !trunk.layersFrom(middle).includes(layerOfParameter(spec.name)),
  );
  expect([...updates.keys()].sort()).toEqual(ran.map((spec) => spec.name).sort());
  // The first layer's statistics come from its convolution alone, which neutral batch norm and no activation lay bare.
  const [first] = architecture.layers;
  const bare = loopTrunk(
    { ...architecture, layers: [{ ...first, activation: "none" }] },
    { "trunk/Conv1/kernel": toNumbers(weights)["trunk/Conv1/kernel"], "trunk/Conv1/bias": new Float64Array(8) },
    image,
  ).get("Conv1");
  if (!bare) throw new Error("Conv1");
  const blended = moments(bare).variance.map((v, i) => 0.9 * weights["trunk/Conv1/moving_variance"].data[i] + 0.1 * v);
  expect(worstDifference(updates.get("trunk/Conv1/moving_variance") ?? [], blended)).toBeLessThan(1e-5);
});

test("a folded layer keeps its bias in batch mode and reports nothing", () => {
  const { trunk } = NARROW[0];
  const frozen = ["conv1", "conv_dw_1", "conv_pw_1"];
  const weights = foldBatchNorm(trunk, unevenWeights(trunk, { seed: 4 }), { layers: frozen });
  const names: string[] = [];
  const update = (name: string, value: tf.Tensor) => {
    names.push(name);
    value.dispose();
  };
  const values = { input: toTensor(noiseImage(NARROW_SIZE, { batch: 2 })) };
  trunk.run(toTensors(weights), values, ["conv_pw_2"], { batchNorm: { mode: "batch", momentum: 0.9, update } });
  expect(names.map((name) => layerOfParameter(name))).toEqual(["conv_dw_2", "conv_dw_2", "conv_pw_2", "conv_pw_2"]);
});

test("folds kernel * gamma / deviation and beta - mean * gamma / deviation, and passes the rest through", () => {
  // Deviation sqrt(3.999 + 0.001) = 2, so the scale is 6 / 2 = 3: kernel 5 -> 15, bias 1 - 0.5 * 3 = -0.5.
  const of = (value: number) => ndArray([1], Float32Array.of(value));
  const parameters = {
    "trunk/conv1/kernel": ndArray([1, 1, 1, 1], Float32Array.of(5)),
    "trunk/conv1/gamma": of(6),
    "trunk/conv1/beta": of(1),
    "trunk/conv1/moving_mean": of(0.5),
    "trunk/conv1/moving_variance": of(3.999),
    "head/class/kernel": of(7),
  };
  const folded = foldBatchNorm({ layersFrom: () => ["conv1"] }, parameters);
  expect(Object.keys(folded)).toEqual(["trunk/conv1/kernel", "head/class/kernel", "trunk/conv1/bias"]);
  expect(folded["trunk/conv1/kernel"].data[0]).toBeCloseTo(15, 5);
  expect(folded["trunk/conv1/bias"].data[0]).toBeCloseTo(-0.5, 5);
  expect(folded["head/class/kernel"]).toBe(parameters["head/class/kernel"]);
  expect(foldBatchNorm({ layersFrom: () => ["conv1"] }, folded)).toEqual(folded);
});

test("refuses to fold a layer that lacks some of its batch norm", () => {
  const { trunk } = NARROW[0];
  const { "trunk/conv_dw_3/beta": _, ...weights } = randomWeights(trunk, { seed: 1 });
  expect(() => foldBatchNorm(trunk, weights)).toThrow(WeightsError);
  expect(() => foldBatchNorm(trunk, weights)).toThrow("trunk/conv_dw_3/beta is absent");
});

test("random weights repeat with their seed, differ between seeds, and follow He's deviation", () => {
  const { trunk } = NARROW[0];
  const first = randomWeights(trunk, { seed: 1 });
  expect(randomWeights(trunk, { seed: 1 })).toEqual(first);
  expect(randomWeights(trunk, { seed: 2 })["trunk/conv1/kernel"]).not.toEqual(first["trunk/conv1/kernel"]);
  const { data, shape } = first["trunk/conv_pw_13/kernel"]; // [1, 1, 102, 102]
  const deviation = Math.sqrt(Float64Array.from(data).reduce((sum, v) => sum + v * v, 0) / data.length);
  // The deviation of 10,404 draws is known to 1 / sqrt(2 * 10,404) = 0.7 %; four times that.
  expect(Math.abs(deviation / Math.sqrt(2 / shape[2]) - 1)).toBeLessThan(0.028);
  expect(Object.keys(randomWeights(trunk, { seed: 1, isFolded: true }))).toEqual(
    trunk.foldedParameters.map((spec) => spec.name),
  );
});
