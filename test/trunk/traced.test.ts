import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import type { NdArrays } from "../../src/core/nd-array.js";
import { InferenceSession, Tensor } from "../../src/engine/onnx-runtime.js";
import { trace } from "../../src/engine/trace/trace.js";
import { layerOfParameter } from "../../src/trunk/layer-parameters.js";
import type { BatchNorm } from "../../src/trunk/trunk.js";
import { NARROW, NARROW_SIZE, noiseImage, toTensor, toTensors, unevenWeights, worstDifference } from "./narrow.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

const CASES = NARROW.flatMap((narrow) => [
  { ...narrow, mode: "moving" as const },
  ...(narrow.architecture.hasBatchNorm ? [{ ...narrow, mode: "batch" as const }] : []),
]);

describe("recorded as ONNX, features, gradients and statistics are those of eager TensorFlow.js", () => {
  test.each(CASES)("$name, $mode", async ({ trunk, middle, mode }) => {
    const weights = unevenWeights(trunk, { seed: 3 });
    const image = noiseImage(NARROW_SIZE, { batch: 2 });
    const behind = trunk.layersFrom(middle).slice(1);
    const learning = trunk.parameters
      .filter((spec) => spec.isTrainable && !behind.includes(layerOfParameter(spec.name)))
      .map((spec) => spec.name);

    const step = (given: Readonly<Record<string, tf.Tensor>>): Record<string, tf.Tensor> => {
      const outputs: Record<string, tf.Tensor> = {};
      const update = (name: string, value: tf.Tensor) => {
        outputs[`new ${name}`] = tf.keep(value);
      };
      const batchNorm: BatchNorm = mode === "batch" ? { mode, momentum: 0.9, update } : { mode };
      const gradients = tf.grads((...values: tf.Tensor[]) => {
        const parameters = { ...given, ...Object.fromEntries(learning.map((name, i) => [name, values[i]])) };
        const features = trunk.run(parameters, { input: given.input as tf.Tensor4D }, [middle], { batchNorm })[middle];
        outputs.features = tf.keep(features);
        return tf.mean(tf.square(features));
      })(learning.map((name) => given[name]));
      learning.forEach((name, i) => {
        outputs[`gradient of ${name}`] = gradients[i];
      });
      return outputs;
    };

    const inputs: NdArrays = {
      ...weights,
      input: { shape: [2, NARROW_SIZE, NARROW_SIZE, 3], data: Float32Array.from(image.data) },
    };
    const shapes = Object.fromEntries(Object.entries(inputs).map(([name, { shape }]) => [name, shape]));
    const graph = trace(step, { inputs: shapes });
    const session = await InferenceSession.create(graph.model, { intraOpNumThreads: 1 });
    const feeds = graph.inputs.map(({ name, shape }) => [name, new Tensor("float32", inputs[name].data, shape)]);
    const traced = await session.run(Object.fromEntries(feeds));
    const eager = step({ ...toTensors(weights), input: toTensor(image) });
    expect(Object.keys(eager)).toHaveLength(1 + learning.length + (mode === "batch" ? (learning.length / 3) * 2 : 0));
    const largest = Math.max(...learning.map((name) => tf.max(tf.abs(eager[`gradient of ${name}`])).dataSync()[0]));
    for (const [name, tensor] of Object.entries(eager)) {
      // Two float32 sums in different orders; an activation at its kink may fall on either side. A shift that batch norm
      // takes away again has the gradient 0, so what is tiny is compared with the gradients around it.
      const floor = name.startsWith("gradient") ? largest / 1000 : 0;
      const difference = worstDifference(traced[name].data as Float32Array, tensor.dataSync(), { floor });
      expect(difference, name).toBeLessThan(1e-3);
    }
    await session.release();
  });
});
