import * as tf from "@tensorflow/tfjs";
import { beforeAll, describe, expect, test } from "vitest";
import { type Random, random } from "../../../src/core/random.js";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { depthToSpace } from "../../../src/ops/depth-to-space.js";
import { resizeBilinear } from "../../../src/ops/resize-bilinear.js";
import { drawn, drawnCase, expectEqual } from "./compare.js";
import { block, type Case, runEager, runTraced } from "./run-traced.js";

beforeAll(() => tf.setBackend("cpu"));

type Branch = (x: tf.Tensor4D, number: (shape: readonly number[]) => tf.Tensor) => Tensors;

/** Constants of its own for every branch, the same at each call. */
function branches(count: number, seed: number, branch: Branch): (inputs: Tensors) => Tensors {
  return ({ x }) => {
    const outputs: Record<string, tf.Tensor> = {};
    for (let index = 0; index < count; index++) {
      let drawnCount = 0;
      const number = (shape: readonly number[]) =>
        tf.tensor(drawn(shape, random(seed, `${index} ${drawnCount++}`)), [...shape]);
      for (const [name, value] of Object.entries(branch(x as tf.Tensor4D, number))) outputs[`${name}${index}`] = value;
    }
    return outputs;
  };
}

async function expectAsEager(fn: (inputs: Tensors) => Tensors, given: Case): Promise<void> {
  const wanted = runEager(fn, given);
  for (const form of new Set([0, block])) {
    const actual = await runTraced(fn, given, { block: form });
    for (const [name, result] of Object.entries(wanted)) expectEqual(actual[name], result, `${name}, block ${form}`);
  }
}

const nodesOf = (fn: (inputs: Tensors) => Tensors, { shapes }: Case, form = 0) =>
  trace(fn, { inputs: shapes, block: form });

/** As a segmentation head, with its gradient. */
const mask: Branch = (x, number) => {
  const reduce = number([1, 1, 32, 16]) as tf.Tensor4D;
  const around = number([3, 3, 16, 1]) as tf.Tensor4D;
  const fine = number([1, 1, 16, 16]) as tf.Tensor4D;
  const [bias, threshold] = [number([16]), number([])];
  const forward = (given: tf.Tensor) => {
    const reduced = tf.relu(tf.add(tf.conv2d(given as tf.Tensor4D, reduce, 1, "same"), bias));
    const mixed = tf.relu(tf.depthwiseConv2d(reduced as tf.Tensor4D, around, 1, "same"));
    const image = depthToSpace(tf.conv2d(mixed as tf.Tensor4D, fine, 1, "same"), 2);
    return resizeBilinear(image as tf.Tensor4D, [15, 15]);
  };
  const [first, second] = tf.split(forward(tf.concat([x, tf.mul(x, 0.5)], 0)), 2);
  const region = tf.cast(tf.greaterEqual(first, threshold), "float32");
  const gradient = tf.grad((at) => tf.sum(tf.mul(forward(at), region)))(x);
  const evidence = tf.mul(gradient, x);
  return { first, second, evidence, sums: tf.sum(evidence, 3, true), norm: tf.sum(tf.square(evidence), [1, 2, 3]) };
};

/** As a presence head. */
const presence: Branch = (x, number) => {
  const reduced = tf.relu(
    tf.add(tf.conv2d(x, number([1, 1, 32, 16]) as tf.Tensor4D, 1, "same"), number([16])),
  ) as tf.Tensor4D;
  const pooled = tf.concat([tf.max(reduced, [1, 2]), tf.mean(reduced, [1, 2])], 1) as tf.Tensor2D;
  return { logit: tf.add(tf.matMul(pooled, number([32, 1]) as tf.Tensor2D), number([1])) };
};

describe("alike branches", () => {
  const given = drawnCase({ x: [1, 6, 6, 32] }, 3);
  const many = drawnCase({ x: [3, 6, 6, 32] }, 4);

  test.each([
    ["of masks", mask],
    ["of presence", presence],
  ])("%s give what they give one by one", async (_, branch) => {
    for (const count of [2, 5]) await expectAsEager(branches(count, 7, branch), given);
    await expectAsEager(branches(3, 8, branch), many);
  });

  test("cost no node each, beside those that join their constants", () => {
    for (const form of new Set([0, block])) {
      const [two, eight] = [2, 8].map((count) => nodesOf(branches(count, 7, mask), given, form));
      expect(eight.operators.Conv ?? eight.operators["nchwc.Conv"]).toBe(
        two.operators.Conv ?? two.operators["nchwc.Conv"],
      );
      // A filter that is mirrored in the graph, which the runtime folds.
      expect(eight.nodeCount - two.nodeCount).toBeLessThanOrEqual(6);
    }
  });

  test("of two kinds are joined kind by kind", async () => {
    const both = (inputs: Tensors) => ({
      ...branches(3, 7, mask)(inputs),
      ...branches(2, 9, presence)(inputs),
    });
    await expectAsEager(both, given);
    expect(nodesOf(both, given).nodeCount).toBeLessThan(
      nodesOf(branches(2, 7, mask), given).nodeCount + nodesOf(branches(2, 9, presence), given).nodeCount,
    );
  });

  test("that read each other's results keep them apart", async () => {
    const crossed = ({ x }: Tensors) => {
      const filters = [0, 1, 2].map((index) => tf.tensor(drawn([1, 1, 32, 16], random(5, `${index}`)), [1, 1, 32, 16]));
      const parts = filters.map((filter) => tf.relu(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same")));
      const swapped = parts.map((part, index) => tf.sub(part, parts[(index + 1) % 3]));
      return Object.fromEntries([...swapped, ...parts].map((value, index) => [`y${index}`, tf.tanh(value)]));
    };
    await expectAsEager(crossed, many);
  });

  test("whose weights are inputs stay apart", async () => {
    const shapes = { x: [2, 5, 5, 16], a: [1, 1, 16, 16], b: [1, 1, 16, 16] };
    const fn = ({ x, ...filters }: Tensors) =>
      Object.fromEntries(
        Object.entries(filters).map(([name, filter]) => [
          `y${name}`,
          tf.relu(tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, 1, "same")),
        ]),
      );
    const given = drawnCase(shapes, 6);
    await expectAsEager(fn, given);
    expect(nodesOf(fn, given).operators).toMatchObject({ Conv: 2 });
  });

  test.each(Array.from({ length: 40 }, (_, seed) => seed))("drawn at random, %i", async (seed) => {
    const source = random(seed, "branches");
    const batch = 1 + source.integer(3);
    const drawnBranch = drawBranch(seed, source);
    const shared = drawnCase({ x: [batch, 6, 6, 16] }, seed);
    await expectAsEager(branches(2 + source.integer(3), seed, drawnBranch), shared);
  });
});

/** The same steps in every branch, drawn from a seed. */
function drawBranch(seed: number, source: Random): Branch {
  const steps = Array.from({ length: 3 + source.integer(6) }, () => source.integer(STEPS.length));
  const isDeep = source.integer(2) === 0;
  return (x, number) => {
    const width = isDeep ? 16 : 8;
    let value: tf.Tensor = tf.conv2d(x, number([1, 1, 16, width]) as tf.Tensor4D, 1, "same");
    const first = value;
    for (const [index, step] of steps.entries()) value = STEPS[step](value, { number, first, seed: seed + index });
    return { value, first: tf.neg(first), gradient: tf.mul(value, 2) };
  };
}

type Step = (
  value: tf.Tensor,
  given: { number: (shape: readonly number[]) => tf.Tensor; first: tf.Tensor; seed: number },
) => tf.Tensor;

/** Of `[batch, height, width, channels]`; what does not fit is left out. */
const STEPS: readonly Step[] = [
  (value) => tf.relu(value),
  (value) => tf.tanh(value),
  (value, { number }) => tf.add(value, number([value.shape[3] as number])),
  (value, { number }) => tf.mul(value, number([])),
  (value) => tf.sub(0.3, value),
  (value, { first }) => (String(value.shape) === String(first.shape) ? tf.mul(value, first) : tf.square(value)),
  (value, { seed }) => tf.mul(value, tf.tensor(drawn(value.shape, random(seed, "shared")), value.shape)),
  (value, { seed }) => {
    const channels = value.shape[3] as number;
    return tf.maximum(value, tf.tensor(drawn([channels], random(seed, "shared")), [channels]));
  },
  (value, { number }) => {
    const channels = value.shape[3] as number;
    return tf.conv2d(value as tf.Tensor4D, number([3, 3, channels, 16]) as tf.Tensor4D, 1, "same");
  },
  (value, { number }) => {
    const channels = value.shape[3] as number;
    return tf.depthwiseConv2d(value as tf.Tensor4D, number([3, 3, channels, 1]) as tf.Tensor4D, 1, "same");
  },
  (value) => tf.maxPool(value as tf.Tensor4D, 3, 1, "same"),
  (value) => tf.avgPool(value as tf.Tensor4D, 2, 1, "same"),
  (value) => ((value.shape[3] as number) % 4 === 0 ? tf.depthToSpace(value as tf.Tensor4D, 2) : value),
  (value) => tf.image.resizeBilinear(value as tf.Tensor4D, [7, 5], false, true),
  (value) => tf.sum(value, 3, true),
  (value) => tf.mean(value, [1, 2], true),
  (value) => tf.max(value, 0, true),
  (value) => tf.slice(value, [value.shape[0] - 1, 0, 0, 0], [1, -1, -1, -1]),
  (value) => tf.transpose(value, [0, 2, 1, 3]),
  (value) => tf.concat([value, tf.neg(value)], 3),
  (value) => tf.concat([value, value], 0),
  (value, { number }) => tf.where(tf.greater(value, number([])), value, tf.zerosLike(value)),
  (value) => tf.div(value, tf.add(tf.abs(tf.sum(value, [1, 2, 3], true)), 1)),
];
