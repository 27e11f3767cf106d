import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { ConfigError } from "../../src/core/errors.js";
import { random } from "../../src/core/random.js";
import { filterWeights } from "../../src/explain/graph/saliency/grad-cam.js";
import { plusPlusWeights } from "../../src/explain/graph/saliency/grad-cam-plus-plus.js";
import { resampleMap } from "../../src/explain/graph/saliency/resample-map.js";
import type { ExplainedLayer } from "../../src/explain/graph/saliency/saliency.js";
import { type MappedSaliency, saliencyAt } from "../../src/explain/graph/saliency/saliency-at.js";
import { SALIENCY_FUNCTIONS } from "../../src/explain/graph/saliency/saliency-methods.js";
import { granularityOf, maskingsOf, SALIENCY_NAMES, type SaliencyName } from "../../src/explain/methods.js";
import * as twin from "../reference/saliency.js";

beforeAll(() => tf.setBackend("cpu"));

const [HEIGHT, WIDTH, CHANNELS] = [3, 4, 5];
const COUNT = HEIGHT * WIDTH * CHANNELS;

/**
 * Pooling and a dense layer behind a bend: value = sum_o t_o tanh(sum_k mean(z_k^2 / 2 + z_k) K_ko), with gradients by
 * hand.
 */
function toyPoint({ seed = 1, scale = 1 }: { seed?: number; scale?: number } = {}) {
  const stream = random(seed, "toy");
  const draw = (length: number, low: number, high: number) => Array.from({ length }, () => stream.uniform(low, high));
  const features = draw(COUNT, 0, 2).map((value) => (value < 0.5 ? 0 : value));
  const reference = draw(CHANNELS, 0, 0.6);
  const kernel = draw(CHANNELS * 2, -1, 1).map((value) => scale * value);
  const target = [1, -0.7];
  const places = HEIGHT * WIDTH;
  const outputs = (z: readonly number[]) =>
    target.map((_, output) =>
      z.reduce(
        (sum, value, index) => sum + ((value ** 2 / 2 + value) / places) * kernel[(index % CHANNELS) * 2 + output],
        0,
      ),
    );
  const point: twin.Point = {
    features,
    reference,
    channels: CHANNELS,
    height: HEIGHT,
    width: WIDTH,
    value: (z) => outputs(z).reduce((sum, y, output) => sum + target[output] * Math.tanh(y), 0),
    gradient: (z) => {
      const slopes = outputs(z).map((y, output) => target[output] * (1 - Math.tanh(y) ** 2));
      return z.map((value, index) =>
        slopes.reduce(
          (sum, slope, output) => sum + slope * ((value + 1) / places) * kernel[(index % CHANNELS) * 2 + output],
          0,
        ),
      );
    },
  };
  const K = () => tf.tensor2d(kernel, [CHANNELS, 2]);
  const worthOf = (y: tf.Tensor) => tf.sum(tf.mul(tf.tanh(y), tf.tensor1d(target)), 1) as tf.Tensor1D;
  const f = tf.tensor4d(features, [1, HEIGHT, WIDTH, CHANNELS]);
  const r = tf.tensor4d(reference, [1, 1, 1, CHANNELS]);
  const at: ExplainedLayer = {
    isImage: false,
    features: f,
    reference: r,
    difference: tf.sub(f, r),
    offset: 0,
    valueAt: (z) => worthOf(tf.matMul(tf.mean(tf.add(tf.mul(tf.square(z), 0.5), z), [1, 2]) as tf.Tensor2D, K())),
    dense: () => {
      const y = tf.tensor2d([outputs(features)]);
      return { kernel: K(), gradient: tf.grad((y: tf.Tensor) => tf.sum(worthOf(y)))(y) as tf.Tensor2D };
    },
  };
  return { point, at };
}

/** Largest difference, relative to the largest expected value. */
function relativeError(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const scale = Math.max(...Array.from(expected, Math.abs));
  expect(scale).toBeGreaterThan(0);
  return Math.max(...Array.from(expected, (value, index) => Math.abs(found[index] - value))) / scale;
}

const TWINS: Partial<Record<SaliencyName, (point: twin.Point) => number[]>> = {
  evidence: twin.evidence,
  "grad-cam": twin.gradCam,
  "grad-cam++": twin.gradCamPlusPlus,
  "score-cam": twin.scoreCam,
  "hires-cam": twin.hiresCam,
  "layer-cam": twin.layerCam,
  "gradient-x-activation": twin.hiresCam,
  "integrated-gradients": twin.integratedGradients,
};

describe("beside plain loops", () => {
  for (const [name, loops] of Object.entries(TWINS))
    test(`${name} says the same of every element`, () => {
      for (const seed of [1, 2, 3]) {
        const { at, point } = toyPoint({ seed });
        const { elements } = SALIENCY_FUNCTIONS[name as SaliencyName]({ masked: at, weighed: at });
        // Float32 beside float64.
        expect(relativeError(elements.dataSync(), loops(point)), `seed ${seed}`).toBeLessThan(1e-4);
      }
    });
});

describe("worked by hand", () => {
  // A 2x2 grid of two channels.
  const grid = (...values: number[]) => tf.tensor4d(values, [1, 2, 2, 2]);
  const numbers = (tensor: tf.Tensor) => [...tensor.dataSync()];
  /** value = sum of slope * z; the slopes are the gradient everywhere. */
  const linear = (features: tf.Tensor4D, slopes: tf.Tensor4D, reference = [0, 0]): ExplainedLayer => {
    const r = tf.tensor4d(reference, [1, 1, 1, 2]);
    const valueAt = (z: tf.Tensor4D) => tf.sum(tf.reshape(tf.mul(z, slopes), [z.shape[0], -1]), 1) as tf.Tensor1D;
    const difference = tf.sub<tf.Tensor4D>(features, r);
    return { isImage: false, features, reference: r, difference, offset: 0, valueAt, dense: () => undefined };
  };
  const features = () => grid(1, 2, 0, 4, 1, 0, 2, 2);
  const slopes = () => grid(1, -1, 2, -1, 3, -1, 6, 1);
  const elements = (name: SaliencyName, reference?: number[]) => {
    const at = linear(features(), slopes(), reference);
    return numbers(SALIENCY_FUNCTIONS[name]({ masked: at, weighed: at }).elements).map((value) => value + 0); // -0 is 0
  };
  const map = (name: SaliencyName) => {
    const at = linear(features(), slopes());
    return numbers(saliencyAt(name, { masked: at, weighed: at }).map);
  };

  test("the map of another layer says where, the gradient at the masked layer what of it", () => {
    const masked = linear(features(), slopes());
    const weighed = linear(grid(1, 0, 2, 0, 0, 0, -1, 0), grid(2, 0, 2, 0, 2, 0, 2, 0));
    // Grad-CAM of the other layer: 2 times its first channel, rectified.
    const found = saliencyAt("grad-cam", { masked, weighed });
    expect(numbers(found.map)).toEqual([2, 4, 0, 0]);
    expect(numbers(found.maskMap)).toEqual([2, 4, 0, 0]);
    // At the first place 2 (1 * 1, 2 * -1), at the second 4 (0 * 2, 4 * -1).
    expect(numbers(found.evidence.elements).slice(0, 4)).toEqual([2, -4, 0, -16]);
    expect(numbers(found.evidence.net).slice(0, 2)).toEqual([-2, -16]);
    // Filter weights are the masked layer's own, and an image has none.
    expect(numbers(found.weights as tf.Tensor)).toEqual([3, -0.5]);
    expect(saliencyAt("grad-cam", { masked: { ...masked, isImage: true }, weighed }).weights).toBeUndefined();
  });

  test("Grad-CAM weighs each channel by its mean gradient", () => {
    // Channel 0: (1 + 2 + 3 + 6) / 4 = 3; channel 1: (-1 - 1 - 1 + 1) / 4 = -0.5.
    expect(numbers(filterWeights(slopes()))).toEqual([3, -0.5]);
    // Place 0: 3 * 1 - 0.5 * 2 = 2; 0 - 2 = -2, which is nothing; 3; 6 - 1 = 5.
    expect(map("grad-cam")).toEqual([2, 0, 3, 5]);
  });

  test("features count from the reference on", () => {
    // Place 0: 3 * (1 - 1), -0.5 * (2 - 4).
    expect(elements("grad-cam", [1, 4]).slice(0, 2)).toEqual([0, 1]);
  });

  test("Grad-CAM++ gives a place less where its filter sees much", () => {
    // Channel 0 sees 4 in all: sum g / (2 + 4 g) = 1/6 + 2/10 + 3/14 + 6/26. Channel 1 sees 8, and only its last
    // gradient is positive: 1/10.
    const [first, second] = numbers(plusPlusWeights(slopes(), { features: features() }));
    expect(first).toBeCloseTo(1 / 6 + 2 / 10 + 3 / 14 + 6 / 26, 6);
    expect(second).toBeCloseTo(1 / 10, 6);
  });

  test("HiRes-CAM lets each place weigh for itself", () => {
    // 1 - 2 = -1, which is nothing; 0 - 4; 3 - 0; 12 + 2.
    expect(map("hires-cam")).toEqual([0, 0, 3, 14]);
  });

  test("Layer-CAM leaves negative gradients out", () => {
    // 1 * 1; 2 * 0; 3 * 1; 6 * 2 + 1 * 2.
    expect(map("layer-cam")).toEqual([1, 0, 3, 14]);
  });

  test("gradient x activation is signed at each element", () => {
    expect(elements("gradient-x-activation")).toEqual([1, -2, 0, -4, 3, 0, 12, 2]);
    // Negative ones are no saliency, and do not cancel their neighbours.
    expect(map("gradient-x-activation")).toEqual([1, 0, 3, 14]);
  });

  test("Score-CAM weighs a filter by what its map leaves of the value", () => {
    // Maps: channel 0 (1, 0, 1, 2) / 2, channel 1 (2, 4, 0, 2) / 4. Values at places: -1, -4, 3, 14, so that channel 0
    // leaves
    // -0.5 + 0 + 1.5 + 14 = 15, channel 1 -0.5 - 4 + 0 + 7 = 2.5.
    const at = linear(features(), slopes());
    const weights = numbers(SALIENCY_FUNCTIONS["score-cam"]({ masked: at, weighed: at }).weights as tf.Tensor);
    const share = 1 / (1 + Math.exp(2.5 - 15));
    expect(weights[0]).toBeCloseTo(share, 6);
    expect(weights[1]).toBeCloseTo(1 - share, 6);
  });
});

test("CAM is Grad-CAM times height and width behind pooling and a dense layer", () => {
  // With a reference of no bend in between: value linear in the pooled features.
  const features = tf.tensor4d([1, 2, 0, 4, 1, 0, 2, 2], [1, 2, 2, 2]);
  const reference = tf.tensor4d([0.5, 1], [1, 1, 1, 2]);
  const kernel = tf.tensor2d([
    [1, -2],
    [3, 0.5],
  ]);
  const gradient = tf.tensor2d([[1, -1]]);
  const at: ExplainedLayer = {
    isImage: false,
    features,
    reference,
    difference: tf.sub(features, reference),
    offset: 0,
    valueAt: (z) => tf.sum(tf.mul(tf.matMul(tf.mean(z, [1, 2]) as tf.Tensor2D, kernel), gradient), 1) as tf.Tensor1D,
    dense: () => ({ kernel, gradient }),
  };
  // Rows of the classes, +1 and -1: 1 + 2 = 3, 3 - 0.5 = 2.5.
  expect([...(SALIENCY_FUNCTIONS.cam({ masked: at, weighed: at }).weights as tf.Tensor).dataSync()]).toEqual([3, 2.5]);
  const gradCam = [...(SALIENCY_FUNCTIONS["grad-cam"]({ masked: at, weighed: at }).weights as tf.Tensor).dataSync()];
  expect(gradCam.map((weight) => 4 * weight)).toEqual([3, 2.5]);
});

test("CAM needs that dense layer", () => {
  const { at } = toyPoint();
  expect(() =>
    SALIENCY_FUNCTIONS.cam({ masked: { ...at, dense: () => undefined }, weighed: { ...at, dense: () => undefined } }),
  ).toThrow(ConfigError);
});

test("integrated gradients sum to the target's rise from the reference", () => {
  const { at, point } = toyPoint();
  const { elements } = SALIENCY_FUNCTIONS["integrated-gradients"]({ masked: at, weighed: at });
  const sum = tf.sum(elements).dataSync()[0];
  const nothing = point.value(Array.from(point.features, (_, index) => point.reference[index % CHANNELS]));
  const rise = point.value(Array.from(point.features)) - nothing;
  // One per cent: the midpoint rule with 16 steps on a curve.
  expect(Math.abs(sum - rise) / Math.abs(rise)).toBeLessThan(0.01);
});

/** Keeps what the function returns, and nothing else. */
function inTidy<Result extends object>(run: () => Result): Result {
  let result: Result | undefined;
  tf.tidy(() => {
    result = run();
    return Object.values(result) as tf.Tensor[];
  });
  if (!result) throw new Error("nothing was returned");
  return result;
}

describe("every method", () => {
  for (const name of SALIENCY_NAMES) {
    test(`${name} explains each image of a batch as if it were alone, and leaves nothing behind`, () => {
      const [one, two] = [toyPoint({ seed: 1 }).at, toyPoint({ seed: 1 }).at];
      const other = tf.reverse(two.features, [1, 2]);
      const both: ExplainedLayer = {
        ...one,
        features: tf.concat([one.features, other], 0),
        reference: tf.concat([one.reference, tf.mul(one.reference, 0.5)], 0),
        difference: tf.concat([one.difference, tf.sub(other, tf.mul(one.reference, 0.5))], 0),
        dense: () => {
          const dense = one.dense();
          return dense && { kernel: dense.kernel, gradient: tf.concat([dense.gradient, dense.gradient], 0) };
        },
      };
      const before = tf.memory().numTensors;
      const [found, alone] = [both, one].map((point) =>
        inTidy(() => saliencyAt(name, { masked: point, weighed: point })),
      );
      const tensors = ({ map, maskMap, weights, evidence }: MappedSaliency) => ({ map, maskMap, ...evidence, weights });
      const [of, ofAlone] = [tensors(found), tensors(alone)];
      const all = [...Object.values(of), ...Object.values(ofAlone)].filter((tensor) => tensor !== undefined);
      expect(tf.memory().numTensors - before).toBe(new Set(all).size);
      for (const key of ["map", "maskMap", "elements", "net"] as const) {
        const [both, own] = [of[key].dataSync(), ofAlone[key].dataSync()];
        expect(of[key].shape[0]).toBe(2);
        expect(relativeError(both.slice(0, own.length), own), key).toBeLessThan(1e-5);
        if (key.endsWith("ap")) expect(Math.min(...both), key).toBeGreaterThanOrEqual(0);
      }
      expect(found.weights !== undefined).toBe(maskingsOf(name).includes("filter-weights"));
      expect(found.maskMap.shape[3]).toBe(granularityOf(name) === "element" ? CHANNELS : 1);
      expect(found.map.shape).toEqual([2, HEIGHT, WIDTH, 1]);
    });

    test(`${name} of a target that does not depend on the layer is nothing, not NaN`, () => {
      const { at } = toyPoint({ scale: 0 });
      const found = saliencyAt(name, { masked: at, weighed: at });
      for (const value of [
        ...found.map.dataSync(),
        ...found.evidence.elements.dataSync(),
        ...found.evidence.net.dataSync(),
        ...(found.weights?.dataSync() ?? []),
      ])
        expect(Number.isFinite(value)).toBe(true);
      // Score-CAM's softmax weighs filters alike that change nothing; the others have nothing to say.
      if (name !== "score-cam") expect(Math.max(...found.map.dataSync())).toBe(0);
    });
  }
});

describe("a map of another layer", () => {
  const at = (size: number, offset: number): ExplainedLayer =>
    ({ features: tf.zeros([1, size, size, 1]), offset }) as unknown as ExplainedLayer;

  test("is enlarged bilinearly, and moved to where its cells lie", () => {
    const map = tf.tensor4d([0, 4, 8, 12], [1, 2, 2, 1]);
    const enlarged = resampleMap(map, { masked: at(8, 0), weighed: at(2, 0) });
    expect(enlarged.shape).toEqual([1, 8, 8, 1]);
    // Half-pixel centres: column j of 8 lies at (j + 0.5) / 4 - 0.5, cut to 0..1.
    expect([...enlarged.dataSync().slice(0, 8)]).toEqual([0, 0, 0.5, 1.5, 2.5, 3.5, 4, 4]);
    const moved = resampleMap(map, { masked: at(8, 0), weighed: at(2, 0.25) });
    // Two pixels right and down: row 5 shows row 3, which lies at 3.5 / 4 - 0.5 = 0.375 between the two, 3 above the
    // first row.
    expect([...moved.dataSync().slice(40, 48)]).toEqual([3.5, 3, 3, 3, 3.5, 4.5, 5.5, 6.5]);
    const back = resampleMap(map, { masked: at(8, 0), weighed: at(2, -0.25) });
    // The other way: row 1 shows row 3, and the last columns mirror the edge.
    expect([...back.dataSync().slice(8, 16)]).toEqual([3.5, 4.5, 5.5, 6.5, 7, 7, 7, 6.5]);
  });

  test("of the same layer stays as it is", () => {
    const place = at(2, 0);
    const map = tf.tensor4d([0, 4, 8, 12], [1, 2, 2, 1]);
    expect(resampleMap(map, { masked: place, weighed: place })).toBe(map);
  });
});
