import * as tf from "@tensorflow/tfjs";
import { beforeAll, expect, test } from "vitest";
import { TraceError } from "../../../src/core/errors.js";
import type { Tensors } from "../../../src/engine/engine.js";
import { callerLine } from "../../../src/engine/trace/caller.js";
import { trace } from "../../../src/engine/trace/trace.js";

beforeAll(() => tf.setBackend("cpu"));

const inputs = { x: [2, 6, 6, 4] };

function failure(fn: (inputs: Tensors) => Tensors): Error {
  try {
    trace(fn, { inputs, name: "step" });
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("nothing was thrown");
}

function image({ x }: Tensors): tf.Tensor4D {
  return x as tf.Tensor4D;
}

const seeded: Record<string, (inputs: Tensors) => tf.Tensor> = {
  dropout: ({ x }) => tf.dropout(x, 0.5, undefined, 7),
  randomUniform: ({ x }) => tf.add(x, tf.randomUniform(x.shape, 0, 1, "float32", 7)),
  randomNormal: ({ x }) => tf.add(x, tf.randomNormal(x.shape, 0, 1, "float32", 7)),
  truncatedNormal: ({ x }) => tf.add(x, tf.truncatedNormal(x.shape, 0, 1, "float32", 7)),
  multinomial: ({ x }) => tf.multinomial(tf.reshape(x, [8, 36]) as tf.Tensor2D, 3, 7),
};

test.each(Object.entries(seeded))("refuses tf.%s, though it has a seed", (name, draw) => {
  const error = failure((given) => ({ y: draw(given) }));
  expect(error).toBeInstanceOf(TraceError);
  expect(error.message).toMatch(new RegExp(`^step: at test/engine/trace/errors.test.ts:\\d+: tf.${name} draws random`));
});

test("refuses Math.random, in the function and in operations without a seed", () => {
  expect(failure(({ x }) => ({ y: tf.mul(x, Math.random()) })).message).toContain("Math.random draws random numbers");
  expect(failure(({ x }) => ({ y: tf.dropout(x, 0.5) })).message).toContain("tf.dropout draws random numbers");
});

test.each([
  ["dataSync", (x: tf.Tensor) => x.dataSync()],
  ["arraySync", (x: tf.Tensor) => x.arraySync()],
])("refuses %s, and says what to do instead", (_, read) => {
  const error = failure(({ x }) => {
    read(tf.mul(x, 2));
    return { y: x };
  });
  expect(error).toBeInstanceOf(TraceError);
  expect(error.message).toMatch(/errors\.test\.ts:\d+: dataSync \(arraySync, data\).*return the tensor as an output/);
});

test("lets constants be read", () => {
  const graph = trace(({ x }) => ({ y: tf.mul(x, tf.tensor([1, 2, 3, 4]).dataSync()[2]) }), { inputs });
  expect(graph.operators.Mul).toBe(1);
});

test("refuses a trainable variable by name, and leaves its value", () => {
  const variable = tf.variable(tf.tensor([1, 2, 3, 4]), true, "head/gamma");
  const error = failure(({ x }) => ({ y: tf.mul(x, variable) }));
  expect(error).toBeInstanceOf(TraceError);
  expect(error.message).toContain('Multiply: reads the trainable variable "head/gamma"');
  expect([...variable.dataSync()]).toEqual([1, 2, 3, 4]);
  variable.dispose();
});

test("freezes a variable that is not trainable, and leaves its data where it was", () => {
  const statistics = tf.variable(tf.tensor([1, 2, 3, 4]), false, "moving/mean");
  expect(trace(({ x }) => ({ y: tf.mul(x, statistics) }), { inputs }).operators.Mul).toBe(1);
  expect([...statistics.dataSync()]).toEqual([1, 2, 3, 4]);
  statistics.dispose();
});

test("names a kernel that cannot be recorded", () => {
  const error = failure((given) => ({
    y: tf.image.cropAndResize(image(given), tf.zeros([1, 4]), tf.zeros([1], "int32"), [2, 2]),
  }));
  expect(error).toBeInstanceOf(TraceError);
  expect(error.message).toMatch(/errors\.test\.ts:\d+: CropAndResize cannot be recorded: no kernel/);
});

test("names the operation whose dtype cannot be traced", () => {
  const error = failure(({ x }) => ({ x, y: tf.tensor(["a", "b"]) }));
  expect(error).toBeInstanceOf(TraceError);
  expect(error.message).toContain("a string tensor; only float32, int32 and bool can be traced");
});

test("names the gradient of a dilated convolution", () => {
  const filter = tf.ones([3, 3, 4, 2]) as tf.Tensor4D;
  const error = failure(({ x }) => ({
    y: tf.grad((value: tf.Tensor) => tf.sum(tf.conv2d(value as tf.Tensor4D, filter, 1, "same", "NHWC", 2)))(x),
  }));
  filter.dispose();
  expect(error).toBeInstanceOf(TraceError);
  expect(error.message).toMatch(/conv2D has no gradient: .*dilation/);
});

test("refuses outputs that are no tensors, or named as an input, and traces within traces", () => {
  expect(failure((async ({ x }: Tensors) => ({ y: x })) as never).message).toContain("returned no tensors by name");
  expect(failure(() => ({ y: 3 }) as never).message).toContain('output "y" is not a tensor');
  expect(failure(({ x }) => ({ x: tf.mul(x, 2) })).message).toContain('output "x" has the name of an input');
  const nested = failure(({ x }) => {
    trace(({ z }) => ({ z2: z }), { inputs: { z: [1] } });
    return { y: x };
  });
  expect(nested.message).toContain("cannot trace another");
});

test("passes errors of TensorFlow.js on unchanged", () => {
  const error = failure(({ x }) => ({ y: tf.reshape(x, [7]) }));
  expect(error).not.toBeInstanceOf(TraceError);
  expect(error.message).toContain("288");
});

test("names the line where shapes do not broadcast", () => {
  const error = failure(({ x }) => ({ y: tf.add(x, tf.ones([5])) }));
  expect(error.message).toMatch(/errors\.test\.ts:\d+: Add: shapes \[2,6,6,4\] and \[5\] do not broadcast/);
});

test("works again after every failure", () => {
  failure(({ x }) => ({ y: tf.dropout(x, 0.5, undefined, 7) }));
  expect(trace(({ x }) => ({ y: tf.exp(x) }), { inputs }).operators).toEqual({ Exp: 1 });
});

test("finds the user's line among frames of others", () => {
  const stack = [
    "Error: x",
    `    at run (${new URL("../../../src/engine/trace/backend.ts", import.meta.url).href}:10:5)`,
    "    at Engine.x (/somewhere/node_modules/@tensorflow/tfjs-core/dist/tf-core.node.js:3:1)",
    `    at Object.forward (${process.cwd()}/src/heads/presence.ts:42:7)`,
  ].join("\n");
  expect(callerLine(stack)).toBe("src/heads/presence.ts:42");
  expect(callerLine(undefined)).toBe("an unknown line");
});
