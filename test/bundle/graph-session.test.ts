import { expect, test } from "vitest";
import { openGraph } from "../../src/bundle/graph-session.js";
import { BundleError, EngineError, GraphError } from "../../src/core/errors.js";
import { ndArray } from "../../src/core/nd-array.js";
import { openRuntime, type Runtime, type Session } from "../../src/engine/session.js";
import { tinyModel } from "../engine/tiny-onnx.js";

const place = { file: "x.aspect", name: "explain.onnx" };

test("what ONNX Runtime refuses is the bundle's fault, without its words", async () => {
  const runtime = openRuntime({ threads: 1 });
  try {
    const unknown = tinyModel([["NoSuchOperator", ["x"], ["y"]]], { inputs: { x: [1] }, outputs: { y: [1] } });
    const failure = await openGraph(runtime, unknown, place).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BundleError);
    expect((failure as Error).message).toMatch(/^x\.aspect: explain\.onnx: cannot be built by ONNX Runtime\. Export/);
    expect((failure as Error).cause).toBeInstanceOf(GraphError);
    // log(-1) is no number.
    const log = tinyModel([["Log", ["x"], ["y"]]], { inputs: { x: [2] }, outputs: { y: [2] } });
    const session = await openGraph(runtime, log, place);
    const run = (...values: number[]) => session.run({ x: ndArray([2], Float32Array.from(values)) });
    expect((await run(1, 1)).y.data).toEqual(Float32Array.of(0, 0));
    await expect(run(1, -1)).rejects.toThrow(BundleError);
    await expect(run(1, 0)).rejects.toThrow(
      /explain\.onnx: gives what is no number \(NaN or Infinity\) in the output "y"/,
    );
  } finally {
    await runtime.dispose();
  }
});

test("what is no fault of the graph stays what it is", async () => {
  const gone = { createSession: async (): Promise<Session> => Promise.reject(new EngineError("was disposed")) };
  await expect(openGraph(gone as unknown as Runtime, new Uint8Array(), place)).rejects.not.toBeInstanceOf(BundleError);
});
