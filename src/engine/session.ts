/** The interface to ONNX Runtime: sessions and state in a worker thread, without TensorFlow.js. */

import { EngineError, GraphError } from "../core/errors.js";
import type { NdArrays } from "../core/nd-array.js";
import { checkArrays } from "./check-arrays.js";
import { checkRuntimeOptions, type RuntimeOptions } from "./devices.js";
import type { CallOptions, StateStore } from "./state-store.js";
import { defaultThreads } from "./threads.js";
import { openWorker, type WorkerClient } from "./worker-client.js";
import type { StateBinding, TensorInfo } from "./worker-messages.js";

/** Name and state of a session. */
export interface SessionOptions {
  /** Shown in errors. */
  readonly name?: string;
  /**
   * Arrays of a store of the same runtime that the graph reads and replaces, flat, `[size]`; they are neither inputs
   * nor outputs for the caller.
   */
  readonly state?: {
    readonly store: StateStore;
    /** Name in the store, by graph input. */
    readonly reads: Readonly<Record<string, string>>;
    /** Name in the store, by graph output. */
    readonly writes: Readonly<Record<string, string>>;
  };
}

/** An ONNX graph that is ready to run. Whoever created it disposes it. */
export interface Session {
  /** What `run` takes, without the state. */
  readonly inputs: readonly TensorInfo[];
  /** What `run` returns, without the state. */
  readonly outputs: readonly TensorInfo[];
  /**
   * Runs once; the calls of a runtime queue in order. The inputs are copied unless they are handed over; the outputs
   * belong to the caller.
   *
   * @throws ShapeError where an input is missing, unknown, or of another shape.
   * @throws EngineError where ONNX Runtime fails, or the session was disposed.
   */
  run(inputs: NdArrays, options?: CallOptions): Promise<NdArrays>;
  /** Frees the graph; the state stays. */
  dispose(): Promise<void>;
}

/** ONNX Runtime in a worker thread. Whoever opened it disposes it. */
export interface Runtime {
  /**
   * @param model an ONNX model's bytes, or the path of one.
   * @throws EngineError where ONNX Runtime cannot build it.
   */
  createSession(model: Uint8Array | string, options?: SessionOptions): Promise<Session>;
  /** Keeps copies of float32 arrays in the worker. */
  createState(values: NdArrays): Promise<StateStore>;
  /** Ends the worker and with it every session and store; calls that wait are rejected with an EngineError. */
  dispose(): Promise<void>;
}

/**
 * Starts a worker with ONNX Runtime. It keeps the process alive only while a call waits.
 *
 * @throws InputError where an option is out of range.
 */
export function openRuntime({ threads = defaultThreads(), device = "cpu", onNotice }: RuntimeOptions = {}): Runtime {
  checkRuntimeOptions({ threads, device }, "engine");
  const said = new Set<string>();
  const sayOnce = (line: string) => {
    if (!said.has(line)) onNotice?.(line);
    said.add(line);
  };
  const worker = openWorker(new URL("./worker.js", import.meta.url), { onNotice: sayOnce });
  const stores = new WeakMap<StateStore, number>();
  let sessionCount = 0;
  let storeCount = 0;

  const bind = ({ store, reads, writes }: NonNullable<SessionOptions["state"]>, name: string): StateBinding => {
    const id = stores.get(store);
    if (id === undefined) throw new EngineError(`${name}: its state belongs to another engine.`);
    return { store: id, reads, writes };
  };

  return {
    async createSession(model, { name = "session", state } = {}) {
      const session = sessionCount++;
      const binding = state && bind(state, name);
      const open = worker.call({ kind: "open", session, model, threads, device, state: binding });
      const built = await named(name, open);
      const inputs = built.inputs.filter((input) => !Object.hasOwn(state?.reads ?? {}, input.name));
      const outputs = built.outputs.filter((output) => !Object.hasOwn(state?.writes ?? {}, output.name));
      return sessionOf(worker, session, { name, inputs, outputs });
    },

    async createState(values) {
      const id = storeCount++;
      const state = await openState(worker, id, values);
      stores.set(state, id);
      return state;
    },

    dispose: () => worker.dispose(),
  };
}

/** A session that the worker holds under a number. */
function sessionOf(
  worker: WorkerClient,
  session: number,
  { name, inputs, outputs }: Pick<Session, "inputs" | "outputs"> & { name: string },
): Session {
  const wanted = Object.fromEntries(inputs.map((input) => [input.name, input.shape]));
  let isDisposed = false;
  return {
    inputs,
    outputs,
    async run(given, { isHandedOver = false } = {}) {
      if (isDisposed) throw new EngineError(`${name}: was disposed.`);
      checkArrays(wanted, given, { owner: name, what: "input" });
      return named(name, worker.call({ kind: "run", session, inputs: given }, { isHandedOver }));
    },
    async dispose() {
      if (isDisposed || worker.isEnded) return;
      isDisposed = true;
      await named(name, worker.call({ kind: "close", session }));
    },
  };
}

/** Stores arrays in the worker, under a number, and gives access to them. */
async function openState(worker: WorkerClient, store: number, values: NdArrays): Promise<StateStore> {
  const shapes = Object.fromEntries(Object.entries(values).map(([name, { shape }]) => [name, [...shape]]));
  const put = async (arrays: NdArrays, isPartial: boolean) => {
    checkArrays(shapes, arrays, { owner: "state", what: "array", isPartial });
    await named("state", worker.call({ kind: "write", store, arrays }));
  };
  let isDisposed = false;
  const checkAlive = () => {
    if (isDisposed) throw new EngineError("state: was disposed.");
  };
  await put(values, false);
  return {
    shapes,
    async read(names = Object.keys(shapes)) {
      checkAlive();
      checkNames(names, shapes);
      return named("state", worker.call({ kind: "read", store, names }));
    },
    async write(arrays) {
      checkAlive();
      await put(arrays, true);
    },
    async dispose() {
      if (isDisposed || worker.isEnded) return;
      isDisposed = true;
      await named("state", worker.call({ kind: "drop", store }));
    },
  };
}

/** @param runtime used and left open; by default one is opened for this work alone. */
export async function withRuntime<Result>(
  runtime: Runtime | undefined,
  work: (runtime: Runtime) => Promise<Result>,
): Promise<Result> {
  if (runtime) return work(runtime);
  const own = openRuntime();
  try {
    return await work(own);
  } finally {
    await own.dispose();
  }
}

function checkNames(names: readonly string[], shapes: StateStore["shapes"]): void {
  const unknown = names.find((name) => !Object.hasOwn(shapes, name));
  if (unknown === undefined) return;
  throw new EngineError(`state: no array "${unknown}". It holds: ${Object.keys(shapes).join(", ")}.`);
}

/** Adds the name of the called function to the worker's message. */
async function named<Value>(name: string, call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (cause) {
    if (cause instanceof GraphError) throw new GraphError(`${name}: ${cause.message}`, { cause });
    if (cause instanceof EngineError) throw new EngineError(`${name}: ${cause.message}`, { cause });
    throw cause;
  }
}
