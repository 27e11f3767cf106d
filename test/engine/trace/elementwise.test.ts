import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { drawnCase, expectAsEager, layoutCase, onBothLayouts, withGradients } from "./compare.js";

beforeAll(() => tf.setBackend("cpu"));

test("equals eager functions of one number, and their gradients, in both layouts", async () => {
  const cases: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
    abs: tf.abs,
    atan: tf.atan,
    clip: (x) => tf.clipByValue(x, -0.3, 0.4),
    cos: tf.cos,
    elu: tf.elu,
    erf: tf.erf,
    exp: tf.exp,
    expm1: tf.expm1,
    leaky: (x) => tf.leakyRelu(x, 0.1),
    log: (x) => tf.log(tf.add(tf.abs(x), 0.1)),
    log1p: (x) => tf.log1p(tf.square(x)),
    neg: tf.neg,
    pow: (x) => tf.pow(tf.add(tf.abs(x), 0.1), 1.7),
    cube: (x) => tf.pow(tf.add(tf.abs(x), 0.1), 3),
    prelu: (x) => tf.prelu(x, tf.tensor([0.2, 0.3, 0.1, 0.5])),
    reciprocal: (x) => tf.reciprocal(tf.add(tf.square(x), 0.5)),
    relu: tf.relu,
    relu6: (x) => tf.relu6(tf.mul(x, 9)),
    rsqrt: (x) => tf.rsqrt(tf.add(tf.square(x), 0.1)),
    selu: tf.selu,
    sigmoid: tf.sigmoid,
    sin: tf.sin,
    softplus: tf.softplus,
    sqrt: (x) => tf.sqrt(tf.add(tf.square(x), 0.1)),
    square: tf.square,
    step: (x) => tf.step(x, 0.25),
    tanh: tf.tanh,
    softmax: (x) => tf.softmax(x),
    logSoftmax: (x) => tf.logSoftmax(x),
    logSumExp: (x) => tf.logSumExp(x, -1),
    norm: (x) => tf.norm(x, 2, -1),
    variance: (x) => tf.moments(x, [0, 1, 2]).variance,
    addN: (x) => tf.addN([x, tf.relu(x), tf.square(x)]),
    where: (x) => tf.where(tf.tensor1d([1, 0, 0, 1], "bool"), tf.mul(x, 2), tf.neg(x)),
    batchNorm: (x) =>
      tf.batchNorm(x, tf.linspace(-1, 1, 4), tf.linspace(0.5, 1, 4), tf.linspace(0, 1, 4), tf.linspace(1, 2, 4)),
  };
  await expectAsEager(onBothLayouts(cases), layoutCase(1));
});

test("equals eager rounding, comparison and logic, which have no gradient", async () => {
  const cases: Record<string, (x: tf.Tensor4D) => tf.Tensor> = {
    ceil: (x) => tf.ceil(tf.mul(x, 4)),
    floor: (x) => tf.floor(tf.mul(x, 4)),
    round: (x) => tf.round(tf.mul(x, 4)),
    sign: tf.sign,
    mod: (x) => tf.mod(tf.mul(x, 4), 0.7),
    modInt: (x) => tf.mod(tf.cast(tf.mul(x, 9), "int32"), tf.scalar(4, "int32")),
    floorDiv: (x) => tf.floorDiv(tf.cast(tf.mul(x, 9), "int32"), tf.scalar(4, "int32")),
    toInt: (x) => tf.cast(tf.mul(x, 9), "int32"),
    toBool: (x) => tf.cast(tf.relu(x), "bool"),
    greater: (x) => tf.greater(x, 0.1),
    greaterEqual: (x) => tf.greaterEqual(x, x),
    less: (x) => tf.less(x, tf.tensor([0, 0.1, 0.2, 0.3])),
    lessEqual: (x) => tf.lessEqual(x, 0),
    equal: (x) => tf.equal(tf.step(x), 1),
    notEqual: (x) => tf.notEqual(tf.step(x), 1),
    and: (x) => tf.logicalAnd(tf.greater(x, 0), tf.less(x, 0.5)),
    or: (x) => tf.logicalOr(tf.greater(x, 0), tf.less(x, -0.5)),
    xor: (x) => tf.logicalXor(tf.greater(x, 0), tf.less(x, 0.5)),
    not: (x) => tf.logicalNot(tf.greater(x, 0)),
    isNaN: (x) => tf.isNaN(tf.log(x)),
    isInf: (x) => tf.isInf(tf.log(tf.relu(x))),
    isFinite: (x) => tf.isFinite(tf.log(tf.relu(x))),
    boolTimesBool: (x) => tf.mul(tf.greater(x, 0), tf.less(x, 0.5)),
    boolSum: (x) => tf.sum(tf.greater(x, 0), [1, 2]),
    where: (x) => tf.where(tf.greater(x, 0), tf.mul(x, 2), tf.scalar(3)),
  };
  await expectAsEager(onBothLayouts(cases, { hasGradient: false }), layoutCase(2));
});

test.each([
  [[]],
  [[1]],
  [[4]],
  [[6, 1]],
  [[6, 4]],
  [[5, 6, 4]],
  [[2, 1, 1, 4]],
  [[1, 5, 6, 1]],
  [[2, 5, 6, 1]],
  [[1, 1, 1, 4]],
  [[2, 1, 1, 1]],
  [[2, 5, 6, 4]],
])("broadcasts against %j in both layouts, gradients included", async (shape) => {
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
  await expectAsEager(fn, drawnCase({ x: [2, 5, 6, 4], w: [1, 1, 4, 4], b: shape }, 3));
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
