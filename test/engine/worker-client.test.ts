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
  const worker = openWorker(workerOf(`${listen} () => {});`));
  const call = worker.call(request);
  await Promise.all([worker.dispose(), expect(call).rejects.toThrow("The engine was disposed.")]);
});
