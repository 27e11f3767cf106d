import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { extremeCases, indexCases, reductionCases, viewCases } from "./cases.js";
import { drawnCase, expectAsEager, forms, layoutCase, onBothLayouts, withGradients } from "./compare.js";

beforeAll(() => tf.setBackend("cpu"));

test.each(forms)("equals eager reductions over any axes, and their gradients, %s", async (_, { block, channels }) => {
  const given = layoutCase(4, [2, 5, 6, channels]);
  await expectAsEager(onBothLayouts(reductionCases(channels)), given, { block });
});

test.each(forms)("equals eager products, extremes' places and quantifiers, %s", async (_, { block, channels }) => {
  const given = layoutCase(5, [2, 5, 6, channels]);
  await expectAsEager(onBothLayouts(extremeCases(channels), { hasGradient: false }), given, { block });
});

test.each(forms)(
  "equals eager reshaping, cutting, joining and repeating, and their gradients, %s",
  async (_, { block, channels }) => {
    const given = layoutCase(6, [2, 5, 6, channels]);
    await expectAsEager(onBothLayouts(viewCases(channels)), given, { block });
  },
);

test.each(forms)("equals eager kernels that move values by index, %s", async (_, { block, channels }) => {
  const given = layoutCase(7, [2, 5, 6, channels]);
  await expectAsEager(onBothLayouts(indexCases(channels), { hasGradient: false }), given, { block });
});

test.each([
  { a: [4, 6], b: [6, 5], transposeA: false, transposeB: false },
  { a: [6, 4], b: [6, 5], transposeA: true, transposeB: false },
  { a: [4, 6], b: [5, 6], transposeA: false, transposeB: true },
  { a: [6, 4], b: [5, 6], transposeA: true, transposeB: true },
  { a: [3, 4, 6], b: [3, 6, 5], transposeA: false, transposeB: false },
  { a: [2, 3, 6, 4], b: [2, 3, 6, 5], transposeA: true, transposeB: false },
])("equals the eager product of $a and $b, $transposeA $transposeB, and its gradients", async (options) => {
  const { transposeA, transposeB } = options;
  const product = ({ a, b }: Tensors) => tf.matMul(a, b, transposeA, transposeB);
  await expectAsEager(withGradients(product), drawnCase({ a: options.a, b: options.b }, 8));
});

const activations = ["linear", "relu", "relu6", "sigmoid", "elu"] as const;

test.each(forms.flatMap(([form, options]) => activations.map((activation) => ({ form, ...options, activation }))))(
  "fuses $activation with bias into products, $form",
  async ({ activation, block, channels: c }) => {
    const fn = ({ x, w, d, b, p, q, r }: Tensors) => ({
      conv: tf.fused.conv2d({
        x: x as tf.Tensor4D,
        filter: w as tf.Tensor4D,
        bias: b,
        strides: 1,
        pad: "same",
        activation,
      }),
      depthwise: tf.fused.depthwiseConv2d({
        x: x as tf.Tensor4D,
        filter: d as tf.Tensor4D,
        bias: b,
        strides: 2,
        pad: "same",
        activation,
      }),
      dense: tf.fused.matMul({ a: p, b: q, bias: r, activation }),
    });
    const shapes = { x: [2, 5, 6, c], w: [3, 3, c, c], d: [3, 3, c, 1], b: [c], p: [4, 6], q: [6, 5], r: [5] };
    await expectAsEager(fn, drawnCase(shapes, 9), { block });
  },
);

test("moves unit axes and transposes without a node", () => {
  const fn = ({ x }: Tensors) => ({
    y: tf.exp(tf.transpose(tf.expandDims(tf.transpose(x, [0, 2, 1]), 1), [0, 1, 3, 2])),
  });
  expect(trace(fn, { inputs: { x: [2, 3, 4] } }).operators).toEqual({ Reshape: 1, Exp: 1 });
});

test("an added channel vector becomes the bias of the convolution before it", () => {
  const fn = ({ x, w, b }: Tensors) => ({
    y: tf.relu(tf.add(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, "same"), b)),
  });
  const inputs = { x: [1, 4, 4, 2], w: [3, 3, 2, 3], b: [3] };
  expect(trace(fn, { inputs }).operators.Add).toBeUndefined();
  // Here the sum repeats the only channel, which no bias can.
  expect(trace(fn, { inputs: { ...inputs, w: [3, 3, 2, 1] } }).operators.Add).toBe(1);
});
