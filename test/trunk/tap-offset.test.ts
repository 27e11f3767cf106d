import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { sideOf } from "../../src/core/size.js";
import { createTrunk } from "../../src/trunk/create-trunk.js";
import { randomWeights } from "../../src/trunk/random-weights.js";
import { tapOffset } from "../../src/trunk/tap-offset.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("where a layer's cells lie", () => {
  test("each stride-2 convolution of a MobileNet moves them by half of its input's step: 0.5 + 1 + 2 + 4 pixels at stride 16", () => {
    const spec = { name: "mobilenet-v1", alpha: 0.25, inputSize: 128 } as const;
    expect(tapOffset(spec, "input")).toBe(0);
    expect(tapOffset(spec, "conv1")).toBeCloseTo(0.5 / 128, 12);
    expect(tapOffset(spec, "conv_pw_5")).toBeCloseTo(3.5 / 128, 12);
    expect(tapOffset(spec, "conv_pw_11")).toBeCloseTo(7.5 / 128, 12);
  });

  test("pooling by two moves nothing: VGG's cells are equal parts", () => {
    expect(tapOffset({ name: "vgg16", alpha: 1, inputSize: 64 }, "block5_conv3")).toBe(0);
  });

  test("padded all around, a cell stands over the first pixel of its part: half of its stride less half a pixel to the left", () => {
    const spec = { name: "mobilenet-v2", alpha: 0.35, inputSize: 128, convention: "torchvision" } as const;
    expect(tapOffset(spec, "Conv1")).toBeCloseTo(-0.5 / 128, 12);
    expect(tapOffset(spec, "block_13_expand")).toBeCloseTo(-7.5 / 128, 12);
  });

  test("the centre of what a cell sees, measured by gradients, is where it says", () => {
    const spec = { name: "mobilenet-v1", alpha: 0.25, inputSize: 128 } as const;
    const trunk = createTrunk(spec);
    // All kernels equal and positive, biases one: every path counts, and the field is symmetric about its centre.
    const weights = Object.entries(randomWeights(trunk, { seed: 1, isFolded: true }));
    const parameters = Object.fromEntries(
      weights.map(([name, { shape }]) => [name, tf.fill([...shape], name.endsWith("/bias") ? 0.5 : 1e-3)]),
    );
    const tap = trunk.taps.find(({ name }) => name === "conv_pw_3");
    const middle = sideOf(tap?.size ?? 0) / 2;
    const gradient = tf.tidy(() =>
      tf.grad((image) => {
        const { conv_pw_3: features } = trunk.run(parameters, { input: image as tf.Tensor4D }, ["conv_pw_3"]);
        return tf.sum(tf.slice(features, [0, middle, middle, 0], [1, 1, 1, 1]));
      })(tf.fill([1, 128, 128, 3], 200)),
    );
    const columns = Array.from(tf.sum(tf.abs(gradient), [0, 1, 3]).dataSync()); // [128]
    const total = columns.reduce((sum, value) => sum + value, 0);
    const centre = columns.reduce((sum, value, x) => sum + value * (x + 0.5), 0) / total;
    const cell = 128 / sideOf(tap?.size ?? 1);
    expect(centre / 128).toBeCloseTo(((middle + 0.5) * cell) / 128 + tapOffset(spec, "conv_pw_3"), 3);
  });
});
