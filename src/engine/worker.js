/**
 * The thread in which ONNX Runtime builds and runs sessions, since its binding blocks the event loop; plain JavaScript,
 * so that it also runs from source.
 */

import { parentPort, workerData } from "node:worker_threads";
import { env, Tensor } from "./onnx-runtime.js";
import { openOn, runOn } from "./worker-device.js";

/** @import { NdArray, NdArrays } from "../core/nd-array.js" */
/** @import { EngineReplies, Posted, Request, StateBinding, TensorInfo } from "./worker-messages.js" */

/**
 * An array of a store: its current value, and the buffer into which the next value is computed, both flat. The two are
 * swapped after each run, so that a training step neither copies nor allocates parameters.
 * @typedef {{ shape: readonly number[], current: Tensor, spare: Tensor | null }} Slot
 */

/** @type {Map<number, { opened: import("./worker-device.js").Opened, state: StateBinding | undefined }>} */
const sessions = new Map();
/** @type {Map<number, Map<string, Slot>>} */
const stores = new Map();

// Failures come as exceptions; ONNX Runtime would also print them on the user's terminal.
const FATAL = 4;
env.logLevel = "fatal";

/**
 * @param {Extract<Request, { kind: "open" }>} request
 * @returns {Promise<EngineReplies["open"]>}
 */
async function open({ session: id, model, threads, device, state }) {
  /** @type {import("onnxruntime-node").InferenceSession.SessionOptions} */
  const options = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: FATAL,
    // A plan of all buffers in one block takes almost twice the memory and no less time (bench/peak.js).
    enableMemPattern: false,
    // Each session has its own threads, which spin while they wait: two active sessions would compete for the cores,
    // and with image decoding.
    extra: { session: { force_spinning_stop: "1" } },
  };
  const opened = await openOn(model, options, { device, notice });
  const { session } = opened;
  sessions.set(id, { opened, state });
  return { inputs: session.inputMetadata.map(toInfo), outputs: session.outputMetadata.map(toInfo) };
}

/**
 * @param {Extract<Request, { kind: "run" }>} request
 * @returns {Promise<NdArrays>}
 */
async function run({ session: id, inputs }) {
  const { opened, state } = found(sessions, id, "session");
  const { session } = opened;
  /** @type {Record<string, Tensor>} */
  const feeds = {};
  for (const [name, array] of Object.entries(inputs)) feeds[name] = toTensor(array);
  /** @type {Record<string, Tensor | null>} */
  const fetches = Object.fromEntries(session.outputNames.map((name) => [name, null]));
  if (!state) return fromTensors(await runOn(opened, feeds, { fetches, notice }), session.outputNames);

  const store = found(stores, state.store, "state");
  for (const [input, name] of Object.entries(state.reads)) feeds[input] = found(store, name, "array").current;
  for (const [output, name] of Object.entries(state.writes)) {
    const slot = found(store, name, "array");
    slot.spare ??= new Tensor(new Float32Array(slot.current.size), slot.current.dims);
    fetches[output] = slot.spare;
  }
  const results = await runOn(opened, feeds, { fetches, notice });
  for (const name of Object.values(state.writes)) {
    const slot = found(store, name, "array");
    if (slot.spare) store.set(name, { ...slot, current: slot.spare, spare: slot.current });
  }
  return fromTensors(
    results,
    session.outputNames.filter((name) => !(name in state.writes)),
  );
}

/** @param {Extract<Request, { kind: "close" }>} request */
async function close({ session: id }) {
  const entry = sessions.get(id);
  sessions.delete(id);
  await entry?.opened.session.release();
  return null;
}

/** @param {Extract<Request, { kind: "write" }>} request */
async function write({ store: id, arrays }) {
  const store = stores.get(id) ?? new Map();
  stores.set(id, store);
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    store.set(name, { shape, current: toTensor({ shape: [data.length], data }), spare: null });
  }
  return null;
}

/**
 * @param {Extract<Request, { kind: "read" }>} request
 * @returns {Promise<NdArrays>}
 */
async function read({ store: id, names }) {
  const store = found(stores, id, "state");
  const copies = names.map((name) => {
    const { shape, current } = found(store, name, "array");
    return [name, { shape, data: /** @type {Float32Array} */ (current.data).slice() }];
  });
  return Object.fromEntries(copies);
}

/** @param {Extract<Request, { kind: "drop" }>} request */
async function drop({ store }) {
  stores.delete(store);
  return null;
}

/** Without its port, and with nothing left to do, the thread ends by itself. */
async function stop() {
  parentPort?.close();
  return null;
}

/** @param {NdArray} array */
function toTensor({ shape, data }) {
  return data instanceof Float32Array ? new Tensor("float32", data, shape) : new Tensor("int32", data, shape);
}

/**
 * @param {import("onnxruntime-node").InferenceSession.OnnxValueMapType} tensors
 * @param {readonly string[]} names
 * @returns {NdArrays}
 */
function fromTensors(tensors, names) {
  return Object.fromEntries(names.map((name) => [name, fromTensor(/** @type {Tensor} */ (tensors[name]))]));
}

/**
 * @param {Tensor} tensor
 * @returns {NdArray}
 */
function fromTensor({ dims, data }) {
  if (data instanceof Float32Array || data instanceof Int32Array) return { shape: dims, data };
  return { shape: dims, data: Int32Array.from(/** @type {ArrayLike<number | bigint>} */ (data), Number) };
}

/**
 * @param {import("onnxruntime-node").InferenceSession.ValueMetadata} metadata
 * @returns {TensorInfo}
 */
function toInfo(metadata) {
  if (!metadata.isTensor) return { name: metadata.name, shape: [], dtype: "none" };
  const shape = metadata.shape.map((dimension) => (typeof dimension === "number" ? dimension : -1));
  return { name: metadata.name, shape, dtype: metadata.type };
}

/**
 * @template Key, Value
 * @param {Map<Key, Value>} map
 * @param {Key} key
 * @param {string} what
 * @returns {Value}
 */
function found(map, key, what) {
  const value = map.get(key);
  if (value === undefined) throw new Error(`its ${what} ${key} was disposed`);
  return value;
}

/**
 * @param {Request} request
 * @returns {Promise<EngineReplies[keyof EngineReplies]>}
 */
function handle(request) {
  switch (request.kind) {
    case "open":
      return open(request);
    case "run":
      return run(request);
    case "close":
      return close(request);
    case "write":
      return write(request);
    case "read":
      return read(request);
    case "drop":
      return drop(request);
    case "stop":
      return stop();
  }
}

/**
 * @param {Request} request
 * @param {EngineReplies[keyof EngineReplies]} value
 * @returns {ArrayBuffer[]} buffers that belong to the reply alone and can be handed over instead of copied.
 */
function transferable({ kind }, value) {
  if (kind !== "run" && kind !== "read") return [];
  return Object.values(/** @type {NdArrays} */ (value)).map(({ data }) => /** @type {ArrayBuffer} */ (data.buffer));
}

/** @type {string[]} */
let notices = [];

/** Keeps a line for the user, which goes out with the next reply. @param {string} line */
function notice(line) {
  notices.push(line);
}

/** What the main thread reads when the process exits; `worker-client.ts` says why. @type {Int32Array} */
const flags = workerData;
const BUSY = 0;
const LEAVING = 1;

/** @param {number} busy 1 before anything that calls ONNX Runtime, 0 after it. */
function tell(busy) {
  Atomics.store(flags, BUSY, busy);
  Atomics.notify(flags, BUSY);
}
tell(0);

// A request waits for the one before it: runs share state, and ONNX Runtime uses every core anyway.
let queue = Promise.resolve();
let isStopping = false;

parentPort?.on("message", (/** @type {Posted} */ { id, request }) => {
  isStopping ||= request.kind === "stop";
  queue = queue.then(async () => {
    if (isStopping && request.kind !== "stop") return;
    tell(1);
    try {
      if (Atomics.load(flags, LEAVING) === 1) return;
      const value = await handle(request);
      parentPort?.postMessage({ id, value, notices }, transferable(request, value));
      notices = [];
    } catch (error) {
      parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
    } finally {
      tell(0);
    }
  });
});
