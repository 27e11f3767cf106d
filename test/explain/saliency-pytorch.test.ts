/** Saliency beside PyTorch's autograd on identical weights; test/fixtures/saliency/make.py wrote its numbers. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { type NdArray, sizeOf } from "../../src/core/nd-array.js";
import { targetValue } from "../../src/explain/graph/logit-target.js";
import type { ExplainedLayer, SaliencyLayers } from "../../src/explain/graph/saliency/saliency.js";
import { saliencyAt } from "../../src/explain/graph/saliency/saliency-at.js";
import { SALIENCY_FUNCTIONS } from "../../src/explain/graph/saliency/saliency-methods.js";
import type { SaliencyName } from "../../src/explain/methods.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { readOnnx } from "../../src/trunk/formats/onnx-file.js";
import { fixturePath, imageTensor } from "../trunk/fixtures.js";
import { toTensors } from "../trunk/narrow.js";

const FOLDER = resolve(import.meta.dirname, "../fixtures/saliency");
/** The bound; float32 here, float64 there. */
const BOUND = 1e-5;

beforeAll(() => tf.setBackend("cpu"));

function expectedNumbers(name: string): Record<string, NdArray> {
  const shapes: Record<string, Record<string, number[]>> = JSON.parse(
    readFileSync(join(FOLDER, "shapes.json"), "utf8"),
  );
  const bytes = Uint8Array.from(readFileSync(join(FOLDER, `${name}.bin`)));
  const numbers = new Float32Array(bytes.buffer);
  let offset = 0;
  return Object.fromEntries(
    Object.entries(shapes[name]).map(([key, shape]) => {
      const data = numbers.slice(offset, offset + sizeOf(shape));
      offset += data.length;
      return [key, { shape, data }];
    }),
  );
}

function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found).toHaveLength(expected.length);
  const scale = Math.max(...Array.from(expected, Math.abs));
  expect(scale).toBeGreaterThan(0);
  return Math.max(...Array.from(expected, (value, index) => Math.abs(found[index] - value))) / scale;
}

const NETWORKS = [
  { file: "vgg16", spec: { name: "vgg16", alpha: 1 / 32, inputSize: 48 }, tap: "block4_conv3", last: "block5_pool" },
  {
    file: "mobilenet-v2-batch-norm",
    spec: { name: "mobilenet-v2", alpha: 0.025, inputSize: 40 },
    tap: "block_6_expand",
    last: "block_16_add",
  },
] as const;

describe.each(NETWORKS)("$file", ({ file, spec, tap, last }) => {
  const expected = expectedNumbers(file);
  /** The network at a layer, features counted from zero. */
  const points = async (): Promise<(layer: string) => ExplainedLayer> => {
    const weights = await readOnnx(fixturePath(`${file}.onnx`));
    const trunk = createTrunk({ ...spec, convention: weights.convention });
    const { parameters } = await loadWeights(trunk, weights, { missing: "random", seed: 1 });
    const tensors = toTensors(parameters);
    const { shape, data } = expected.kernel;
    const kernel = tf.tensor2d(data, [shape[2], shape[3]]);
    return (layer) => {
      const features = trunk.run(tensors, { input: imageTensor(spec.inputSize) }, [layer])[layer];
      const valueAt: ExplainedLayer["valueAt"] = (at, { rectifier } = {}) => {
        const pooled = tf.mean(trunk.run(tensors, { [layer]: at }, [last], { rectifier })[last], [1, 2]);
        return targetValue(tf.matMul(pooled as tf.Tensor2D, kernel), tf.tensor2d([[0, 1, 0]]), { scale: "log-odds" });
      };
      return {
        isImage: layer === "input",
        features,
        reference: tf.zeros([1, 1, 1, features.shape[3]]),
        difference: features,
        // PyTorch enlarges maps without moving them.
        offset: 0,
        valueAt,
        dense: () => undefined,
      };
    };
  };

  test("computes the same target", async () => {
    const at = (await points())(tap);
    expect(relativeError(at.valueAt(at.features).dataSync(), expected.target.data)).toBeLessThan(BOUND);
  });

  test("Grad-CAM, Grad-CAM++ and HiRes-CAM are PyTorch's", async () => {
    const at = (await points())(tap);
    const found = (name: SaliencyName) => saliencyAt(name, { masked: at, weighed: at });
    const [gradCam, plusPlus, hiresCam] = [found("grad-cam"), found("grad-cam++"), found("hires-cam")];
    expect(relativeError(gradCam.weights?.dataSync() ?? [], expected.gradCamWeights.data)).toBeLessThan(BOUND);
    expect(relativeError(gradCam.map.dataSync(), expected.gradCam.data)).toBeLessThan(BOUND);
    expect(relativeError(plusPlus.weights?.dataSync() ?? [], expected.plusPlusWeights.data)).toBeLessThan(BOUND);
    expect(relativeError(plusPlus.map.dataSync(), expected.plusPlus.data)).toBeLessThan(BOUND);
    expect(relativeError(hiresCam.map.dataSync(), expected.hiresCam.data)).toBeLessThan(BOUND);
  });

  test("guided backpropagation and Guided Grad-CAM are PyTorch's, at the layer and at the image", async () => {
    const pointAt = await points();
    const [at, input] = [pointAt(tap), pointAt("input")];
    const elements = (name: SaliencyName, layers: SaliencyLayers) =>
      SALIENCY_FUNCTIONS[name](layers).elements.dataSync();
    const [layer, image] = [
      { masked: at, weighed: at },
      { masked: input, weighed: at },
    ];
    expect(relativeError(elements("guided-backpropagation", layer), expected.guidedBackpropagation.data)).toBeLessThan(
      BOUND,
    );
    expect(relativeError(elements("guided-backpropagation", image), expected.guidedInput.data)).toBeLessThan(BOUND);
    expect(relativeError(elements("guided-grad-cam", layer), expected.guidedGradCam.data)).toBeLessThan(BOUND);
    expect(relativeError(elements("guided-grad-cam", image), expected.guidedGradCamInput.data)).toBeLessThan(BOUND);
  });
});
