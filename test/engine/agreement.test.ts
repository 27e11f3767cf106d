/** Both engines give the same for the product's own functions, within the tolerance of the contract. */

import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type NdArray, type NdArrays, ndArray, sizeOf } from "../../src/core/nd-array.js";
import { initialize } from "../../src/core/parameters.js";
import type { Engine, TensorFunction } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { explainedTaps } from "../../src/explain/graph/explained-taps.js";
import { createModel } from "../../src/model/model.js";
import { firstMoment, labelInputShapes, modelInputShapes, secondMoment, trainingStep } from "../../src/train/step.js";
import { layerOfParameter } from "../../src/trunk/layer-parameters.js";
import { createEagerEngine } from "../helpers/eager-engine.js";
import { gradients, normal } from "./contract.js";

let engines: readonly Engine[];
beforeAll(async () => {
  engines = [await createOnnxEngine({ threads: 1 }), await createEagerEngine()];
});
afterAll(() => Promise.all(engines.map((engine) => engine.dispose())));

// The later layers are left out: at 32 px they have one place, and batch norm over three values magnifies rounding.
const model = createModel({
  trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: 32 },
  source: "conv_pw_5",
  heads: [
    { name: "class", kind: "classifier", task: "single", taps: ["conv_pw_6"], classes: ["a", "b", "c"] },
    { name: "nucleus", kind: "segmentation", taps: ["conv_pw_5"], threshold: 0.5 },
    { name: "nodule", kind: "boxes", taps: ["conv_pw_5"], threshold: 0.3 },
  ],
});

const pixels = (shape: readonly number[]) => {
  const { data } = normal(shape, "image");
  return { shape, data: data.map((value) => Math.min(Math.max(127 + 60 * value, 0), 255)) };
};

function relativeError(got: NdArray, wanted: NdArray): number {
  let [error, norm] = [0, 0];
  for (let i = 0; i < wanted.data.length; i++) {
    error += (got.data[i] - wanted.data[i]) ** 2;
    norm += wanted.data[i] ** 2;
  }
  return Math.sqrt(error / Math.max(norm, 1e-12));
}

/** Runs the same calls on both engines: outputs of each call, and the state at the end. */
async function both(
  fn: TensorFunction,
  {
    inputs,
    constants,
    state: start = {},
    calls = 1,
  }: { inputs: NdArrays; constants?: NdArrays; state?: NdArrays; calls?: number },
) {
  const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
  const results = [];
  for (const engine of engines) {
    const state = await engine.createState(start);
    const compiled = await engine.compile(fn, { inputs: shapes, constants, state, name: "both" });
    const outputs: NdArrays[] = [];
    for (let call = 0; call < calls; call++) outputs.push(await compiled.run(inputs));
    results.push({ outputs, state: await state.read() });
    await compiled.dispose();
    await state.dispose();
  }
  const [onnx, tfjs] = results;
  return { onnx, tfjs };
}

test("five steps of a smooth net with SGD give the same parameters", async () => {
  const start = {
    kernel: normal([3, 3, 3, 8], "kernel"),
    depthwise: normal([3, 3, 8, 1], "depthwise"),
    gamma: ndArray([8], new Float32Array(8).fill(1)),
    dense: normal([8, 3], "dense"),
    mean: ndArray([8]),
  };
  const step: TensorFunction = ({ inputs, state }) => {
    const { mean: moving, ...learning } = state;
    let batchMean = moving;
    const result = gradients((given) => {
      const first = tf.conv2d(inputs.x as tf.Tensor4D, given.kernel as tf.Tensor4D, 2, "same");
      const { mean, variance } = tf.moments(first, [0, 1, 2]);
      batchMean = tf.keep(mean);
      const normalised = tf.sigmoid(
        first
          .sub(mean)
          .mul(tf.rsqrt(variance.add(1e-3)))
          .mul(given.gamma),
      );
      const second = tf.tanh(tf.depthwiseConv2d(normalised as tf.Tensor4D, given.depthwise as tf.Tensor4D, 1, "same"));
      const logits = tf.matMul(second.mean([1, 2]) as tf.Tensor2D, given.dense as tf.Tensor2D);
      return tf.losses.softmaxCrossEntropy(inputs.y, logits) as tf.Scalar;
    }, learning);
    const updated = Object.entries(learning).map(([name, value]) => [name, value.sub(result.gradients[name].mul(0.1))]);
    const mean = moving.mul(0.9).add(batchMean.mul(0.1));
    return { outputs: { loss: result.loss }, state: { ...Object.fromEntries(updated), mean } };
  };
  const y = ndArray([4, 3], Float32Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0));
  const { onnx, tfjs } = await both(step, { inputs: { x: normal([4, 8, 8, 3], "x"), y }, state: start, calls: 5 });
  for (const name of Object.keys(start)) {
    const wanted = Array.from(tfjs.state[name].data);
    const largest = Math.max(1, ...wanted.map(Math.abs));
    const worst = Math.max(...wanted.map((value, i) => Math.abs(value - onnx.state[name].data[i])));
    expect(worst, name).toBeLessThanOrEqual(1e-4 * largest);
  }
  expect(tfjs.outputs[4].loss.data[0]).toBeLessThan(tfjs.outputs[0].loss.data[0]);
});

test.for(["frozen", "batch"] as const)(
  "joint training steps with Adam, %s batch norm, give the same losses",
  async (batchNorm) => {
    const { trunk, headParameters } = model;
    const unread = new Set(trunk.layersFrom("conv_dw_7"));
    const ofTrunk = batchNorm === "frozen" ? trunk.foldedParameters : trunk.parameters;
    const specs = [...ofTrunk.filter(({ name }) => !unread.has(layerOfParameter(name))), ...headParameters];
    const parameters = initialize(specs, { seed: 3 });
    const trainable = specs.filter((spec) => spec.isTrainable).map((spec) => spec.name);
    const moments = trainable.flatMap((name) =>
      [firstMoment(name), secondMoment(name)].map((moment) => [moment, ndArray(parameters[name].shape)]),
    );
    const [input, batchSize] = [{ kind: "image" } as const, 3];
    const shapes = { ...modelInputShapes(model, input, batchSize), ...labelInputShapes(model, batchSize) };
    const labels = model.heads.flatMap((head) => {
      const encoded = head.encode(
        Array.from({ length: batchSize }, (_, row) => {
          if (head.spec.name === "class") return row === 2 ? undefined : { label: ["a", "b", "c"][row] };
          if (head.spec.name === "nodule") return { boxes: [[0.1 * row, 0.2, 0.5, 0.7]] };
          // Whole pixels, and shares of them along an edge.
          const share = (column: number) => Math.min(1, Math.max(0, (column - 10 - 5 * row) / 3));
          return { mask: new Float32Array(32 * 32).map((_, i) => share(i % 32)) };
        }),
      );
      return Object.entries(encoded).map(([what, data]) => {
        const name = `label/${head.spec.name}/${what}`;
        return [name, { shape: shapes[name], data }];
      });
    });
    const rate = ndArray([], Float32Array.of(1e-3));
    const inputs = {
      image: pixels(shapes.image),
      ...Object.fromEntries(labels),
      "rate/trunk": rate,
      "rate/heads": rate,
    };
    const step = trainingStep(model, { input, batchSize, trainable, batchNorm, weights: {} });
    const state = { ...parameters, ...Object.fromEntries(moments) };
    const { onnx, tfjs } = await both(step, { inputs, state, calls: 2 });
    for (const [call, losses] of tfjs.outputs.entries()) {
      for (const [name, { data }] of Object.entries(losses)) {
        // The first step compares one forward pass. Adam divides by the gradient's own size, so that where a gradient is
        // close to zero, rounding decides which way a parameter moves.
        const tolerance = call === 0 ? 1e-4 : 1e-2;
        const got = onnx.outputs[call][name].data[0];
        expect(Math.abs(got - data[0]), `${name}, step ${call}`).toBeLessThanOrEqual(tolerance * Math.max(1, data[0]));
      }
    }
    expect(tfjs.outputs[1].loss.data[0]).toBeLessThan(tfjs.outputs[0].loss.data[0]);
  },
);

test("an explanation gives the same numbers", async () => {
  const taps = explainedTaps(model);
  const references = taps.map((tap) => {
    const channels = model.trunk.taps.find(({ name }) => name === tap)?.channels ?? 0;
    const { shape, data } = normal([4, channels], tap);
    return [`reference/${tap}`, { shape, data: data.map((value) => Math.abs(value) / 4) }];
  });
  const parameters = initialize([...model.trunk.foldedParameters, ...model.headParameters], { seed: 5 });
  const { onnx, tfjs } = await both(explainFunction(model), {
    inputs: { image: pixels([1, 32, 32, 3]), target: ndArray([1, 3]) },
    constants: { ...parameters, ...Object.fromEntries(references) },
  });
  expect(Object.keys(onnx.outputs[0]).sort()).toEqual(Object.keys(tfjs.outputs[0]).sort());
  for (const [name, wanted] of Object.entries(tfjs.outputs[0])) {
    expect(onnx.outputs[0][name].shape).toEqual(wanted.shape);
    expect(sizeOf(wanted.shape)).toBeGreaterThan(0);
    expect(relativeError(onnx.outputs[0][name], wanted), name).toBeLessThanOrEqual(1e-3);
  }
});
