/** Runs a network that was read beside ONNX Runtime on the file itself. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { random } from "../../../src/core/random.js";
import { InferenceSession, Tensor as OrtTensor } from "../../../src/engine/onnx-runtime.js";
import { operate } from "../../../src/trunk/networks/operate.js";
import type { ReadNetwork } from "../../../src/trunk/networks/read-nodes.js";
import { readOnnxNetwork } from "../../../src/trunk/networks/read-onnx-network.js";
import { type Model, type Node, type Tensor, writeOnnx } from "../write-onnx.js";

/** Uniform in -1..1, the same for the same seed. */
export function drawn(shape: readonly number[], seed = 1): Tensor {
  const source = random(seed);
  const size = shape.reduce((product, side) => product * side, 1);
  return { shape, values: Float32Array.from({ length: size }, () => 2 * source.next() - 1) };
}

/** A model of one image `[1, 3, height, width]`, whose nodes end in `out`. */
export function modelOf(
  nodes: readonly Node[],
  tensors: Readonly<Record<string, Tensor>> = {},
  { size = [6, 6], ...more }: { size?: readonly [number, number]; opset?: number } = {},
): Model {
  return { input: { name: "image", shape: [1, 3, ...size] }, output: "out", nodes, tensors, ...more };
}

/** Reads a model from a file that is deleted again. */
export async function readModel(model: Model, options: { inputSize?: number } = {}): Promise<ReadNetwork> {
  const folder = await mkdtemp(join(tmpdir(), "aspectlens-network-"));
  try {
    const path = join(folder, "network.onnx");
    await writeFile(path, writeOnnx(model));
    return await readOnnxNetwork(path, options);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What ONNX Runtime computes. */
export async function byRuntime(model: Model, image: Tensor): Promise<Tensor> {
  const session = await InferenceSession.create(writeOnnx(model), { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const values = Float32Array.from(image.values);
  const results = await session.run({ image: new OrtTensor("float32", values, [...image.shape]) });
  await session.release();
  const { dims, data } = results[model.output];
  return { shape: dims, values: data as Float32Array };
}

/** The rows as a function of the image with its channels last. @returns axes in the order of ONNX. */
export function networkFunction(network: ReadNetwork) {
  const parameters = Object.fromEntries(
    Object.entries(network.parameters).map(([name, { shape, data }]) => [name, tf.tensor(data, [...shape])]),
  );
  const [{ row, shape, order }] = Object.values(network.outputs);
  return (image: tf.Tensor): tf.Tensor => {
    const values: Record<string, tf.Tensor> = { input: image };
    for (const operation of network.operations) {
      const inputs = operation.inputs.map((name) => values[name]);
      const result = operate(operation, inputs, { parameters });
      if (String(result.shape.slice(1)) !== String(operation.shape))
        throw new Error(`${operation.name}: ${result.shape.slice(1)} where the table says ${operation.shape}`);
      values[operation.name] = result;
    }
    const back = shape.map((_, axis) => order.indexOf(axis));
    return tf.transpose(values[row], back);
  };
}

/** An image with its channels last. */
export function turned({ shape, values }: Tensor): Tensor {
  const [, channels, height, width] = shape;
  const result = new Float32Array(values.length);
  for (let c = 0; c < channels; c++)
    for (let at = 0; at < height * width; at++) result[at * channels + c] = values[c * height * width + at];
  return { shape: [1, height, width, channels], values: result };
}
