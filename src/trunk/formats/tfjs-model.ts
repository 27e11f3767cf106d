/** Reads a tfjs layers-model or graph-model from disk: its topology, and every weight as plain float32 numbers. */

import { basename, dirname, join } from "node:path";
import { WeightsError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import type { NdArray } from "../../core/nd-array.js";
import { clip } from "../../core/terminal.js";
import { dequantize, type ManifestEntry, storedBytes } from "./dequantize.js";
import { readInputFile, withInputFile } from "./input-file.js";
import { graphWeights } from "./tfjs-graph.js";
import type { WeightsFile } from "./weights-file.js";

const CURE = "Give the model.json of a tfjs model.";
const BESIDE = "A model.json needs all its shards beside it.";

interface ModelJson {
  readonly format?: string;
  readonly modelTopology?: unknown;
  readonly weightsManifest?: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly ManifestEntry[];
  }[];
}

/** A model as its files have it. */
export interface TfjsFile {
  readonly format: string | undefined;
  readonly topology: unknown;
  /** Entries with the bytes that they take, one after the other. */
  readonly groups: readonly { readonly entries: readonly ManifestEntry[]; readonly bytes: Uint8Array }[];
}

/**
 * @param path of a `model.json` with its shards beside it.
 * @returns weights dequantized from uint8, uint16 or float16, the same numbers that TensorFlow.js loads: of a
 *   layers-model all, of a graph-model those of its trunk.
 * @throws WeightsError where a file is absent, cut off, or holds a weight that is no number.
 */
export async function readTfjsModel(path: string): Promise<WeightsFile> {
  const { format, topology, groups } = await readTfjsFile(path);
  const weights: Record<string, NdArray> = Object.create(null); // names may be those that objects inherit
  for (const { entries, bytes } of groups) Object.assign(weights, decodeGroup(path, bytes, entries));
  if (format !== "graph-model") return { path, weights, topology };
  return { path, weights: graphWeights(topology, weights, path), topology: undefined };
}

/** Reads each shard once, and no further than the manifest's entries go. @throws WeightsError as `readTfjsModel`. */
export async function readTfjsFile(path: string): Promise<TfjsFile> {
  const { format, modelTopology: topology, weightsManifest = [] } = parse(path, await readInputFile(path, CURE));
  const files = new Set<string>();
  const groups: TfjsFile["groups"][number][] = [];
  for (const { paths, weights: entries } of weightsManifest) {
    const needed = entries.reduce((sum, entry) => sum + storedBytes(entry, path), 0);
    const shards: Uint8Array[] = [];
    let size = 0;
    for (const name of paths) {
      const shard = await readShard(path, name, files);
      shards.push(shard);
      size += shard.length;
    }
    const place = `${path}: ${clip(paths.join(", "))}`;
    if (size < needed)
      throw new WeightsError(`${place}: ${size} bytes, the manifest needs ${needed}.`, {
        cure: "Fetch the shards again.",
      });
    groups.push({ entries, bytes: Buffer.concat(shards, needed) });
  }
  return { format, topology, groups };
}

/**
 * @param files shards that were read, by what the file system tells them by: names and links may lead to one more than
 *   once.
 */
function readShard(path: string, name: string, files: Set<string>): Promise<Buffer> {
  return withInputFile(join(dirname(path), name), BESIDE, async (file) => {
    const { dev, ino } = await file.stat({ bigint: true });
    if (files.has(`${dev} ${ino}`))
      throw new WeightsError(`${path}: names the shard ${clip(name)} more than once.`, {
        cure: "Fetch the model.json again.",
      });
    files.add(`${dev} ${ino}`);
    return file.readFile();
  });
}

function parse(path: string, bytes: Buffer): ModelJson {
  const model = parseJson(bytes, { where: path, error: WeightsError, cure: CURE }) as ModelJson | null;
  if (!Array.isArray(model?.weightsManifest))
    throw new WeightsError(`${path}: has no weightsManifest.`, { cure: CURE });
  model.weightsManifest.forEach((group: unknown, index) => {
    if (!isGroup(group))
      throw new WeightsError(
        `${path}: weightsManifest[${index}] is described wrongly: ` +
          'needs "paths", files in its own folder, and "weights", each with name, shape and dtype.',
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
  const { name, shape, dtype, quantization = {} } = (value ?? {}) as Record<string, unknown>;
  const isShape = Array.isArray(shape) && shape.every((side) => Number.isSafeInteger(side) && side >= 0);
  const isKnown = typeof name === "string" && typeof dtype === "string" && isShape;
  if (!isKnown || typeof quantization !== "object" || quantization === null) return false;
  const { dtype: stored = "", scale = 0, min = 0 } = quantization as Record<string, unknown>;
  return typeof stored === "string" && typeof scale === "number" && typeof min === "number";
}

function decodeGroup(path: string, bytes: Uint8Array, entries: readonly ManifestEntry[]): Record<string, NdArray> {
  const weights: Record<string, NdArray> = Object.create(null);
  let offset = 0;
  for (const entry of entries) {
    const array = dequantize(entry, bytes.subarray(offset, offset + storedBytes(entry)));
    if (!array.data.every(Number.isFinite))
      throw new WeightsError(`${path}: ${clip(entry.name)} holds numbers that are not finite.`, {
        cure: "Fetch the shards again.",
      });
    weights[entry.name] = array;
    offset += storedBytes(entry);
  }
  return weights;
}
