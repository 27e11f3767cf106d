/** Reads a tfjs layers-model from disk: its topology, and every weight as plain float32 numbers. */

import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WeightsError } from "../../core/errors.js";
import type { NdArray, NdArrays } from "../../core/nd-array.js";
import { dequantize, type ManifestEntry, storedBytes } from "./dequantize.js";

/** A model file as it stands, under its own names. */
export interface WeightsFile {
  /** Path of the `model.json`, for messages. */
  readonly path: string;
  /** By the names of the file, such as `conv_pw_1/kernel`. */
  readonly weights: NdArrays;
  /** Keras' description of the layers; of any shape. */
  readonly topology: unknown;
}

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: unknown;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly ManifestEntry[];
  }[];
}

/**
 * @param source a folder that holds `model.json`, the path of one, or either as a `file:` URL.
 * @returns weights dequantized from uint8, uint16 or float16; the same numbers that TensorFlow.js loads.
 * @throws WeightsError where a file is absent, cut off, not a layers-model, or holds a weight that is no number.
 */
export async function readWeights(source: string | URL): Promise<WeightsFile> {
  const path = await modelPath(source);
  const model = parse(path, await read(path));
  const weights: Record<string, NdArray> = {};
  for (const { paths, weights: entries } of model.weightsManifest ?? []) {
    const shards = await Promise.all(paths.map((shard) => read(join(dirname(path), shard))));
    Object.assign(weights, decodeGroup(`${path}: ${paths.join(", ")}`, Buffer.concat(shards), entries));
  }
  return { path, weights, topology: model.modelTopology };
}

async function modelPath(source: string | URL): Promise<string> {
  const text = String(source);
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(text) && !text.startsWith("file:"))
    throw new WeightsError(`${text}: only files are read. Download the model.json and its shards into a folder first.`);
  const path = text.startsWith("file:") ? fileURLToPath(text) : text;
  try {
    return (await stat(path)).isDirectory() ? join(path, "model.json") : path;
  } catch (cause) {
    throw new WeightsError(`${path}: does not exist. Give a folder that holds a tfjs model.json, or its path.`, {
      cause,
    });
  }
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new WeightsError(`${path}: cannot be read. A model.json needs all its shards beside it.`, { cause });
  }
}

function parse(path: string, bytes: Buffer): ModelJson {
  let model: ModelJson | null;
  try {
    model = JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new WeightsError(`${path}: is not JSON. Give the model.json of a tfjs layers-model.`, { cause });
  }
  if (model?.format === "graph-model")
    throw new WeightsError(`${path}: is a graph-model, in which layers have no names. Convert to a layers-model.`);
  if (!Array.isArray(model?.weightsManifest))
    throw new WeightsError(`${path}: has no weightsManifest. Give the model.json of a tfjs layers-model.`);
  return model;
}

function decodeGroup(place: string, bytes: Uint8Array, entries: readonly ManifestEntry[]): Record<string, NdArray> {
  const needed = entries.reduce((sum, entry) => sum + storedBytes(entry), 0);
  if (bytes.length < needed)
    throw new WeightsError(`${place}: ${bytes.length} bytes, the manifest needs ${needed}. Fetch the shards again.`);
  const weights: Record<string, NdArray> = {};
  let offset = 0;
  for (const entry of entries) {
    const array = dequantize(entry, bytes.subarray(offset, offset + storedBytes(entry)));
    if (!array.data.every(Number.isFinite))
      throw new WeightsError(`${place}: ${entry.name} holds numbers that are not finite. Fetch the shards again.`);
    weights[entry.name] = array;
    offset += storedBytes(entry);
  }
  return weights;
}
