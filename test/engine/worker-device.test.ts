import { afterAll, expect, test } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import { InferenceSession, Tensor } from "../../src/engine/onnx-runtime.js";
import { openRuntime } from "../../src/engine/session.js";
import { openOn, runOn } from "../../src/engine/worker-device.js";
import { tinyModel } from "./tiny-onnx.js";

const model = tinyModel([["Add", ["a", "a"], ["y"]]], { inputs: { a: [2] }, outputs: { y: [2] } });
const feeds = { a: new Tensor("float32", Float32Array.of(1, 2), [2]) };
const options: InferenceSession.SessionOptions = { logSeverityLevel: 4 };

/** A session on a device that is not here, which answers as given. */
async function openFake(run: () => Promise<Record<string, Tensor>>) {
  const session = await InferenceSession.create(model, options);
  Object.assign(session, { run });
  return { session, unchecked: { model, options, device: "webgpu" as const } };
}

const answer = (...values: number[]) => ({ y: new Tensor("float32", Float32Array.from(values), [2]) });

test.each([
  ["goes on on the cpu where the device is wrong", async () => answer(2, 5), "its y differs from the cpu's"],
  ["goes on on the cpu where the device gives NaN", async () => answer(2, Number.NaN), "its y differs from the cpu's"],
  ["goes on on the cpu where the device fails", () => Promise.reject(new Error("lost\nat 0x0")), "lost"],
] as const)("%s, and says so once", async (_, run, reason) => {
  const opened = await openFake(run);
  const lines: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { y } = await runOn(opened, feeds, { fetches: { y: null }, notice: (line) => lines.push(line) });
    expect([...(y.data as Float32Array)]).toEqual([2, 4]);
  }
  expect(lines).toEqual([`webgpu cannot be used here, so the cpu is: ${reason}`]);
});

test("stays on a device that agrees, and compares the first run alone", async () => {
  let count = 0;
  const opened = await openFake(async () => {
    count++;
    return answer(2, count > 2 ? 7 : 4.001);
  });
  const run = () => runOn(opened, feeds, { fetches: { y: null }, notice: (line) => expect(line).toBe("") });
  expect((await run()).y.data[1]).toBeCloseTo(4.001);
  expect((await run()).y.data[1]).toBe(7);
});

test("on the cpu nothing is compared", async () => {
  const opened = await openOn(model, options, { device: "cpu", notice: (line) => expect(line).toBe("") });
  expect(opened.unchecked).toBeNull();
  expect([
    ...((await runOn(opened, feeds, { fetches: { y: null }, notice: () => {} })).y.data as Float32Array),
  ]).toEqual([2, 4]);
});

const lines: string[] = [];
const runtime = openRuntime({ threads: 1, device: "cuda", onNotice: (line) => lines.push(line) });
afterAll(() => runtime.dispose());

test("a device that is not there costs one line, not the work", async () => {
  for (let i = 0; i < 2; i++) {
    const session = await runtime.createSession(model);
    const { y } = await session.run({ a: ndArray([2], Float32Array.of(3, 4)) });
    expect([...y.data]).toEqual([6, 8]);
  }
  if (lines.length === 0) return console.warn("skipped: this machine has CUDA, so there is nothing to fall back from.");
  expect(lines).toEqual([expect.stringMatching(/^cuda cannot be used here, so the cpu is: ./)]);
});
