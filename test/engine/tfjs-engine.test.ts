import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs";
import { describe, expect, test } from "vitest";
import { MissingEngineError } from "../../src/core/errors.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { createEagerEngine, eagerBackend } from "../helpers/eager-engine.js";
import { engineContract } from "./contract.js";

// The contract differentiates no resizing: cpu swaps height and width in its gradient, tfjs-node forgets half-pixel centres.
describe(`tfjs engine on the ${eagerBackend} backend`, () => engineContract(createEagerEngine));

test("works while the caller's backend is another one", async () => {
  tf.registerBackend("other", () => tf.findBackend("cpu"));
  tf.copyRegisteredKernels("cpu", "other");
  await tf.setBackend("other");
  const engine = await createEagerEngine();
  const used: { name: string; kind: string }[] = [];
  const compiled = await engine.compile(
    ({ inputs }) => {
      used.push({ name: tf.getBackend(), kind: tf.backend().constructor.name });
      return { outputs: { y: inputs.x.add(1) } };
    },
    { inputs: { x: [1] } },
  );
  expect((await compiled.run({ x: { shape: [1], data: Float32Array.of(1) } })).y.data).toEqual(Float32Array.of(2));
  // The name and the class, so that what is tested is the native library where that is wanted.
  const kind = eagerBackend === "cpu" ? "MathBackendCPU" : "NodeJSKernelBackend";
  expect(used).toEqual([{ name: eagerBackend, kind }]);
  expect(tf.getBackend()).toBe("other");
  await engine.dispose();
  await tf.setBackend("cpu");
});

test("a machine without tfjs-node is told what to install", async ({ skip }) => {
  const { resolve } = createRequire(import.meta.url);
  for (const name of ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"]) {
    let isInstalled = true;
    try {
      resolve(name);
    } catch {
      isInstalled = false;
    }
    skip(isInstalled, `skipped: ${name} is installed`);
  }
  await tf.setBackend("cpu");
  const failure = await selectEngine({ engine: "tfjs" }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(MissingEngineError);
  expect(String(failure)).toContain("npm install @tensorflow/tfjs-node-gpu@4.22.0");
  expect(tf.getBackend()).toBe("cpu");
});
