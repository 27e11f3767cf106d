import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { EngineError, TraceError } from "../../src/core/errors.js";
import { ndArray } from "../../src/core/nd-array.js";
import type { TensorFunction } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { engineContract } from "./contract.js";

describe("onnx engine", () => engineContract(() => createOnnxEngine({ threads: 1 })));

describe("what cannot be one static graph", () => {
  const refuse = async (fn: TensorFunction, message: RegExp) => {
    const engine = await createOnnxEngine({ threads: 1 });
    const before = { backend: tf.getBackend(), random: Math.random };
    const failure = await engine.compile(fn, { inputs: { x: [2] }, name: "step" }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TraceError);
    expect(String(failure)).toMatch(message);
    expect({ backend: tf.getBackend(), random: Math.random }).toEqual(before);
    await engine.dispose();
  };

  test("reading data inside the function is refused", () =>
    refuse(({ inputs }) => ({ outputs: { y: inputs.x.mul(inputs.x.dataSync()[0]) } }), /step.*data/is));

  test("drawing random numbers inside the function is refused", () =>
    refuse(({ inputs }) => ({ outputs: { y: inputs.x.add(tf.randomNormal([2])) } }), /step.*random/is));

  test("a captured trainable variable is refused", async () => {
    const weight = tf.variable(tf.tensor1d([1, 2]), true, "captured");
    await refuse(({ inputs }) => ({ outputs: { y: inputs.x.mul(weight) } }), /step.*variable/is);
    weight.dispose();
  });

  test("an operation without a recorded form is refused by name", () =>
    refuse(
      ({ inputs }) => ({ outputs: { y: tf.real(tf.spectral.fft(tf.complex(inputs.x, inputs.x))) } }),
      /complex|fft/i,
    ));
});

test("auto is the onnx engine", async () => {
  const engine = await selectEngine();
  expect(engine.name).toBe("onnx");
  await engine.dispose();
});

test("a worker's failure comes out as an EngineError that names the function", async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const compiled = await engine.compile(({ inputs }) => ({ outputs: { y: inputs.x.add(1) } }), {
    inputs: { x: [1] },
    name: "plus",
  });
  const run = compiled.run({ x: ndArray([1]) });
  await Promise.all([engine.dispose(), expect(run).rejects.toThrow(new EngineError("plus: The engine was disposed."))]);
});
