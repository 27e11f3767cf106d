import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { dropout } from "../../src/ops/dropout.js";
import { runTraced } from "../engine/trace/run-traced.js";
import { given, oneTap, tensors, twoTaps } from "../heads/given.js";
import { uniformLoop } from "../reference/uniform.js";

beforeAll(() => tf.setBackend("cpu"));

describe("dropout", () => {
  test("keeps where the seed's number reaches the rate, divided by what is kept; its gradient is the same mask", () => {
    const x = Float32Array.from({ length: 40 }, (_, i) => i + 1);
    const mask = uniformLoop(40, 9).map((u) => (u >= 0.25 ? 4 / 3 : 0));
    const kept = (at: tf.Tensor) => dropout(at, { rate: 0.25, seed: tf.scalar(9) });
    const at = tf.tensor(x, [8, 5]);
    const y = kept(at).dataSync();
    const dx = tf.grad(kept)(at).dataSync();
    for (let i = 0; i < 40; i++) {
      expect(y[i]).toBeCloseTo(x[i] * mask[i], 5);
      expect(dx[i]).toBeCloseTo(mask[i], 6);
    }
    expect(mask.filter((factor) => factor === 0).length).toBeGreaterThan(0);
  });

  test.each([0, 0.1, 0.5, 0.9])("of rate %d drops that share and keeps the expectation", (rate) => {
    const size = 40_000;
    const y = Array.from(dropout(tf.ones([200, 200]), { rate, seed: tf.scalar(77) }).dataSync<"float32">());
    const zeros = y.filter((value) => value === 0).length;
    const deviation = Math.sqrt((rate * (1 - rate)) / size);
    expect(Math.abs(zeros / size - rate)).toBeLessThanOrEqual(4 * deviation);
    const mean = y.reduce((sum, value) => sum + value, 0) / size;
    expect(Math.abs(mean - 1)).toBeLessThanOrEqual((4 * deviation) / (1 - rate) + 1e-6);
  });

  test("traced, follows the seed that each call gives", async () => {
    const fn = ({ x, seed }: Readonly<Record<string, tf.Tensor>>) => ({ y: dropout(x, { rate: 0.5, seed }) });
    for (const seed of [1, 2]) {
      const data = { x: new Float32Array(64).fill(1), seed: Float32Array.of(seed) };
      const { y } = await runTraced(fn, { shapes: { x: [4, 16], seed: [] }, data });
      expect([...y.data]).toEqual([...uniformLoop(64, seed)].map((u) => (u >= 0.5 ? 2 : 0)));
    }
  });
});

describe("the classifier", () => {
  test.each([oneTap, twoTaps])("drops pooled features of all taps in training, none without being asked", (context) => {
    const it = given("single", context, { batch: 3 });
    const parameters = tensors(it.parameters);
    const features = Object.values(tensors(it.taps)) as tf.Tensor4D[];
    const plain = it.head.forward(parameters, features);
    const pooled = tf.concat(
      features.map((tap) => tf.mean(tap, [1, 2])),
      1,
    );
    const channels = pooled.shape[1] as number;
    const mask = tf.tensor(
      uniformLoop(3 * channels, 5).map((u) => (u >= 0.4 ? 1 / 0.6 : 0)),
      [3, channels],
    );
    const dense = (x: tf.Tensor) =>
      tf.add(
        tf.matMul(x as tf.Tensor2D, parameters["head/class/kernel"] as tf.Tensor2D),
        parameters["head/class/bias"],
      );
    const dropped = it.head.forward(parameters, features, { dropout: { rate: 0.4, seed: tf.scalar(5) } });
    const apart = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
    expect(apart(plain, dense(pooled))).toBeLessThan(1e-5);
    expect(apart(dropped, dense(tf.mul(pooled, mask)))).toBeLessThan(1e-5);
    expect(apart(dropped, plain)).toBeGreaterThan(1e-2);
  });
});
