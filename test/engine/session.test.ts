import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { EngineError, ShapeError } from "../../src/core/errors.js";
import { ndArray } from "../../src/core/nd-array.js";
import { openRuntime } from "../../src/engine/session.js";
import { tinyModel } from "./tiny-onnx.js";

const runtime = openRuntime({ threads: 1 });
afterAll(() => runtime.dispose());

const vector = (...values: number[]) => ndArray([values.length], Float32Array.from(values));

/** y = a + b */
const sum = tinyModel([["Add", ["a", "b"], ["y"]]], { inputs: { a: [2], b: [2] }, outputs: { y: [2] } });
/** total' = total + x, and twice = x + x */
const accumulate = tinyModel(
  [
    ["Add", ["total", "x"], ["next"]],
    ["Add", ["x", "x"], ["twice"]],
  ],
  { inputs: { total: [2], x: [2] }, outputs: { next: [2], twice: [2] } },
);
const counting = { reads: { total: "count" }, writes: { next: "count" } };

test("runs a model from bytes and tells its inputs and outputs", async () => {
  const session = await runtime.createSession(sum);
  expect(session.inputs).toEqual([
    { name: "a", shape: [2], dtype: "float32" },
    { name: "b", shape: [2], dtype: "float32" },
  ]);
  expect(session.outputs).toEqual([{ name: "y", shape: [2], dtype: "float32" }]);
  expect(await session.run({ a: vector(1, 2), b: vector(10, 20) })).toEqual({ y: vector(11, 22) });
  await session.dispose();
});

test("runs a model from a file", async () => {
  const folder = await mkdtemp(join(tmpdir(), "aspectlens-"));
  await writeFile(join(folder, "sum.onnx"), sum);
  const session = await runtime.createSession(join(folder, "sum.onnx"));
  expect(await session.run({ a: vector(1, 2), b: vector(3, 4) })).toEqual({ y: vector(4, 6) });
  await session.dispose();
  await rm(folder, { recursive: true });
});

test("leaves the caller's arrays usable, also views of a larger buffer", async () => {
  const session = await runtime.createSession(sum);
  const pool = Float32Array.of(0, 1, 2, 0);
  const a = { shape: [2], data: pool.subarray(1, 3) };
  expect((await session.run({ a, b: a })).y.data).toEqual(Float32Array.of(2, 4));
  expect((await session.run({ a, b: a })).y.data).toEqual(Float32Array.of(2, 4));
  expect(pool).toEqual(Float32Array.of(0, 1, 2, 0));
  await session.dispose();
});

test("keeps state in the worker and replaces it run by run", async () => {
  const store = await runtime.createState({ count: vector(0, 100), other: vector(7) });
  const session = await runtime.createSession(accumulate, { state: { store, ...counting } });
  expect(session.inputs.map(({ name }) => name)).toEqual(["x"]);
  expect(session.outputs.map(({ name }) => name)).toEqual(["twice"]);
  for (const step of [1, 2, 3])
    expect(await session.run({ x: vector(1, step) })).toEqual({ twice: vector(2, 2 * step) });
  expect(await store.read()).toEqual({ count: vector(3, 106), other: vector(7) });
  await store.write({ count: vector(50, 50) });
  await session.run({ x: vector(1, 2) });
  expect(await store.read(["count"])).toEqual({ count: vector(51, 52) });
  await session.dispose();
  await store.dispose();
});

test("queues calls in their order, reads and writes among them", async () => {
  const store = await runtime.createState({ count: vector(0, 0) });
  const session = await runtime.createSession(accumulate, { state: { store, ...counting } });
  const runs = Array.from({ length: 20 }, () => session.run({ x: vector(1, 2) }));
  const between = store.read();
  const written = store.write({ count: vector(-1, -1) });
  const after = session.run({ x: vector(1, 1) });
  expect((await between).count).toEqual(vector(20, 40));
  await Promise.all([...runs, written, after]);
  expect((await store.read()).count).toEqual(vector(0, 0));
  await session.dispose();
  await store.dispose();
});

test("names function, input, expected and given shape", async () => {
  const session = await runtime.createSession(sum, { name: "sum" });
  const a = vector(1, 2);
  const failure = (given: Parameters<typeof session.run>[0]) =>
    session.run(given).then(
      () => undefined,
      (error: unknown) => error,
    );
  expect(await failure({ a })).toEqual(new ShapeError('sum: input "b" is missing. It takes: a, b.'));
  expect(await failure({ a, b: a, c: a })).toEqual(new ShapeError('sum: no input "c". It takes: a, b.'));
  expect(await failure({ a, b: vector(1) })).toEqual(new ShapeError('sum: input "b": expected [2], got [1].'));
  expect(await failure({ a, b: { shape: [2], data: new Float32Array(3) } })).toEqual(
    new ShapeError('sum: input "b": [2] needs 2 numbers, got 3.'),
  );
  expect(await failure({ a, b: { shape: [2], data: new Int32Array(2) } })).toEqual(
    new ShapeError('sum: input "b": expected a Float32Array, got an Int32Array.'),
  );
  await session.dispose();
});

test("takes any size where the model leaves a dimension open", async () => {
  const open = tinyModel([["Add", ["a", "a"], ["y"]]], { inputs: { a: ["batch", 1] }, outputs: { y: ["batch", 1] } });
  const session = await runtime.createSession(open);
  expect(session.inputs[0].shape).toEqual([-1, 1]);
  const a = ndArray([3, 1], Float32Array.of(1, 2, 3));
  expect((await session.run({ a })).y).toEqual(ndArray([3, 1], Float32Array.of(2, 4, 6)));
  await expect(session.run({ a: vector(1) })).rejects.toThrow('input "a": expected [any, 1], got [1].');
  await session.dispose();
});

test("a model that ONNX Runtime cannot build is an EngineError, and the next one still runs", async () => {
  await expect(runtime.createSession(new Uint8Array(20).fill(255), { name: "broken" })).rejects.toThrow(EngineError);
  await expect(runtime.createSession(new Uint8Array(20).fill(255), { name: "broken" })).rejects.toThrow(/^broken: /);
  await expect(runtime.createSession("/nowhere/at-all.onnx")).rejects.toThrow(EngineError);
  const wrong = tinyModel([["Nonsense", ["a"], ["y"]]], { inputs: { a: [1] }, outputs: { y: [1] } });
  await expect(runtime.createSession(wrong)).rejects.toThrow(/Nonsense/);
  const session = await runtime.createSession(sum);
  expect((await session.run({ a: vector(1, 1), b: vector(1, 1) })).y).toEqual(vector(2, 2));
  await session.dispose();
});

test("keeps the state where a run fails", async () => {
  const product = tinyModel([["Mul", ["total", "x"], ["next"]]], {
    inputs: { total: [4], x: ["m"] },
    outputs: { next: [4] },
  });
  const store = await runtime.createState({ count: ndArray([2, 2], Float32Array.of(1, 2, 3, 4)) });
  const session = await runtime.createSession(product, { name: "product", state: { store, ...counting } });
  await expect(session.run({ x: ndArray([3]) })).rejects.toThrow(EngineError);
  expect((await store.read()).count.data).toEqual(Float32Array.of(1, 2, 3, 4));
  await session.run({ x: ndArray([4], Float32Array.of(0, 1, 1, 2)) });
  expect((await store.read()).count).toEqual(ndArray([2, 2], Float32Array.of(0, 2, 3, 8)));
  await session.dispose();
  await store.dispose();
});

test("state is checked by name and shape, and a store of another runtime is refused", async () => {
  const store = await runtime.createState({ count: vector(1, 2) });
  await expect(store.write({ total: vector(1, 2) })).rejects.toThrow('state: no array "total". It takes: count.');
  await expect(store.write({ count: vector(1) })).rejects.toThrow('state: array "count": expected [2], got [1].');
  await expect(store.read(["total"])).rejects.toThrow('state: no array "total". It holds: count.');
  const other = openRuntime({ threads: 1 });
  await expect(other.createSession(accumulate, { name: "step", state: { store, ...counting } })).rejects.toThrow(
    "step: its state belongs to another engine.",
  );
  await other.dispose();
  await store.dispose();
});

test("whatever was disposed says so, and disposing twice is harmless", async () => {
  const own = openRuntime({ threads: 1 });
  const store = await own.createState({ count: vector(0, 0) });
  const session = await own.createSession(accumulate, { name: "step", state: { store, ...counting } });
  await store.dispose();
  await expect(store.read()).rejects.toThrow("state: was disposed.");
  await expect(session.run({ x: vector(1, 1) })).rejects.toThrow(/step: its state \d+ was disposed/);
  await session.dispose();
  await expect(session.run({ x: vector(1, 1) })).rejects.toThrow("step: was disposed.");
  const pending = own.createSession(sum);
  await Promise.all([own.dispose(), expect(pending).rejects.toThrow("session: The engine was disposed.")]);
  await expect(own.createSession(sum)).rejects.toThrow(EngineError);
  await session.dispose();
  await own.dispose();
});

test("does not block the event loop while it builds and runs", async () => {
  // Thirty products of 512 x 512 matrices, enough to block a timer of 1 ms for tens of milliseconds.
  const chain = Array.from({ length: 30 }, (_, i) => ["MatMul", [`v${i}`, "v0"], [`v${i + 1}`]] as const);
  const shape = [512, 512];
  const session = await runtime.createSession(tinyModel(chain, { inputs: { v0: shape }, outputs: { v30: shape } }));
  let ticks = 0;
  const timer = setInterval(() => ticks++, 1);
  const start = performance.now();
  for (let i = 0; i < 5; i++) await session.run({ v0: ndArray(shape) });
  const elapsedMs = performance.now() - start;
  clearInterval(timer);
  // Blocked, there would be at most one tick between two runs.
  expect(ticks).toBeGreaterThan(Math.max(10, elapsedMs / 20));
  await session.dispose();
});
