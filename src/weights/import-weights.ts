/** Takes weights from a file of any known form into the store, after they have shown that they work. */

import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { WeightsError } from "../core/errors.js";
import { writeFileAtomic } from "../core/files.js";
import type { Engine } from "../engine/engine.js";
import { createTrunk } from "../trunk/create-trunk.js";
import { inspectWeights } from "../trunk/formats/inspect-weights.js";
import { loadWeights } from "../trunk/formats/load-weights.js";
import { readWeights } from "../trunk/formats/read-weights.js";
import { TRUNK_FILE, type TrunkMetadata, writeTrunkFile } from "../trunk/formats/trunk-file.js";
import { layerOfParameter } from "../trunk/layer-parameters.js";
import type { TrunkSpec } from "../trunk/trunk.js";
import { CATALOGUE } from "./catalogue.js";
import { checkWeights, type WeightsCheck } from "./check-weights.js";
import { openOriginal } from "./open-original.js";
import { isStored, storeFolder, storePath } from "./store.js";

export interface ImportOptions {
  readonly engine: Engine;
  /** Under which a configuration names them; by default from the file or folder. */
  readonly name?: string;
  readonly origin?: string;
  readonly licence?: string;
  readonly folder?: string;
  /** Takes the place of weights of the same name; else that is an error. */
  readonly isReplacing?: boolean;
  /** What they must be, where it is known before. */
  readonly expected?: TrunkSpec;
}

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

/** Where a file does not tell at which size it was trained. */
const COMMON_SIZE = 224;
/**
 * Of the check image where nothing else computes it: a smaller one leaves nothing of it at stride 32, a larger one
 * tells no more.
 */
const LEAST_SIZE = 96;
const LARGEST_SIZE = COMMON_SIZE;

/**
 * @param source as `readWeights` takes it.
 * @throws WeightsError where the file cannot be read, fits no trunk, or fails its check; the store is then as it was.
 */
export async function importWeights(source: string, options: ImportOptions): Promise<Imported> {
  const { engine, folder = storeFolder(), expected, isReplacing = false } = options;
  const name = options.name ?? nameOf(source);
  const path = storePath(name, folder);
  if (!expected && CATALOGUE.some((known) => known.name === name))
    throw new WeightsError(`weights "${name}": known weights have that name, and can be pulled.`, {
      cure: "Choose another --name.",
    });
  if (!isReplacing && (await isStored(name, folder)))
    throw new WeightsError(`weights "${name}" are here already.`, { cure: "Choose another --name, or add --replace." });
  const file = await readWeights(source);
  const description = await inspectWeights(file);
  const { hasBatchNorm, convention, inputSize = expected?.inputSize ?? COMMON_SIZE } = description;
  const spec: TrunkSpec = {
    ...{ name: description.name, alpha: description.alpha, inputSize },
    ...(convention && { convention }),
  };
  if (expected && (expected.name !== spec.name || expected.alpha !== spec.alpha))
    throw new WeightsError(`${file.path}: holds ${spec.name} ${spec.alpha}, not ${expected.name} ${expected.alpha}.`, {
      cure: "The address serves another network.",
    });
  // A pooling behind the last weights is part of the trunk, where the file says that it has one.
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
  // One of our own is kept as it is: half precision stays half.
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
