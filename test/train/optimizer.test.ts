import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, adamTogether, biasCorrection } from "../../src/train/adam.js";
import { rateFactor } from "../../src/train/schedule.js";

beforeAll(async () => {
  await tf.setBackend("cpu");
});

describe("adam", () => {
  test("the first step moves each parameter by the rate against the sign of its gradient", () => {
    // m = 0.1 g, v = 0.001 g^2; corrected: g and g^2; step = rate * g / |g| = rate.
    const moved = tf.tidy(() => {
      const gradient = tf.tensor1d([2, -0.5]);
      const zero = tf.zerosLike(gradient);
      const rate = tf.scalar(0.01 * biasCorrection(0));
      return adam(tf.tensor1d([1, 1]), gradient, { first: zero, second: zero, rate }).parameter.dataSync();
    });
    expect(moved[0]).toBeCloseTo(0.99, 5);
    expect(moved[1]).toBeCloseTo(1.01, 5);
  });

  test("follows the plain loop of the paper's section 2 over ten steps", () => {
    let [plain, m, v] = [1, 0, 0];
    let state = {
      parameter: tf.tensor1d([1]) as tf.Tensor,
      first: tf.tensor1d([0]) as tf.Tensor,
      second: tf.tensor1d([0]) as tf.Tensor,
    };
    for (let step = 0; step < 10; step++) {
      const gradient = Math.sin(step + 1) + 0.3;
      m = 0.9 * m + 0.1 * gradient;
      v = 0.999 * v + 0.001 * gradient * gradient;
      plain -= (0.05 * (m / (1 - 0.9 ** (step + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (step + 1))) + 1e-7);
      const rate = tf.scalar(0.05 * biasCorrection(step));
      state = adam(state.parameter, tf.tensor1d([gradient]), { ...state, rate });
    }
    expect(state.parameter.dataSync()[0]).toBeCloseTo(plain, 5); // float32 against float64
  });

  test("several parameters together are updated as each alone, bit for bit, in their own shapes", () => {
    const part = (shape: number[], seed: number) => {
      const drawn = (key: number) => tf.randomUniform(shape, 0.1, 1, "float32", seed + key);
      return { parameter: drawn(0), gradient: drawn(1), first: drawn(2), second: drawn(3) };
    };
    const parts = [part([3], 1), part([2, 2], 5), part([1, 1, 2, 1], 9)];
    const rate = tf.scalar(0.1);
    const together = adamTogether(parts, { rate });
    parts.forEach(({ parameter, gradient, first, second }, index) => {
      const alone = adam(parameter, gradient, { first, second, rate });
      for (const what of ["parameter", "first", "second"] as const) {
        expect(together[index][what].shape).toEqual(parameter.shape);
        expect([...together[index][what].dataSync()]).toEqual([...alone[what].dataSync()]);
      }
    });
  });

  test("a gradient of exactly zero leaves the parameter byte for byte", () => {
    const start = tf.tensor1d([0.123456, -7.5]);
    const zero = tf.zerosLike(start);
    const { parameter } = adam(start, zero, { first: zero, second: zero, rate: tf.scalar(0.1) });
    expect([...parameter.dataSync()]).toEqual([...start.dataSync()]);
  });
});

describe("schedule", () => {
  test("rises over the first twentieth, then falls as a half cosine to almost zero", () => {
    // 1,000 steps: warm-up 50; at step 24 half of it; at 500 the cosine is at its middle.
    expect(rateFactor(0, { stepCount: 1000 })).toBeCloseTo(0.02, 4);
    expect(rateFactor(24, { stepCount: 1000 })).toBeCloseTo(0.5 * 0.5 * (1 + Math.cos((Math.PI * 24) / 1000)), 6);
    expect(rateFactor(500, { stepCount: 1000 })).toBeCloseTo(0.5, 6);
    expect(rateFactor(999, { stepCount: 1000 })).toBeLessThan(1e-5);
  });

  test("the warm-up of a long stage takes 200 steps at most", () => {
    expect(rateFactor(199, { stepCount: 100_000 })).toBeCloseTo(1, 4);
  });
});
