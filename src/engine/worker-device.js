/**
 * Sessions on another device than the cpu, whose first results are compared with the cpu's; plain JavaScript, as the
 * worker.
 */

import { InferenceSession } from "./onnx-runtime.js";

/** @import { Device } from "./devices.js" */

/**
 * @typedef {Uint8Array | string} Model
 * @typedef {{ model: Model, options: InferenceSession.SessionOptions, device: Device }} Unchecked
 * @typedef {{ session: InferenceSession, unchecked: Unchecked | null }} Opened `unchecked` until the first run has been
 *   compared.
 */

/** Relative L2 error of an output; float32 on a GPU, and one step of Adam on noise, stay below a tenth of it. */
const TOLERANCE = 0.02;

/**
 * @param {Model} model
 * @param {InferenceSession.SessionOptions} options for the cpu.
 * @param {{ device: Device, notice: (line: string) => void }} where
 * @returns {Promise<Opened>}
 */
export async function openOn(model, options, { device, notice }) {
  if (device !== "cpu") {
    try {
      const session = await create(model, { ...options, executionProviders: [device, "cpu"] });
      return { session, unchecked: { model, options, device } };
    } catch (error) {
      notice(`${device} cannot be used here, so the cpu is: ${reason(error)}`);
    }
  }
  return { session: await create(model, options), unchecked: null };
}

/**
 * Runs, and the first time compares; where the device fails or is wrong, `opened` is on the cpu from then on.
 *
 * @param {Opened} opened
 * @param {InferenceSession.OnnxValueMapType} feeds
 * @param {{ fetches: Record<string, import("onnxruntime-node").Tensor | null>, notice: (line: string) => void }}
 *   options
 */
export async function runOn(opened, feeds, { fetches, notice }) {
  const { unchecked } = opened;
  if (!unchecked) return opened.session.run(feeds, fetches);
  const { model, options, device } = unchecked;
  opened.unchecked = null;
  const names = Object.fromEntries(Object.keys(fetches).map((name) => [name, null]));
  const cpu = await create(model, options);
  const wanted = await cpu.run(feeds, names);
  /** @type {string | undefined} */
  let fault;
  try {
    const results = await opened.session.run(feeds, names);
    const wrong = Object.keys(wanted).find((name) => !(distance(results[name].data, wanted[name].data) < TOLERANCE));
    if (wrong !== undefined) fault = `its ${wrong} differs from the cpu's`;
  } catch (error) {
    fault = reason(error);
  }
  if (fault === undefined) await cpu.release();
  else {
    notice(`${device} cannot be used here, so the cpu is: ${fault}`);
    await opened.session.release();
    opened.session = cpu;
  }
  return opened.session.run(feeds, fetches);
}

/**
 * @param {Model} model
 * @param {InferenceSession.SessionOptions} options
 */
function create(model, options) {
  return typeof model === "string" ? InferenceSession.create(model, options) : InferenceSession.create(model, options);
}

/**
 * @param {unknown} a
 * @param {unknown} b
 */
function distance(a, b) {
  const [left, right] = [a, b].map((data) => /** @type {ArrayLike<number | bigint>} */ (data));
  let [error, norm] = [0, 0];
  for (let i = 0; i < right.length; i++) {
    error += (Number(left[i]) - Number(right[i])) ** 2;
    norm += Number(right[i]) ** 2;
  }
  return Math.sqrt(error) / Math.max(Math.sqrt(norm), 1e-6);
}

/** @param {unknown} error */
function reason(error) {
  const [line] = (error instanceof Error ? error.message : String(error)).split("\n");
  // A line of ONNX Runtime's source code means nothing to users.
  return /\.(cc|h):\d+/.test(line) ? "ONNX Runtime cannot start it" : line.slice(0, 300);
}
