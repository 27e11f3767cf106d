/** Imports weights from a file of any known format into the store, after checking them. */

import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { WeightsError } from "../core/errors.js";
import { writeFileAtomic } from "../core/files.js";
import { sideOf } from "../core/size.js";
import type { Engine } from "../engine/engine.js";
import { createTrunk } from "../trunk/create-trunk.js";
import { inspectWeights } from "../trunk/formats/inspect-weights.js";
import { loadWeights } from "../trunk/formats/load-weights.js";
import { readWeights } from "../trunk/formats/read-weights.js";
import { TRUNK_FILE, type TrunkMetadata, writeTrunkFile } from "../trunk/formats/trunk-file.js";
import { layerOfParameter } from "../trunk/layer-parameters.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { CATALOGUE } from "./catalogue.js";
import { checkWeights, type WeightsCheck } from "./check-weights.js";
import { openOriginal } from "./open-original.js";
import { isStored, storeFolder, storePath } from "./store.js";

/** What imported weights are called, and where they go. */
export interface ImportOptions {
  readonly engine: Engine;
  /** Name for use in a configuration; by default the name of the file or folder. */
  readonly name?: string;
  readonly origin?: string;
  readonly licence?: string;
  readonly folder?: string;
  /** Replaces weights of the same name; otherwise that is an error. */
  readonly isReplacing?: boolean;
  /** Expected architecture, if known. */
  readonly expected?: TrunkSpec;
}

/** What was imported, and what its check found. */
export interface Imported {
  readonly name: string;
  /** The file in the store. */
  readonly path: string;
  readonly trunk: TrunkSpec;
  readonly lastLayer: string;
  readonly hasBatchNorm: boolean;
  readonly parameterCount: number;
  readonly proof: WeightsCheck;
}

/** Input size if a file does not tell at which size it was trained. */
const COMMON_SIZE = 224;
/**
 * Size of the check image if there is no original: smaller would leave nothing at stride 32, larger gives no more
 * information.
 */
const LEAST_SIZE = 96;
const LARGEST_SIZE = COMMON_SIZE;

/**
 * Reads a file of weights in any known format, checks them, and writes them into the store, where they have a name.
 *
 * @param source as `readWeights` takes it.
 * @throws WeightsError if the file cannot be read, fits no trunk, or fails its check; the store is then unchanged.
 */
export async function importWeights(source: string, options: ImportOptions): Promise<Imported> {
  const { engine, folder = storeFolder(), expected, isReplacing = false } = options;
  const name = options.name ?? nameOf(source);
  const path = storePath(name, folder);
  if (!expected && CATALOGUE.some((known) => known.name === name))
    throw new WeightsError(`weights "${name}": is the name of weights that can be pulled.`, {
      cure: "Choose another --name.",
    });
  if (!isReplacing && (await isStored(name, folder)))
    throw new WeightsError(`weights "${name}" exist already.`, { cure: "Choose another --name, or add --replace." });
  const file = await readWeights(source);
  const description = await inspectWeights(file);
  const { hasBatchNorm, convention, inputSize = expected ? sideOf(expected.inputSize) : COMMON_SIZE } = description;
  const spec: TrunkSpec = {
    ...{ name: description.name, alpha: description.alpha, inputSize },
    ...(convention && { convention }),
  };
  if (expected && (expected.name !== spec.name || expected.alpha !== spec.alpha))
    throw new WeightsError(`${file.path}: holds ${spec.name} ${spec.alpha}, not ${expected.name} ${expected.alpha}.`, {
      cure: "The address serves another network.",
    });
  // Pooling after the last weights belongs to the trunk, if the file has it.
  const { lastLayer = description.lastLayer } = file;
  const original = await openOriginal(file, { name: spec.name, lastLayer });
  const checkSize = "size" in original ? original.size : Math.min(Math.max(inputSize, LEAST_SIZE), LARGEST_SIZE);
  const trunk = createTrunk({
    ...spec,
    inputSize: checkSize,
  });
  const { parameters: all, randomLayers } = await loadWeights(trunk, file, { missing: "random", seed: 0 });
  const isOwn = ([key]: [string, unknown]) => !randomLayers.includes(layerOfParameter(key));
  const parameters = Object.fromEntries(Object.entries(all).filter(isOwn));
  const proof = await checkWeights(trunk, { parameters, engine, original, lastLayer, path: file.path });
  const metadata: TrunkMetadata = {
    trunk: spec,
    origin: options.origin ?? file.origin ?? basename(source),
    licence: options.licence ?? file.licence ?? "as the file's owner says",
  };
  // A trunk file of ours is copied unchanged: half precision stays half.
  const isOurs = file.licence !== undefined && options.licence === undefined;
  if (isOurs) await writeFileAtomic(path, await readFile(file.path));
  else await writeTrunkFile(path, { parameters, metadata });
  const parameterCount = Object.values(parameters).reduce((sum, { data }) => sum + data.length, 0);
  return { name, path, trunk: spec, lastLayer, hasBatchNorm, parameterCount, proof };
}

/** The folder's or file's own name without its ending. */
function nameOf(source: string): string {
  const path = resolve(source);
  const own = ["model.json", TRUNK_FILE].includes(basename(path)) ? basename(dirname(path)) : basename(path);
  return own.replace(/\.(h5|hdf5|onnx|safetensors|json)$/i, "");
}
