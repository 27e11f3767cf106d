/** Reads any file of weights into named arrays; `load-weights.ts` puts them into a trunk's layers. */

import { stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inFile, WeightsError } from "../../core/errors.js";
import { exists } from "../../core/files.js";
import { clip } from "../../core/terminal.js";
import { withInputFile } from "./input-file.js";
import { readTfjsModel } from "./tfjs-model.js";
import { readTrunkFile, TRUNK_FILE } from "./trunk-file.js";
import type { WeightsFile } from "./weights-file.js";

/** Of a path in a message: no system has longer names. */
const LONGEST_PATH = 1000;

const FORMS = "a tfjs model.json, a Keras .h5 or .keras, an .onnx, or a trunk.safetensors";

/**
 * Reads a file of weights of any known format into arrays by name.
 *
 * @param source a file, a folder that holds a `trunk.safetensors` or a `model.json`, or either as a `file:` URL.
 * @throws WeightsError where a file is absent, cut off, of no known form, or holds a weight that is no number.
 */
export async function readWeights(source: string | URL): Promise<WeightsFile> {
  const path = await fileOf(source);
  return inFile({ file: path }, () => readForm(path));
}

async function readForm(path: string): Promise<WeightsFile> {
  const start = await firstBytes(path);
  if (path.endsWith(".safetensors")) return readTrunkFile(path);
  if (path.endsWith(".json")) return readTfjsModel(path);
  if (start.subarray(0, 2).toString("latin1") === "PK") return (await import("./keras-model.js")).readKerasModel(path);
  if (start.subarray(1, 4).toString("latin1") === "HDF" || /\.(h5|hdf5|keras)$/i.test(path))
    return (await import("./keras-h5.js")).readKerasH5(path);
  if (path.endsWith(".onnx")) return (await import("./onnx-file.js")).readOnnx(path);
  throw new WeightsError(`${path}: weights of an unknown form.`, { cure: `Known are ${FORMS}.` });
}

async function fileOf(source: string | URL): Promise<string> {
  const text = String(source);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text) && !text.startsWith("file:"))
    throw new WeightsError(`${text}: only files are read here.`, {
      cure: "Pull known weights by name: aspectlens weights list.",
    });
  const path = text.startsWith("file:") ? pathOf(text) : text;
  if (!(await find(path)).isDirectory()) return path;
  const candidates = [TRUNK_FILE, "model.json"].map((name) => join(path, name));
  for (const candidate of candidates) if (await exists(candidate)) return candidate;
  throw new WeightsError(`${path}: a folder without ${TRUNK_FILE} or model.json.`, { cure: `Give ${FORMS}.` });
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new WeightsError(`${url}: names no file of this machine.`, {
      cure: "Write it as file:///path, or as a path.",
      cause,
    });
  }
}

async function find(path: string) {
  try {
    return await stat(path);
  } catch (cause) {
    throw new WeightsError(`${clip(path, LONGEST_PATH)}: does not exist.`, {
      cure: `Give ${FORMS}, or the folder of one.`,
      cause,
    });
  }
}

/** Enough to tell a format by. */
function firstBytes(path: string): Promise<Buffer> {
  return withInputFile(path, `Give ${FORMS}.`, async (file) => (await file.read(Buffer.alloc(8), 0, 8, 0)).buffer);
}
