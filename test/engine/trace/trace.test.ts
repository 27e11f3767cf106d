import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { trace } from "../../../src/engine/trace/trace.js";
import { runEager, runGraph, runTraced } from "./run-traced.js";

beforeAll(() => tf.setBackend("cpu"));

test("records a dense layer and its gradients", async () => {
  const given = {
    shapes: { x: [2, 3], w: [3, 2], b: [2] },
    data: {
      x: Float32Array.of(1, 2, 3, -1, 0, 2),
      w: Float32Array.of(1, -1, 0.5, 2, -1, 1),
      b: Float32Array.of(0.5, -3),
    },
  };
  const layer = ({ x, w, b }: Readonly<Record<string, tf.Tensor>>) => {
    const [dx, dw, db] = tf.grads((p: tf.Tensor, q: tf.Tensor, r: tf.Tensor) =>
      tf.sum(tf.square(tf.relu(tf.add(tf.matMul(p as tf.Tensor2D, q as tf.Tensor2D), r)))),
    )([x, w, b]);
    return { dx, dw, db };
  };
  const [traced, eager] = [await runTraced(layer, given), runEager(layer, given)];
  for (const name of ["dx", "dw", "db"]) {
    expect(traced[name].shape).toEqual(eager[name].shape);
    for (const [index, value] of eager[name].data.entries()) expect(traced[name].data[index]).toBeCloseTo(value, 4);
  }
});

test("names the used inputs, the unused ones and the outputs", async () => {
  const graph = trace(({ a, b }) => ({ sum: tf.add(a, 1), one: tf.ones([2]), same: b }), {
    inputs: { a: [2], b: [3], c: [4] },
  });
  expect(graph.inputs.map((port) => port.name)).toEqual(["a", "b"]);
  expect(graph.unused).toEqual(["c"]);
  expect(graph.outputs).toEqual([
    { name: "sum", shape: [2], dtype: "float32" },
    { name: "one", shape: [2], dtype: "float32" },
    { name: "same", shape: [3], dtype: "float32" },
  ]);
  const results = await runGraph(graph, { a: Float32Array.of(1, 2), b: Float32Array.of(3, 4, 5) });
  expect([...results.sum.data, ...results.one.data, ...results.same.data]).toEqual([2, 3, 1, 1, 3, 4, 5]);
});

test("leaves no tensor, backend, random source or gradient changed, even after a throw", () => {
  const { random } = Math;
  const [relu, relu6] = [tf.getGradient("Relu"), tf.getGradient("Relu6")];
  const { numTensors } = tf.memory();
  const limit = Error.stackTraceLimit;
  const inputs = { x: [2] };
  trace(({ x }) => ({ y: tf.keep(tf.relu(x)) }), { inputs });
  const failing = ({ x }: Readonly<Record<string, tf.Tensor>>): never => {
    tf.keep(tf.mul(x, 2));
    return tf.tidy(() => {
      throw new Error(`ours ${tf.add(x, 1).shape}`);
    });
  };
  expect(() => trace(failing, { inputs })).toThrow("ours 2");
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(tf.getBackend()).toBe("cpu");
  expect(Math.random).toBe(random);
  expect(tf.getGradient("Relu")).toBe(relu);
  expect(tf.getGradient("Relu6")).toBe(relu6);
  expect(Error.stackTraceLimit).toBe(limit);
  expect(tf.engine().state.scopeStack.length).toBe(0);
});
