/** Folders that a command makes whole: one of ours is replaced at once, one that somebody changed is left alone. */

import { lstat, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { DatasetError } from "../core/errors.js";
import { exists, writeFileAtomic } from "../core/files.js";

interface Listed {
  /** Name of the file in which `listFiles` wrote what the folder holds. */
  readonly list: string;
  /** Files that the user may change or add. */
  readonly except?: readonly string[];
}

/**
 * Only an empty folder or an unchanged one of ours may be replaced: files that somebody added or changed are never
 * overwritten.
 *
 * @param options.label how messages call the folder.
 * @throws DatasetError
 */
export async function checkReplaceable(
  target: string,
  { label, ...listed }: Listed & { label: string },
): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (!found) return;
  if (!found.isDirectory()) throw new DatasetError(`${label}: is a file.`, { cure: "Name a new folder." });
  const { except = [] } = listed;
  if ((await readdir(target)).every((name) => except.includes(name))) return;
  const list = await readFile(join(target, listed.list), "utf8").catch(() => undefined);
  const others = (text: string) => text.split("\n").filter((line) => !except.some((name) => line.endsWith(` ${name}`)));
  if (list !== undefined && others(list).join() === others(await listText(target, listed)).join()) return;
  const holds = list === undefined ? "files that were not generated" : "a generated set that was changed since";
  throw new DatasetError(`${label}: holds ${holds}, which would be overwritten.`, {
    cure: "Name a new folder, or empty this one.",
  });
}

/** Whether a file of an earlier folder of ours is as we wrote it. */
export async function isAsListed(target: string, name: string, listed: Listed): Promise<boolean> {
  const list = await readFile(join(target, listed.list), "utf8").catch(() => "");
  const [line] = (await listText(target, listed)).split("\n").filter((one) => one.endsWith(` ${name}`));
  return list.split("\n").includes(line);
}

/** Writes the list of a folder's files into it, so that it can be replaced later. */
export async function listFiles(folder: string, listed: Listed): Promise<void> {
  await writeFileAtomic(join(folder, listed.list), await listText(folder, listed));
}

/** Puts a new folder in the place of an old one, or of none. */
export async function replaceFolder(target: string, made: string): Promise<void> {
  const old = `${made}.old`;
  const isThere = await exists(target);
  if (isThere) await rename(target, old);
  try {
    await rename(made, target);
  } catch (error) {
    if (isThere) await rename(old, target);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** One line for every file of the set: its size, time in milliseconds, and name. */
async function listText(folder: string, { list }: Listed): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name !== list);
  const lines: string[] = [];
  for (const name of names.sort()) {
    const found = await lstat(join(folder, name));
    lines.push(found.isDirectory() ? `${name}/` : `${found.size} ${Math.floor(found.mtimeMs)} ${name}`);
  }
  return `${lines.join("\n")}\n`;
}
