import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { random } from "../../../src/core/random.js";
import type { Tensors } from "../../../src/engine/engine.js";
import { trace } from "../../../src/engine/trace/trace.js";
import { drawn } from "./compare.js";
import { runEager, runGraph } from "./run-traced.js";

beforeAll(() => tf.setBackend("cpu"));

const SHAPES = { first: [3, 3, 3, 8], deep: [3, 3, 8, 1], bias: [8], dense: [8, 5], offset: [5] } as const;
const NAMES = Object.keys(SHAPES) as (keyof typeof SHAPES)[];
const DATA = { x: [4, 9, 8, 3], y: [4, 5], rate: [] } as const;

/** Two convolutions with batch statistics and relu6, pooling, a dense layer, cross-entropy and Adam in one function. */
function step(inputs: Tensors): Tensors {
  const loss = (first: tf.Tensor, deep: tf.Tensor, bias: tf.Tensor, dense: tf.Tensor, offset: tf.Tensor) => {
    const wide = tf.conv2d(inputs.x as tf.Tensor4D, first as tf.Tensor4D, 2, "same");
    const { mean, variance } = tf.moments(wide, [0, 1, 2]);
    const normal = tf.relu6(tf.add(tf.mul(tf.sub(wide, mean), tf.rsqrt(tf.add(variance, 1e-3))), bias));
    const second = tf.relu(tf.depthwiseConv2d(normal as tf.Tensor4D, deep as tf.Tensor4D, 1, "same"));
    const logits = tf.add(tf.matMul(tf.mean(second, [1, 2]), dense as tf.Tensor2D), offset);
    return tf.losses.softmaxCrossEntropy(inputs.y, logits) as tf.Scalar;
  };
  const parameters = NAMES.map((name) => inputs[name]);
  const { value, grads } = tf.valueAndGrads(loss as never)(parameters);
  const outputs: Record<string, tf.Tensor> = { loss: value };
  for (const [index, name] of NAMES.entries()) {
    const first = tf.add(tf.mul(inputs[`m/${name}`], 0.9), tf.mul(grads[index], 0.1));
    const second = tf.add(tf.mul(inputs[`v/${name}`], 0.999), tf.mul(tf.square(grads[index]), 0.001));
    const change = tf.mul(tf.div(first, tf.add(tf.sqrt(second), 1e-3)), inputs.rate);
    outputs[`new/${name}`] = tf.sub(parameters[index], change);
    outputs[`new/m/${name}`] = first;
    outputs[`new/v/${name}`] = second;
  }
  return outputs;
}

test("five Adam steps of a small network equal eager ones within 1e-4", async () => {
  const shapes: Record<string, readonly number[]> = { ...DATA };
  for (const name of NAMES) for (const kind of ["", "m/", "v/"]) shapes[kind + name] = SHAPES[name];
  const graph = trace(step, { inputs: shapes });
  const start: Record<string, Float32Array> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    start[name] = name.includes("/") ? drawn(shape, random(0)).fill(0) : drawn(shape, random(3, name));
  }
  let [ours, eager] = [start, start];
  const next = (results: Awaited<ReturnType<typeof runGraph>>) =>
    Object.fromEntries(
      Object.entries(results).flatMap(([name, { data }]) =>
        name.startsWith("new/") ? [[name.slice("new/".length), Float32Array.from(data)]] : [],
      ),
    );
  for (let index = 0; index < 5; index++) {
    const x = drawn(DATA.x, random(5, index));
    const y = Float32Array.from({ length: 20 }, (_, place) =>
      Number(place % 5 === (Math.floor(place / 5) + index) % 5),
    );
    const given = { x, y, rate: Float32Array.of(0.01) };
    const actual = await runGraph(graph, { ...ours, ...given });
    const wanted = runEager(step, { shapes, data: { ...eager, ...given } });
    expect(actual.loss.data[0]).toBeCloseTo(wanted.loss.data[0], 5);
    [ours, eager] = [next(actual), next(wanted)];
  }
  for (const name of NAMES) {
    const apart = eager[name].map((value, index) => Math.abs(value - ours[name][index]));
    expect(Math.max(...apart), name).toBeLessThan(1e-4);
    const moved = eager[name].map((value, index) => Math.abs(value - start[name][index]));
    expect(Math.max(...moved), `${name} moved`).toBeGreaterThan(1e-2);
  }
});
