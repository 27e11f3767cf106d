import { expect, test } from "vitest";
import { EngineError } from "../../src/core/errors.js";
import { openWorker } from "../../src/engine/worker-client.js";

const request = { kind: "close", session: 0 } as const;
const workerOf = (body: string) => new URL(`data:text/javascript,${encodeURIComponent(body)}`);
const listen = "import { parentPort } from 'node:worker_threads'; parentPort.on('message', ";

test("an exception of the worker rejects every call that waits, and those that follow", async () => {
  const worker = openWorker(workerOf(`${listen} () => { throw new Error("out of memory"); });`));
  const calls = [worker.call(request), worker.call(request)];
  for (const call of calls) await expect(call).rejects.toThrow("The engine's worker failed: out of memory");
  await expect(worker.call(request)).rejects.toThrow(EngineError);
  expect(worker.isEnded).toBe(true);
  await worker.dispose();
});

test("a worker that exits rejects the calls that wait", async () => {
  const worker = openWorker(workerOf(`${listen} () => process.exit(3));`));
  await expect(worker.call(request)).rejects.toThrow("The engine's worker ended (exit code 3). Start again.");
});

test("disposing rejects the calls that wait", async () => {
  const worker = openWorker(workerOf(`${listen} () => {});`), { graceMs: 100 });
  const call = worker.call(request);
  await Promise.all([worker.dispose(), expect(call).rejects.toThrow("The engine was disposed.")]);
});

test("disposing waits for what the thread is at, and uses force only where it hangs", async () => {
  const took = async (body: string, graceMs: number) => {
    const worker = openWorker(workerOf(body), { graceMs });
    const call = expect(worker.call(request)).rejects.toThrow("The engine was disposed.");
    await new Promise((resolve) => setTimeout(resolve, 150)); // the thread is loaded and at it
    const begun = performance.now();
    await Promise.all([worker.dispose(), call]);
    await worker.dispose(); // again: harmless
    return performance.now() - begun;
  };
  const busy = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)"; // as a run is
  const obliging = `${listen} ({ request }) => (request.kind === "stop" ? process.exit() : ${busy}));`;
  expect(await took(obliging, 20_000)).toBeGreaterThan(200);
  expect(await took(obliging, 20_000)).toBeLessThan(15_000);
  expect(await took(`${listen} () => {});`, 100)).toBeGreaterThan(90);
});
