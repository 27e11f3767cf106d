/** Replays a bundle's goldens in a browser with ONNX Runtime Web alone: the page's side of `browser.ts`. */

import * as ort from "onnxruntime-web/wasm";

const GRAPHS = ["predict", "explain"];
const WEIGHTS = "weights.safetensors";

/**
 * Reads the unpacked bundle from `/bundle/`, and sends every golden anew to `/replayed/<its file>`, in its own format
 * (safetensors): the inputs as they were, the outputs as this browser computes them. A golden's own outputs are not looked at.
 *
 * @returns {Promise<void>}
 */
export async function replay() {
  ort.env.wasm.numThreads = 1; // more would need a page that is isolated from other origins
  const weights = await download(`/bundle/${WEIGHTS}`);
  /** @type {Record<string, ort.InferenceSession>} */
  const sessions = {};
  for (const graph of GRAPHS) {
    sessions[graph] = await ort.InferenceSession.create(await download(`/bundle/${graph}.onnx`), {
      executionProviders: ["wasm"],
      externalData: [{ path: WEIGHTS, data: weights }],
    });
  }
  const { files } = JSON.parse(new TextDecoder().decode(await download("/bundle/bundle.json")));
  for (const name of Object.keys(files).filter((file) => file.startsWith("goldens/"))) {
    const arrays = decodeSafetensors(await download(`/bundle/${name}`));
    const replayed = Object.fromEntries(Object.entries(arrays).filter(([array]) => array.startsWith("input/")));
    for (const [graph, session] of Object.entries(sessions)) {
      const inputs = Object.fromEntries(session.inputNames.map((input) => [input, arrays[`input/${input}`]]));
      const outputs = await session.run(inputs);
      for (const [output, tensor] of Object.entries(outputs)) replayed[`${graph}/${output}`] = tensor;
    }
    const body = encodeSafetensors(replayed);
    const { ok, status } = await fetch(`/replayed/${name.slice("goldens/".length)}`, { method: "POST", body });
    if (!ok) throw new Error(`${name}: sending it failed with status ${status}`);
  }
}

/**
 * @param {string} path
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function download(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * Tensors by name: an 8-byte length, a JSON header of that length, then the numbers.
 *
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Record<string, ort.Tensor>}
 */
function decodeSafetensors(bytes) {
  const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start)));
  /** @type {Record<string, ort.Tensor>} */
  const tensors = {};
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (dtype !== "F32") throw new Error(`"${name}" is ${dtype}, expected F32`);
    const [begin, end] = data_offsets;
    tensors[name] = new ort.Tensor("float32", new Float32Array(bytes.buffer.slice(start + begin, start + end)), shape);
  }
  return tensors;
}

/**
 * @param {Record<string, ort.Tensor>} tensors
 * @returns {Blob}
 */
function encodeSafetensors(tensors) {
  /** @type {Record<string, { dtype: string, shape: readonly number[], data_offsets: number[] }>} */
  const header = {};
  const numbers = [];
  let offset = 0;
  for (const [name, { data, dims }] of Object.entries(tensors)) {
    if (!(data instanceof Float32Array)) throw new Error(`"${name}" is not float32`);
    header[name] = { dtype: "F32", shape: dims, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
    numbers.push(new Float32Array(data));
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new BigUint64Array([BigInt(text.length)]);
  return new Blob([length, text, ...numbers]);
}
