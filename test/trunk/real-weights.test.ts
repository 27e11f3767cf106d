import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { inspectWeights } from "../../src/trunk/formats/inspect-weights.js";
import { loadWeights } from "../../src/trunk/formats/load-weights.js";
import { readWeights } from "../../src/trunk/formats/read-weights.js";
import type { TrunkSpec } from "../../src/trunk/trunk-spec.js";
import { toTensor, toTensors, worstDifference } from "./narrow.js";
import { hasRealData, loadWithTensorFlow, readPhotograph, unpack } from "./real-data.js";

const reading = (
  name: TrunkSpec["name"],
  alpha: number,
  inputSize: number,
  hasBatchNorm: boolean,
  lastLayer: string,
) => {
  return { name, alpha, inputSize, hasBatchNorm, lastLayer };
};

const FILES = {
  "mobilenet_v1_0.25_128_imagenet_u8": reading("mobilenet-v1", 0.25, 128, false, "conv_pw_13"),
  "mobilenet_v1_0.5_160_imagenet_u8": reading("mobilenet-v1", 0.5, 160, false, "conv_pw_13"),
  "mobilenet_v1_0.75_192_imagenet_u8": reading("mobilenet-v1", 0.75, 192, false, "conv_pw_13"),
  "mobilenet_v1_1.0_224_notop_u8": reading("mobilenet-v1", 1, 224, false, "conv_pw_13"),
  "mobilenet_v1_1.0_224_to_conv_pw_12_f32": reading("mobilenet-v1", 1, 224, true, "conv_pw_12"),
  "mobilenet_v2_0.35_224_notop_f32": reading("mobilenet-v2", 0.35, 224, true, "Conv_1"),
  "mobilenet_v2_1.0_224_imagenet_u8": reading("mobilenet-v2", 1, 224, false, "Conv_1"),
};

describe.skipIf(!hasRealData)("real weights", () => {
  let weights: ReturnType<typeof unpack>;
  let fixtures: ReturnType<typeof unpack>;
  const folder = (file: string) => join(weights.folder, "weights", file);
  const photograph = (size: number) => readPhotograph(join(fixtures.folder, "fixtures/coral_images/cat_224.png"), size);

  beforeAll(async () => {
    await tf.setBackend("cpu");
    weights = unpack("weights_mobilenet_tfjs.tar.gz");
    fixtures = unpack("fixtures.tar.gz");
  });
  afterAll(() => {
    weights.dispose();
    fixtures.dispose();
  });

  test("every file says which trunk it is for", async () => {
    for (const [file, expected] of Object.entries(FILES)) expect(await inspectWeights(folder(file))).toEqual(expected);
    const nested = await inspectWeights(join(fixtures.folder, "fixtures/teachable_machine"));
    expect(nested).toEqual(FILES["mobilenet_v2_0.35_224_notop_f32"]);
  });

  // The float file pads explicitly for even sizes, so it is compared at 96; the others at sizes whose halves are odd too.
  test.each([
    ["mobilenet_v1_0.25_128_imagenet_u8", 100, { conv_pw_11: "conv_pw_11_relu", conv_pw_13: "conv_pw_13_relu" }],
    ["mobilenet_v1_1.0_224_to_conv_pw_12_f32", 64, { conv_pw_11: "conv_pw_11_relu", conv_pw_12: "conv_pw_12_relu" }],
    [
      "mobilenet_v2_0.35_224_notop_f32",
      96,
      { block_2_add: "block_2_add", block_13_expand: "block_13_expand_relu", Conv_1: "out_relu" },
    ],
    [
      "mobilenet_v2_1.0_224_imagenet_u8",
      75,
      { block_13_expand: "block_13_expand_relu", block_16_project: "block_16_project", Conv_1: "out_relu" },
    ],
  ] as const)("%s gives at %i pixels the features that TensorFlow.js gives", async (file, size, layers) => {
    const { name, alpha } = FILES[file];
    const trunk = createTrunk({ name, alpha, inputSize: size });
    const image = await photograph(size);
    const { parameters } = await loadWeights(trunk, folder(file), { missing: "random", seed: 1 });
    const ours = trunk.run(toTensors(parameters), { input: toTensor(image) }, Object.keys(layers));
    const model = await loadWithTensorFlow(folder(file), size, Object.values(layers));
    const theirs = model.predict(tf.sub(tf.div(toTensor(image), 127.5), 1)) as tf.Tensor[];
    Object.keys(layers).forEach((layer, index) => {
      expect(ours[layer].shape).toEqual(theirs[index].shape);
      expect(worstDifference(ours[layer].dataSync(), theirs[index].dataSync()), layer).toBeLessThan(1e-4);
    });
  });

  test("the smallest network calls a cat a cat", async () => {
    const trunk = createTrunk({ name: "mobilenet-v1", alpha: 0.25, inputSize: 128 });
    const file = await readWeights(folder("mobilenet_v1_0.25_128_imagenet_u8"));
    const { parameters } = await loadWeights(trunk, file);
    const input = toTensor(await photograph(128));
    const features = trunk.run(toTensors(parameters), { input }, [trunk.output])[trunk.output];
    const { "predictions/kernel": kernel, "predictions/bias": bias } = toTensors(file.weights);
    const logits = tf.add(tf.matMul(tf.mean(features, [1, 2]) as tf.Tensor2D, kernel as tf.Tensor2D), bias);
    // 282 tabby, 283 tiger cat, 286 Egyptian cat: the three that the file's own listing has first.
    const best = [...tf.topk(logits, 3).indices.dataSync()].sort();
    expect(best).toEqual([282, 283, 286]);
  });

  test("a file cut at conv_pw_12 is refused with what is missing, or filled at random when asked", async () => {
    const trunk = createTrunk({ name: "mobilenet-v1", alpha: 1, inputSize: 224 });
    const file = await readWeights(folder("mobilenet_v1_1.0_224_to_conv_pw_12_f32"));
    await expect(loadWeights(trunk, file)).rejects.toThrow(
      /lacks these layers of mobilenet-v1: conv_dw_13, conv_pw_13\. The file ends early.*"missing": "random"/,
    );
    const { parameters, randomLayers } = await loadWeights(trunk, file, { missing: "random", seed: 1 });
    expect(randomLayers).toEqual(["conv_dw_13", "conv_pw_13"]);
    expect(Object.keys(parameters).sort()).toEqual(trunk.parameters.map((spec) => spec.name).sort());
  });
});
