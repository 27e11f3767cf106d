/** A PyTorch process that trains what it is sent, in the messages of `bench/peer/messages.py`. */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { decodeSafetensors, encodeSafetensors } from "aspectlens";
import { findPython } from "../peer.js";

const SCRIPT = fileURLToPath(new URL("../peer/train.py", import.meta.url));

/** @typedef {import("aspectlens").NdArrays} NdArrays */
/** @typedef {{ message: Record<string, unknown>, arrays: Record<string, import("aspectlens").NdArray> }} Reply */
/**
 * @typedef {object} TrainingPeer
 * @property {Record<string, unknown>} software that it runs on, and its threads.
 * @property {(message: { kind: string } & Record<string, unknown>, arrays?: NdArrays | Uint8Array) => Promise<Reply>} ask
 *   arrays may be encoded already.
 * @property {() => void} close
 */

/**
 * @param {{ threads: number }} options
 * @returns {Promise<TrainingPeer | null>} null, with a message, where no Python with PyTorch is found.
 */
export async function openTrainingPeer({ threads }) {
  const python = await findPython();
  if (!python) return null;
  const { stdin, stdout } = spawn(python, [SCRIPT, String(threads)], { stdio: ["pipe", "pipe", "inherit"] });
  stdin.on("error", () => {}); // the missing reply tells
  const read = messageReader(stdout);
  const { message: software } = await read();
  return {
    software,
    ask(message, arrays = {}) {
      const bytes = arrays instanceof Uint8Array ? arrays : encodeSafetensors(arrays);
      stdin.write(`${JSON.stringify({ ...message, bytes: bytes.length })}\n`);
      stdin.write(bytes);
      return read();
    },
    close: () => stdin.end(),
  };
}

/** @param {import("node:stream").Readable} stream */
function messageReader(stream) {
  const chunks = stream[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  /** @param {() => boolean} isEnough */
  const fill = async (isEnough) => {
    while (!isEnough()) {
      const { value, done } = await chunks.next();
      if (done) throw new Error("train.py ended early; see its message above.");
      rest = Buffer.concat([rest, value]);
    }
  };
  /** @returns {Promise<Reply>} */
  return async () => {
    await fill(() => rest.includes("\n"));
    const end = rest.indexOf("\n");
    const { bytes, ...message } = JSON.parse(rest.toString("utf8", 0, end));
    rest = rest.subarray(end + 1);
    await fill(() => rest.length >= bytes);
    const arrays = bytes > 0 ? decodeSafetensors(rest.subarray(0, bytes), "train.py") : {};
    rest = rest.subarray(bytes);
    return { message, arrays };
  };
}
