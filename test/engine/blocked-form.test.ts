import { afterAll, describe, expect, test } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import { findBlockedForm } from "../../src/engine/blocked-form.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { openRuntime, type Runtime } from "../../src/engine/session.js";
import { block } from "./trace/run-traced.js";

const runtime = openRuntime({ threads: 1 });
afterAll(() => runtime.dispose());

/** A runtime whose first self-test, the blocked one, is off by something. */
function lying(change: (data: Float32Array) => void): Runtime {
  let count = 0;
  return {
    ...runtime,
    async createSession(model, options) {
      const session = await runtime.createSession(model, options);
      if (options?.name !== "self-test" || count++ > 0) return session;
      return {
        ...session,
        async run(inputs) {
          const outputs = await session.run(inputs);
          change(outputs["gradient of whole"].data as Float32Array);
          return outputs;
        },
      };
    },
  };
}

describe.skipIf(block === 0)("the blocked form", () => {
  test("is used where it gives what the portable form gives", async () => {
    expect(await findBlockedForm(runtime)).toEqual({ block });
  });

  test.each([
    ["a wrong number", (data: Float32Array) => data.fill(1, 0, 1)],
    ["a missing number", (data: Float32Array) => data.fill(Number.NaN, 7, 8)],
  ])("is not used where it gives %s, and the reason says where", async (_, change) => {
    expect(await findBlockedForm(lying(change))).toEqual({
      block: 0,
      reason: "its gradient of whole differs from that of the portable form",
    });
  });
});

test("without the operators there is no blocked form, and no error", async () => {
  const without: Runtime = { ...runtime, createSession: () => Promise.reject(new Error("no such operator")) };
  expect(await findBlockedForm(without)).toMatchObject({ block: 0, reason: expect.stringContaining("has none") });
});

test("a reordering that is not understood counts as none", async () => {
  const strange: Runtime = {
    ...runtime,
    async createSession(model, options) {
      const session = await runtime.createSession(model, options);
      return { ...session, run: async () => ({ y: ndArray([1, 64, 1, 2]) }) };
    },
  };
  expect((await findBlockedForm(strange)).block).toBe(0);
});

test("both forms of a step with state give the same, and only one probes", async () => {
  const notices: string[] = [];
  const results = [];
  for (const form of ["fastest", "portable"] as const) {
    const engine = await createOnnxEngine({ threads: 1, form, onNotice: (line) => notices.push(line) });
    const weights = ndArray([1, 1, 16, 32], new Float32Array(512).fill(0.5));
    const state = await engine.createState({ w: weights });
    const { conv2d, mul } = await import("@tensorflow/tfjs");
    const step = await engine.compile(
      ({ inputs, state }) => ({
        outputs: { y: conv2d(inputs.x as never, state.w as never, 1, "same") },
        state: { w: mul(state.w, 2) },
      }),
      { inputs: { x: [1, 3, 3, 16] }, state },
    );
    const x = ndArray([1, 3, 3, 16], new Float32Array(144).fill(1));
    const runs = [await step.run({ x }), await step.run({ x })];
    results.push([...runs.map(({ y }) => y.data[0]), (await state.read()).w.data[0]]);
    await engine.dispose();
  }
  expect(results).toEqual([
    [8, 16, 2],
    [8, 16, 2],
  ]);
  expect(notices).toEqual([]);
});
