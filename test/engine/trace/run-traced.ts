/** Runs a function both ways: traced through ONNX Runtime, and eagerly on the cpu backend. */

import { type Tensor, type TensorLike, tensor, tidy } from "@tensorflow/tfjs";
import type { Tensors } from "../../../src/engine/engine.js";
import { InferenceSession, Tensor as OrtTensor } from "../../../src/engine/onnx-runtime.js";
import { probeBlock } from "../../../src/engine/probe-block.js";
import { openRuntime } from "../../../src/engine/session.js";
import { type TracedGraph, trace } from "../../../src/engine/trace/trace.js";

const runtime = openRuntime({ threads: 1 });
/** Channels of a block on this processor; 0: none. */
export const block = await probeBlock(runtime);
await runtime.dispose();

export interface Case {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly data: Readonly<Record<string, Float32Array | Int32Array>>;
}

/** Numbers by output, with the shape that ONNX Runtime reports. */
export interface Result {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** Feeds a traced graph; the session lives for this call. */
export async function runGraph(graph: TracedGraph, data: Case["data"]): Promise<Record<string, Result>> {
  const session = await InferenceSession.create(graph.model, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const feeds = Object.fromEntries(
    graph.inputs.map(({ name, shape, dtype }) => {
      const values = data[name];
      return [name, new OrtTensor(dtype === "int32" ? "int32" : "float32", values as Float32Array, [...shape])];
    }),
  );
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(results).map(([name, result]) => {
      const numbers = result.data as Float32Array | Int32Array | Uint8Array;
      return [name, { shape: result.dims, data: Float64Array.from(numbers) }];
    }),
  );
}

export async function runTraced(
  fn: (inputs: Tensors) => Tensors,
  { shapes, data }: Case,
  options: { block?: number } = {},
): Promise<Record<string, Result>> {
  const dtypes = Object.fromEntries(
    Object.entries(data).flatMap(([name, values]) => (values instanceof Int32Array ? [[name, "int32" as const]] : [])),
  );
  return runGraph(trace(fn, { inputs: shapes, dtypes, ...options }), data);
}

/** On the backend that is set. */
export function runEager(fn: (inputs: Tensors) => Tensors, { shapes, data }: Case): Record<string, Result> {
  const results: Record<string, Result> = {};
  tidy(() => {
    const inputs: Record<string, Tensor> = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const values = data[name];
      inputs[name] = tensor(values as TensorLike, [...shape], values instanceof Int32Array ? "int32" : "float32");
    }
    for (const [name, result] of Object.entries(fn(inputs))) {
      results[name] = { shape: result.shape, data: Float64Array.from(result.dataSync()) };
    }
  });
  return results;
}
