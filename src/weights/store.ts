/** Finds weights: those in the package, those pulled or imported, and files anywhere. */

import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WeightsError } from "../core/errors.js";
import { exists } from "../core/files.js";
import { readTrunkFile, TRUNK_FILE } from "../trunk/formats/trunk-file.js";
import { CATALOGUE } from "./catalogue.js";

const BUILTIN = "builtin:";
const PACKAGE = fileURLToPath(new URL("../../weights/", import.meta.url));
const NAME = /^[a-z0-9][a-z0-9._-]*$/i;

/** Weights that are on this machine. */
export interface StoredWeights {
  /**
   * Name for use in a configuration: `builtin:mobilenet-v1-0.25`, or the name under which they were pulled or imported.
   */
  readonly name: string;
  /** Path of the trunk file. */
  readonly path: string;
}

/** Folder of pulled and imported weights: `$ASPECTLENS_WEIGHTS`, else in the user's cache. */
export function storeFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ASPECTLENS_WEIGHTS) return env.ASPECTLENS_WEIGHTS;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aspectlens", "weights");
}

/** Names that mean something else in a configuration or file system. */
const RESERVED = /^(random|con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * Path of the trunk file of weights of this name in the store, whether it exists or not.
 *
 * @throws WeightsError for an invalid name.
 */
export function storePath(name: string, folder = storeFolder()): string {
  if (!NAME.test(name) || RESERVED.test(name) || name.endsWith("."))
    throw new WeightsError(`"${name}" cannot be a name of weights.`, {
      cure: 'Use letters, digits, ".", "_" and "-", as in --name my-mobilenet.',
    });
  return join(folder, name, TRUNK_FILE);
}

/** Whether there are weights of this name in the store. */
export function isStored(name: string, folder = storeFolder()): Promise<boolean> {
  return exists(storePath(name, folder));
}

/** Lists the weights on this machine, those of the package first, sorted by name. */
export async function listStored(folder = storeFolder()): Promise<StoredWeights[]> {
  const within = async (root: string, prefix: string) => {
    const names = (await readdir(root).catch(() => [])).sort();
    const candidates = names.map((name) => ({ name: `${prefix}${name}`, path: join(root, name, TRUNK_FILE) }));
    const found = await Promise.all(candidates.map(({ path }) => exists(path)));
    return candidates.filter((_, index) => found[index]);
  };
  return [...(await within(PACKAGE, BUILTIN)), ...(await within(folder, ""))];
}

/**
 * Finds the file or folder for `weights` of a configuration: `builtin:NAME`, a path, or a name in the store. A path to
 * a file, or to a folder with weights, takes precedence over a name.
 *
 * @throws WeightsError that lists the available weights.
 */
export async function locateWeights(text: string, folder = storeFolder()): Promise<string> {
  if (text.startsWith(BUILTIN)) return locateBuiltin(text);
  if (text.startsWith("file:") || (await holdsWeights(text))) return text;
  if (NAME.test(text) && (await exists(join(folder, text, TRUNK_FILE)))) return storePath(text, folder);
  if (await exists(text)) return text; // reading it will report errors
  const cure = CATALOGUE.some(({ name }) => name === text)
    ? `First run: aspectlens weights pull ${text}.`
    : 'Give a path, or "random".';
  throw new WeightsError(`weights "${text}": no such file or folder, and no stored weights of that name.`, {
    cure: `Stored are: ${await namesOfStored(folder)}. ${cure}`,
  });
}

async function locateBuiltin(text: string): Promise<string> {
  const stored = await listStored();
  const match = stored.find(({ name }) => name === text);
  if (match) return match.path;
  const own = stored.filter(({ name }) => name.startsWith(BUILTIN)).map(({ name }) => name);
  throw new WeightsError(`weights "${text}": not in the package, which has ${own.join(", ") || "none"}.`, {
    cure: 'Take one of these, a path, or "random".',
  });
}

async function namesOfStored(folder: string): Promise<string> {
  return (await listStored(folder)).map(({ name }) => name).join(", ") || "none";
}

async function holdsWeights(path: string): Promise<boolean> {
  const about = await stat(path).catch(() => undefined);
  if (!about?.isDirectory()) return about !== undefined;
  return (await exists(join(path, TRUNK_FILE))) || (await exists(join(path, "model.json")));
}

/**
 * The metadata of a stored file.
 *
 * @param stored as `listStored` gives it.
 */
export async function readStored({ path }: StoredWeights) {
  const { trunk, origin, licence } = await readTrunkFile(path);
  return { trunk, origin, licence, bytes: (await stat(path)).size };
}
