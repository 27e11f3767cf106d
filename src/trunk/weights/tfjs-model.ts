/** Reads a tfjs layers-model or graph-model from disk: its topology, and every weight as plain float32 numbers. */

import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { WeightsError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import type { NdArray } from "../../core/nd-array.js";
import { dequantize, type ManifestEntry, storedBytes } from "./dequantize.js";
import type { WeightsFile } from "./read-weights.js";
import { graphWeights } from "./tfjs-graph.js";

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: unknown;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly ManifestEntry[];
  }[];
}

/**
 * @param path of a `model.json` with its shards beside it.
 * @returns weights dequantized from uint8, uint16 or float16, the same numbers that TensorFlow.js loads: of a layers-model all,
 *   of a graph-model those of its trunk.
 * @throws WeightsError where a file is absent, cut off, or holds a weight that is no number.
 */
export async function readTfjsModel(path: string): Promise<WeightsFile> {
  const model = parse(path, await read(path));
  const weights: Record<string, NdArray> = {};
  for (const { paths, weights: entries } of model.weightsManifest ?? []) {
    const shards = await Promise.all(paths.map((shard) => read(join(dirname(path), shard))));
    Object.assign(weights, decodeGroup(`${path}: ${paths.join(", ")}`, Buffer.concat(shards), entries));
  }
  const { format, modelTopology: topology } = model;
  if (format !== "graph-model") return { path, weights, topology };
  return { path, weights: graphWeights(topology, weights, path), topology: undefined };
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new WeightsError(`${path}: cannot be read. A model.json needs all its shards beside it.`, { cause });
  }
}

function parse(path: string, bytes: Buffer): ModelJson {
  const cure = "Give the model.json of a tfjs model.";
  const model = parseJson(bytes, { where: path, error: WeightsError, cure }) as ModelJson | null;
  if (!Array.isArray(model?.weightsManifest))
    throw new WeightsError(`${path}: has no weightsManifest. Give the model.json of a tfjs model.`);
  model.weightsManifest.forEach((group: unknown, index) => {
    if (!isGroup(group))
      throw new WeightsError(
        `${path}: weightsManifest[${index}] is described wrongly: needs "paths", files in its own folder, and "weights", each with name, shape and dtype.`,
      );
  });
  return model;
}

function isGroup(value: unknown): boolean {
  const { paths, weights } = (value ?? {}) as Record<string, unknown>;
  const isFile = (path: unknown) => typeof path === "string" && path === basename(path);
  return Array.isArray(paths) && paths.every(isFile) && Array.isArray(weights) && weights.every(isEntry);
}

function isEntry(value: unknown): boolean {
  const { name, shape, dtype } = (value ?? {}) as Record<string, unknown>;
  const isShape = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  return typeof name === "string" && typeof dtype === "string" && isShape;
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
