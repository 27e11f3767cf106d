import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, biasCorrection } from "../../src/train/adam.js";
import { multiTensor } from "../../src/train/multi-tensor.js";
import { averageDecay, rateFactor } from "../../src/train/schedule.js";
import { firstMoment, gradientSum, movingAverage, secondMoment } from "../../src/train/state-names.js";
import { addGradients, applyGradients } from "../../src/train/update.js";

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
    const joined = multiTensor(parts, ({ parameter, gradient, first, second }) =>
      adam(parameter, gradient, { first, second, rate }),
    );
    parts.forEach(({ parameter, gradient, first, second }, index) => {
      const alone = adam(parameter, gradient, { first, second, rate });
      for (const what of ["parameter", "first", "second"] as const) {
        expect(joined[index][what].shape).toEqual(parameter.shape);
        expect([...joined[index][what].dataSync()]).toEqual([...alone[what].dataSync()]);
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

describe("an update", () => {
  const [small, large] = ["head/a/bias", "trunk/b/kernel"];
  const rates = { "rate/trunk": tf.scalar(0.1), "rate/heads": tf.scalar(0.2) };
  const begun = () => {
    const state: Record<string, tf.Tensor> = { [small]: tf.tensor1d([1, 2]), [large]: tf.fill([5000], 3) };
    for (const [name, value] of Object.entries(state)) {
      for (const nameOf of [firstMoment, secondMoment, gradientSum]) state[nameOf(name)] = tf.zerosLike(value);
      state[movingAverage(name)] = tf.add(value, 1);
    }
    return state;
  };
  const gradients = (factor: number) => ({
    [small]: tf.tensor1d([4 * factor, -2 * factor]),
    [large]: tf.fill([5000], factor),
  });

  test("divides a group's gradients by its batches, and starts the sums again at zero", () => {
    const inputs = { ...rates, "gradient/share": tf.scalar(1 / 3) };
    let state = begun();
    for (const factor of [1, 2]) state = { ...state, ...addGradients(gradients(factor), { state }) };
    expect([...state[gradientSum(small)].dataSync()]).toEqual([12, -6]); // (1 + 2) * 4, (1 + 2) * -2
    expect([...state[small].dataSync()]).toEqual([1, 2]);
    const made = applyGradients(gradients(3), { inputs, state, isAccumulated: true, isAveraged: false });
    expect(Object.keys(made).some((name) => name.startsWith("average/"))).toBe(false);
    // Mean gradient 2 * [4, -2] = [8, -4]; first moment a tenth of it.
    expect(made[firstMoment(small)].dataSync()[0]).toBeCloseTo(0.8, 5);
    expect(made[firstMoment(small)].dataSync()[1]).toBeCloseTo(-0.4, 5);
    expect(made[firstMoment(large)].dataSync()[4999]).toBeCloseTo(0.2, 5);
    for (const name of [small, large]) {
      expect(made[gradientSum(name)].shape).toEqual(state[name].shape);
      expect(made[gradientSum(name)].dataSync().every((value) => value === 0)).toBe(true);
    }
  });

  test("averages what Adam made: decay * average + (1 - decay) * parameter", () => {
    const state = begun();
    const inputs = { ...rates, "average/decay": tf.scalar(0.75) };
    const made = applyGradients(gradients(1), { inputs, state, isAccumulated: false, isAveraged: true });
    for (const [name, before] of [
      [small, 2],
      [large, 4],
    ] as const) {
      const wanted = 0.75 * before + 0.25 * made[name].dataSync()[0];
      expect(made[movingAverage(name)].dataSync()[0]).toBeCloseTo(wanted, 5);
    }
    expect(Object.keys(made).some((name) => name.startsWith("gradient/"))).toBe(false);
  });

  test("leaves the average of a parameter that does not move at the parameter, byte for byte", () => {
    const value = tf.tensor1d([0.1, -1 / 3]);
    const zero = tf.zerosLike(value);
    const state = {
      [small]: value,
      [firstMoment(small)]: zero,
      [secondMoment(small)]: zero,
      [movingAverage(small)]: value.clone(),
    };
    const inputs = { ...rates, "average/decay": tf.scalar(0.999) };
    const made = applyGradients({ [small]: zero }, { inputs, state, isAccumulated: false, isAveraged: true });
    expect([...made[movingAverage(small)].dataSync()]).toEqual([...value.dataSync()]);
  });
});

describe("the moving average's decay", () => {
  test("begins at a tenth and rises to its limit, so that the initial values are soon forgotten", () => {
    expect(averageDecay(0, { limit: 0.999 })).toBeCloseTo(0.1, 12);
    expect(averageDecay(8, { limit: 0.999 })).toBeCloseTo(0.5, 12); // 9 / 18
    expect(averageDecay(8990, { limit: 0.999 })).toBeCloseTo(0.999, 12); // 8991 / 9000
    expect(averageDecay(1e6, { limit: 0.999 })).toBe(0.999);
    expect(averageDecay(100, { limit: 0 })).toBe(0);
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
