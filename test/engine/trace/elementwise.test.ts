import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { functionCases, logicCases } from "./cases.js";
import { drawnCase, expectAsEager, forms, layoutCase, onBothLayouts, withGradients } from "./compare.js";

beforeAll(() => tf.setBackend("cpu"));

test.each(forms)(
  "equals eager functions of one number, and their gradients, in both layouts, %s",
  async (_, { block, channels }) => {
    const given = layoutCase(1, [2, 5, 6, channels]);
    await expectAsEager(onBothLayouts(functionCases(channels)), given, { block });
  },
);

test.each(forms)(
  "equals eager rounding, comparison and logic, which have no gradient, %s",
  async (_, { block, channels }) => {
    const given = layoutCase(2, [2, 5, 6, channels]);
    await expectAsEager(onBothLayouts(logicCases(channels), { hasGradient: false }), given, { block });
  },
);

const shapes = (c: number) => [
  [],
  [1],
  [c],
  [6, 1],
  [6, c],
  [5, 6, c],
  [2, 1, 1, c],
  [1, 5, 6, 1],
  [2, 5, 6, 1],
  [1, 1, 1, c],
  [2, 1, 1, 1],
  [2, 5, 6, c],
];

test.each(
  forms.flatMap(([form, { block, channels }]) => shapes(channels).map((shape) => ({ form, block, channels, shape }))),
)("broadcasts against $shape in both layouts, gradients included, $form", async ({ block, channels: c, shape }) => {
  const operations: Record<string, (a: tf.Tensor, b: tf.Tensor) => tf.Tensor> = {
    add: tf.add,
    sub: tf.sub,
    reversed: (a, b) => tf.sub(b, a),
    mul: tf.mul,
    div: (a, b) => tf.div(a, tf.add(tf.square(b), 1)),
  };
  const fn = ({ x, w, b }: Tensors) => {
    const outputs: Record<string, tf.Tensor> = {
      // TensorFlow.js has no broadcast gradient for these.
      max: tf.maximum(x, b),
      min: tf.minimum(x, b),
      squaredDifference: tf.squaredDifference(x, b),
    };
    for (const [name, operation] of Object.entries(operations)) {
      const plain = withGradients(({ x, b }) => operation(x, b))({ x, b });
      const conv = (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same");
      const permuted = withGradients(({ x, b }) => operation(conv(x), b))({ x, b });
      for (const [key, value] of Object.entries(plain)) outputs[`${name}, row-major, ${key}`] = value;
      for (const [key, value] of Object.entries(permuted)) outputs[`${name}, NCHW, ${key}`] = value;
    }
    return outputs;
  };
  await expectAsEager(fn, drawnCase({ x: [2, 5, 6, c], w: [1, 1, c, c], b: shape }, 3), { block });
});

test("records an expression once, folds repeated numbers and needs no node for x * 1 + 0", () => {
  const inputs = { x: [3, 4] };
  const twice = trace(({ x }) => ({ y: tf.add(tf.mul(tf.exp(x), x), tf.mul(tf.exp(x), x)) }), { inputs });
  expect(twice.operators).toEqual({ Exp: 1, Mul: 1, Add: 1 });
  const folded = trace(({ x }) => ({ y: tf.mul(x, tf.sqrt(tf.add(tf.ones([4]), 3))) }), { inputs });
  expect(folded.operators).toEqual({ Reshape: 2, Mul: 1 });
  const nothing = trace(({ x }) => ({ y: tf.exp(tf.add(tf.mul(x, 1), tf.zeros([3, 4]))) }), { inputs });
  expect(nothing.operators).toEqual({ Exp: 1 });
});

test("rectifier gradients are zero at the bounds and outside", async () => {
  const given = { shapes: { x: [6] }, data: { x: Float32Array.of(-1, 0, 1e-6, 3, 6, 7) } };
  const { runTraced } = await import("./run-traced.js");
  const slope = (fn: (x: tf.Tensor) => tf.Tensor) => tf.grad((x: tf.Tensor) => tf.sum(fn(x)));
  const results = await runTraced(({ x }) => ({ relu: slope(tf.relu)(x), relu6: slope(tf.relu6)(x) }), given);
  expect([...results.relu.data]).toEqual([0, 0, 1, 1, 1, 1]);
  expect([...results.relu6.data]).toEqual([0, 0, 1, 1, 0, 0]);
});
