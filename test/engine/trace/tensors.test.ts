import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { drawnCase, expectAsEager, layoutCase, onBothLayouts, withGradients } from "./compare.js";

beforeAll(() => tf.setBackend("cpu"));

test("equals eager reductions over any axes, and their gradients", async () => {
  const cases: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {};
  for (const axes of [[1, 2], [0, 1, 2], [3], [0], [1], [2, 3], [0, 1, 2, 3], [0, 3]]) {
    for (const keepDims of [true, false]) {
      cases[`sum ${axes} ${keepDims}`] = (x) => tf.sum(x, axes, keepDims);
      cases[`mean ${axes} ${keepDims}`] = (x) => tf.mean(x, axes, keepDims);
      cases[`max ${axes} ${keepDims}`] = (x) => tf.max(x, axes, keepDims);
      cases[`min ${axes} ${keepDims}`] = (x) => tf.min(x, axes, keepDims);
    }
  }
  cases["sum of lazily repeated"] = (x) => tf.sum(tf.broadcastTo(tf.mean(x, [1, 2], true), [2, 5, 6, 4]), [1, 3]);
  await expectAsEager(onBothLayouts(cases), layoutCase(4));
});

test("equals eager products, extremes' places and quantifiers", async () => {
  const cases: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
    prod: (x) => tf.prod(x, 1),
    argMax: (x) => tf.argMax(x, -1),
    argMin: (x) => tf.argMin(x, 1),
    all: (x) => tf.all(tf.less(x, 0.9), 3),
    any: (x) => tf.any(tf.greater(x, 0.9), [1, 2]),
    topValues: (x) => tf.topk(tf.reshape(x, [2, -1]), 7).values,
    topIndices: (x) => tf.topk(tf.reshape(x, [2, -1]), 7).indices,
    chosen: (x) => tf.mul(x, tf.oneHot(tf.argMax(x, -1), 4)),
  };
  await expectAsEager(onBothLayouts(cases, { hasGradient: false }), layoutCase(5));
});

test("equals eager reshaping, cutting, joining and repeating, and their gradients", async () => {
  const cases: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
    reshape: (x) => tf.reshape(x, [2, 30, 4]),
    flat: (x) => tf.reshape(x, [2, -1]),
    five: (x) => tf.reshape(x, [2, 5, 6, 2, 2]),
    squeeze: (x) => tf.squeeze(tf.mean(x, [1], true), [1]),
    expand: (x) => tf.squeeze(tf.mul(tf.expandDims(x, 1), 2), [1]),
    transpose: (x) => tf.transpose(x, [0, 3, 1, 2]),
    twice: (x) => tf.transpose(tf.mul(tf.transpose(x, [3, 1, 0, 2]), 2), [2, 1, 3, 0]),
    concat3: (x) => tf.concat([x, tf.mul(x, 2)], 3),
    concat1: (x) => tf.concat([x, tf.mul(x, 2)], 1),
    concat0: (x) => tf.concat([x, tf.zerosLike(x)], 0),
    slice: (x) => tf.slice(x, [0, 1, 2, 1], [2, 3, 4, 2]),
    sliceImage: (x) => tf.slice(x, [1, 0, 0, 0], [1, -1, -1, -1]),
    sliceRepeated: (x) => tf.slice(tf.broadcastTo(tf.mean(x, [1, 2], true), [2, 5, 6, 4]), [0, 1, 2, 1], [1, 3, 4, 2]),
    split: (x) => {
      const [a, b] = tf.split(x, 2, 3);
      return tf.mul(a, b);
    },
    stack: (x) => tf.stack([x, tf.relu(x)], 1),
    unstack: (x) => {
      const [a, b] = tf.unstack(x, 0);
      return tf.mul(a, b);
    },
    pad: (x) =>
      tf.pad(
        x,
        [
          [0, 0],
          [1, 2],
          [0, 1],
          [0, 0],
        ],
        0.5,
      ),
    tile: (x) => tf.tile(x, [1, 2, 1, 3]),
    tileRepeated: (x) => tf.tile(tf.mean(x, [1, 2], true), [1, 5, 6, 1]),
    broadcastTo: (x) => tf.broadcastTo(tf.mean(x, [1, 2], true), [2, 5, 6, 4]),
    reverse: (x) => tf.reverse(x, [1, 3]),
    gather0: (x) => tf.gather(x, tf.tensor1d([1, 0, 1], "int32"), 0),
    gather3: (x) => tf.gather(x, tf.tensor1d([3, 2], "int32"), 3),
    cumsum: (x) => tf.cumsum(x, 3),
    cumsumBackwards: (x) => tf.cumsum(x, 3, true, true),
    oneHot: (x) => tf.mul(x, tf.reshape(tf.oneHot(tf.tensor1d([1, 3], "int32"), 4), [2, 1, 1, 4])),
  };
  await expectAsEager(onBothLayouts(cases), layoutCase(6));
});

test("equals eager kernels that move values by index", async () => {
  const places = () => tf.tensor2d([1, 0, 0, 2], [2, 2], "int32");
  const cases: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
    gatherND: (x) => tf.gatherND(x, places()),
    scatterND: (x) => tf.scatterND(places(), tf.slice(tf.reshape(x, [-1]), 0, 2), [3, 4]),
    depthToSpace: (x) => tf.depthToSpace(x, 2),
    mirrorPad: (x) =>
      tf.mirrorPad(
        x,
        [
          [0, 0],
          [1, 2],
          [2, 1],
          [0, 0],
        ],
        "reflect",
      ),
    segmentSum: (x) => tf.unsortedSegmentSum(tf.reshape(x, [6, 40]), tf.tensor1d([2, 0, 2, 1, 1, 0], "int32"), 4),
    range: (x) => tf.add(x, tf.range(0, 4)),
    cumsum: (x) => tf.cumsum(x, 1),
    strided: (x) => tf.stridedSlice(x, [0, 0, 1, 0], [2, 5, 6, 4], [1, 2, 2, 1]),
  };
  await expectAsEager(onBothLayouts(cases, { hasGradient: false }), layoutCase(7));
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

test.each(["linear", "relu", "relu6", "sigmoid", "elu"] as const)(
  "fuses %s with bias into products",
  async (activation) => {
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
    const shapes = { x: [2, 5, 6, 4], w: [3, 3, 4, 4], d: [3, 3, 4, 1], b: [4], p: [4, 6], q: [6, 5], r: [5] };
    await expectAsEager(fn, drawnCase(shapes, 9));
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
