/**
 * One worker thread and its pending calls; if the thread ends, they are rejected with an error instead of waiting
 * forever.
 */

import "./no-telemetry.js"; // the worker gets a copy of the environment as it is here
import { Worker } from "node:worker_threads";
import { EngineError, GraphError } from "../core/errors.js";
import type { NdArray, NdArrays } from "../core/nd-array.js";
import type { EngineReplies, Posted, Reply, Request } from "./worker-messages.js";

export interface WorkerClient {
  /**
   * Posts a request; the worker answers in the order of the calls. Arrays in it are copied once and the copy handed
   * over, or they are handed over themselves.
   *
   * @throws EngineError with the worker's message, or where the worker ended.
   */
  call<Kind extends Request["kind"]>(
    request: Request & { kind: Kind },
    options?: { readonly isHandedOver?: boolean },
  ): Promise<EngineReplies[Kind]>;
  /** True once the thread has ended, for whatever reason: there is nothing left in it to dispose. */
  readonly isEnded: boolean;
  /** Rejects pending calls, and ends the thread after the running request. */
  dispose(): Promise<void>;
}

interface Waiting {
  readonly resolve: (value: EngineReplies[keyof EngineReplies]) => void;
  readonly reject: (error: EngineError) => void;
}

/**
 * Indices of the flags shared with a worker, so that an exiting process can wait for it without an event loop: whether
 * the worker is busy, and whether the process is exiting. `worker.js` uses the same indices.
 */
const BUSY = 0;
const LEAVING = 1;
const open = new Set<Int32Array>();
/** Longer than the slowest step takes. */
const LEAVING_MS = 10_000;

// If a thread is ended during a call, ONNX Runtime's binding aborts the whole process when it hands over the results. A
// call that never ends would keep the process alive forever, since Node waits for its threads.
process.on("exit", () => {
  for (const flags of open) {
    Atomics.store(flags, LEAVING, 1);
    const isBusy = Atomics.load(flags, BUSY) === 1;
    if (isBusy && Atomics.wait(flags, BUSY, 1, LEAVING_MS) === "timed-out") process.kill(process.pid, "SIGKILL");
  }
});

/** Number of a request whose reply is not read. */
const NO_REPLY = -1;

/** Far longer than any step; a thread that still runs then is stuck. */
const GRACE_MS = 120_000;

/**
 * Starts the thread. It keeps the process alive only while a call waits.
 *
 * @param options.onNotice gets the lines that come with a reply.
 * @param options.graceMs how long `dispose` waits for what is running before it ends the thread by force.
 */
export function openWorker(
  url: URL,
  { graceMs = GRACE_MS, onNotice }: { graceMs?: number; onNotice?: (line: string) => void } = {},
): WorkerClient {
  // Without execArgv the worker would load the hooks of whatever runs the main thread.
  const flags = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
  flags[BUSY] = 1; // it loads
  const worker = new Worker(url, { name: "aspectlens-engine", execArgv: [], workerData: flags });
  open.add(flags);
  const calls = waitingCalls();
  const exited = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
  let ended: EngineError | undefined;
  const end = (error: EngineError) => {
    ended ??= error;
    calls.rejectAll(ended);
  };
  worker.on("error", (cause) => end(new EngineError(`The engine's worker failed: ${messageOf(cause)}`, { cause })));
  worker.on("messageerror", (cause) =>
    end(new EngineError("The engine's worker sent an unreadable message.", { cause })),
  );
  worker.on("exit", () => open.delete(flags));
  worker.on("exit", (code) => end(new EngineError(`The engine's worker ended (exit code ${code}). Start again.`)));
  worker.on("message", (reply: Reply) => {
    if ("notices" in reply) for (const line of reply.notices ?? []) onNotice?.(line);
    calls.settle(reply);
    if (calls.count === 0) worker.unref();
  });
  // Last: to listen for messages makes a thread keep the process again.
  worker.unref();

  return {
    get isEnded() {
      return ended !== undefined;
    },
    call: (request, { isHandedOver = false } = {}) =>
      new Promise((resolve, reject) => {
        if (ended) return reject(ended);
        const copy = copied(request, isHandedOver);
        // The worker answers a request of one kind with the reply of that kind.
        const id = calls.add({ resolve: resolve as Waiting["resolve"], reject });
        worker.ref();
        worker.postMessage({ id, request: copy.request } satisfies Posted, copy.transfer);
      }),
    async dispose() {
      end(new EngineError("The engine was disposed."));
      // If the thread were ended by force while ONNX Runtime builds, runs or is being loaded, the whole process would
      // crash.
      worker.ref();
      worker.postMessage({ id: NO_REPLY, request: { kind: "stop" } } satisfies Posted);
      const timer = setTimeout(() => worker.terminate(), graceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** The calls that wait for the worker, by number. */
function waitingCalls() {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  return {
    get count() {
      return waiting.size;
    },
    /** @returns the number that the reply will have. */
    add(call: Waiting): number {
      waiting.set(next, call);
      return next++;
    },
    settle(reply: Reply): void {
      const call = waiting.get(reply.id);
      waiting.delete(reply.id);
      if ("error" in reply) call?.reject(new GraphError(reply.error));
      else call?.resolve(reply.value);
    },
    rejectAll(error: EngineError): void {
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/**
 * Copies arrays that the caller owns. Cloning a view would copy its whole buffer; a copy of the view can be
 * transferred.
 */
function copied(request: Request, isHandedOver: boolean): { request: Request; transfer: ArrayBuffer[] } {
  switch (request.kind) {
    case "open": {
      if (typeof request.model === "string") return { request, transfer: [] };
      const model = new Uint8Array(request.model);
      return { request: { ...request, model }, transfer: [model.buffer] };
    }
    case "run": {
      const inputs = copyArrays(request.inputs, isHandedOver);
      return { request: { ...request, inputs }, transfer: buffersOf(inputs) };
    }
    case "write": {
      const arrays = copyArrays(request.arrays);
      return { request: { ...request, arrays }, transfer: buffersOf(arrays) };
    }
    default:
      return { request, transfer: [] };
  }
}

function copyArrays(arrays: NdArrays, isHandedOver = false): NdArrays {
  // A view of a larger buffer is always copied: the rest of the buffer may be in use.
  const isWhole = (data: NdArray["data"]) => data.byteLength === data.buffer.byteLength;
  const copies = Object.entries(arrays).map(([name, { shape, data }]): [string, NdArray] => [
    name,
    { shape, data: isHandedOver && isWhole(data) ? data : data.slice() },
  ]);
  return Object.fromEntries(copies);
}

function buffersOf(arrays: NdArrays): ArrayBuffer[] {
  // Fresh copies, so never shared memory.
  return Object.values(arrays).map(({ data }) => data.buffer as ArrayBuffer);
}
