/** Where weights lie: those inside the package, those pulled or imported, and files anywhere. */

import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WeightsError } from "../core/errors.js";
import { readTrunkFile, TRUNK_FILE } from "../trunk/formats/trunk-file.js";
import { CATALOGUE } from "./catalogue.js";

const BUILTIN = "builtin:";
const PACKAGE = fileURLToPath(new URL("../../weights/", import.meta.url));
const NAME = /^[a-z0-9][a-z0-9._-]*$/i;

/** Weights that are on this machine. */
export interface StoredWeights {
  /** As a configuration names them: `builtin:mobilenet-v1-0.25`, or the name they were pulled or imported under. */
  readonly name: string;
  /** Path of the trunk file. */
  readonly path: string;
}

/** Folder of pulled and imported weights: `$ASPECTLENS_WEIGHTS`, else in the user's cache. */
export function storeFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (env.ASPECTLENS_WEIGHTS) return env.ASPECTLENS_WEIGHTS;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "aspectlens", "weights");
}

/** Names that a configuration or a file system takes for something else. */
const RESERVED = /^(random|con|prn|aux|nul|com\d|lpt\d)$/i;

/**
 * Path of the trunk file that weights of this name have, or would have, in the store.
 *
 * @throws WeightsError for a name that is none.
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

/** What is on this machine, the package's own first, each by name. */
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
 * The file or folder that a configuration means by `weights`: `builtin:NAME`, a path, or the name of pulled weights. A
 * file, or a folder with weights in it, goes before a name.
 *
 * @throws WeightsError naming what there is.
 */
export async function locateWeights(text: string, folder = storeFolder()): Promise<string> {
  if (text.startsWith(BUILTIN)) return locateBuiltin(text);
  if (text.startsWith("file:") || (await holdsWeights(text))) return text;
  if (NAME.test(text) && (await exists(join(folder, text, TRUNK_FILE)))) return storePath(text, folder);
  if (await exists(text)) return text; // what is wrong with it is said by who reads it
  const cure = CATALOGUE.some(({ name }) => name === text)
    ? `First run: aspectlens weights pull ${text}.`
    : 'Give a path, or "random".';
  throw new WeightsError(`weights "${text}": no file or folder, and none of that name are here.`, {
    cure: `Here are: ${await namesOfStored(folder)}. ${cure}`,
  });
}

async function locateBuiltin(text: string): Promise<string> {
  const stored = await listStored();
  const match = stored.find(({ name }) => name === text);
  if (match) return match.path;
  const own = stored.filter(({ name }) => name.startsWith(BUILTIN)).map(({ name }) => name);
  throw new WeightsError(
    `weights "${text}": the package has none of that name, but ${own.join(", ") || "none at all"}.`,
    { cure: 'Take one of these, a path, or "random".' },
  );
}

async function namesOfStored(folder: string): Promise<string> {
  return (await listStored(folder)).map(({ name }) => name).join(", ") || "none";
}

async function holdsWeights(path: string): Promise<boolean> {
  const about = await stat(path).catch(() => undefined);
  if (!about?.isDirectory()) return about !== undefined;
  return (await exists(join(path, TRUNK_FILE))) || (await exists(join(path, "model.json")));
}

/** What a stored file says of itself. */
export async function readStored({ path }: StoredWeights) {
  const { trunk, origin, licence } = await readTrunkFile(path);
  return { trunk, origin, licence, bytes: (await stat(path)).size };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
