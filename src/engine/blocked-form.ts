/**
 * Finds out whether ONNX Runtime's blocked form (NCHWc) can be used on this machine: measures its block size and
 * compares its results with the portable form's.
 */

import * as tf from "@tensorflow/tfjs";
import { type NdArrays, ndArray } from "../core/nd-array.js";
import { random } from "../core/random.js";
import type { Tensors } from "./engine.js";
import { probeBlock } from "./probe-block.js";
import type { Runtime } from "./session.js";
import { trace } from "./trace/trace.js";

/**
 * Allowed difference relative to an output's largest number; float32 sums in another order differ by less than a tenth
 * of it.
 */
const TOLERANCE = 1e-4;

export interface BlockedForm {
  /** Channels of a block; 0: only the portable form is safe. */
  readonly block: number;
  /** Why the blocked form is not used, in a few words. */
  readonly reason?: string;
}

/**
 * Probes the block and runs a small network with every kind of operator that the blocked form records, forward and
 * backward, in both forms (about 0.2 s). The operators are internal to ONNX Runtime, so their results are checked on
 * each version and processor.
 */
export async function findBlockedForm(runtime: Runtime): Promise<BlockedForm> {
  const block = await probeBlock(runtime);
  if (block === 0) return { block, reason: "this processor or version of ONNX Runtime has none" };
  try {
    const { shapes, inputs } = drawn(block);
    const results = [];
    for (const form of [block, 0]) {
      const { model, unused } = trace(network, { inputs: shapes, block: form, name: "self-test" });
      const session = await runtime.createSession(model, { name: "self-test" });
      const given = Object.entries(inputs).filter(([name]) => !unused.includes(name));
      results.push(await session.run(Object.fromEntries(given)));
      await session.dispose();
    }
    const [blocked, portable] = results;
    const wrong = Object.keys(portable).find((name) => !(distance(blocked[name], portable[name]) < TOLERANCE));
    return wrong === undefined
      ? { block }
      : { block: 0, reason: `its ${wrong} differs from that of the portable form` };
  } catch (error) {
    return { block: 0, reason: (error as Error).message };
  }
}

/** Largest difference, relative to the largest number of `b`; NaN where a number is. */
function distance(a: NdArrays[string], b: NdArrays[string]): number {
  let [apart, largest] = [0, 1e-6];
  for (const [index, value] of b.data.entries()) {
    apart = Math.max(apart, Math.abs(a.data[index] - value));
    largest = Math.max(largest, Math.abs(value));
  }
  return apart / largest;
}

function drawn(block: number) {
  const shapes: Record<string, readonly number[]> = {
    image: [2, 13, 12, 3],
    first: [3, 3, 3, block],
    bias: [block],
    deep: [3, 3, block, 1],
    wide: [1, 1, block, 2 * block],
    scale: [2 * block],
    deeper: [3, 3, 2 * block, 1],
    square: [1, 1, 2 * block, 2 * block],
    whole: [3, 3, 2 * block, block],
  };
  const inputs: Record<string, NdArrays[string]> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    const source = random(11, "self-test", name);
    const numbers = ndArray(shape);
    for (let i = 0; i < numbers.data.length; i++) numbers.data[i] = source.uniform(-1, 1);
    inputs[name] = numbers;
  }
  return { shapes, inputs };
}

/** An output, and the gradient of its mean square with respect to every parameter. */
function network({ image, ...parameters }: Tensors): Tensors {
  const names = Object.keys(parameters);
  const run = (...values: tf.Tensor[]) => {
    const given = Object.fromEntries(names.map((name, index) => [name, values[index]]));
    const conv = (x: tf.Tensor, name: string, stride: number) =>
      tf.conv2d(x as tf.Tensor4D, given[name] as tf.Tensor4D, stride, "same");
    const depthwise = (x: tf.Tensor, name: string, stride: number) =>
      tf.depthwiseConv2d(x as tf.Tensor4D, given[name] as tf.Tensor4D, stride, "same");
    const first = tf.relu6(tf.add(conv(image, "first", 1), given.bias));
    const deep = tf.relu6(depthwise(first, "deep", 2));
    const wide = conv(deep, "wide", 1);
    const { mean, variance } = tf.moments(wide, [0, 1, 2]);
    const normal = tf.relu(tf.mul(tf.div(tf.sub(wide, mean), tf.sqrt(tf.add(variance, 0.1))), given.scale));
    const residual = tf.add(normal, conv(depthwise(normal, "deeper", 1), "square", 1));
    return tf.mean(conv(tf.avgPool(residual as tf.Tensor4D, 2, 1, "same"), "whole", 1), [1, 2]);
  };
  const values = Object.values(parameters);
  const gradients = tf.grads((...given: tf.Tensor[]) => tf.mean(tf.square(run(...given))))(values);
  return {
    output: run(...values),
    ...Object.fromEntries(names.map((name, index) => [`gradient of ${name}`, gradients[index]])),
  };
}
