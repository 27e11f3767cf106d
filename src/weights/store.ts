/** Where weights lie: those inside the package, those pulled or imported, and files anywhere. */

import { readdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WeightsError } from "../core/errors.js";
import { readTrunkFile, TRUNK_FILE } from "../trunk/weights/trunk-file.js";

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

/** Path of the trunk file that weights of this name have, or would have, in the store. @throws WeightsError for a name that is none. */
export function storePath(name: string, folder = storeFolder()): string {
  if (!NAME.test(name))
    throw new WeightsError(`"${name}" cannot be a name of weights. Use letters, digits, ".", "_" and "-".`);
  return join(folder, name, TRUNK_FILE);
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
 * The file or folder that a configuration means by `weights`: `builtin:NAME`, a path, or the name of pulled weights; a path that
 * exists goes first.
 *
 * @throws WeightsError naming what there is.
 */
export async function locateWeights(text: string, folder = storeFolder()): Promise<string> {
  if (!text.startsWith(BUILTIN)) {
    if (text.startsWith("file:") || (await exists(text))) return text;
    if (NAME.test(text) && (await exists(storePath(text, folder)))) return storePath(text, folder);
  }
  const stored = await listStored(folder);
  const match = stored.find(({ name }) => name === text);
  if (match) return match.path;
  const names = stored.map(({ name }) => name).join(", ") || "none";
  const known = NAME.test(text)
    ? ` If it is in "aspectlens weights list", first run: aspectlens weights pull ${text}.`
    : "";
  throw new WeightsError(
    `weights "${text}": no file or folder, and none of that name are here. Here are: ${names}.${known}`,
  );
}

/** What a stored file says of itself. */
export async function readStored({ path }: StoredWeights) {
  const { trunk, origin, licence } = await readTrunkFile(path);
  return { trunk, origin, licence, bytes: (await stat(path)).size };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
