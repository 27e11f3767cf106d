/** The one file of a folder that may be an export, though it does not look like one. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isFolder } from "../../core/files.js";

/** @returns its path, or nothing where there are several or none. */
export async function aloneIn(folder: string, wanted: RegExp): Promise<[string] | []> {
  const names = (await isFolder(folder)) ? (await readdir(folder)).filter((name) => wanted.test(name)) : [];
  return names.length === 1 ? [join(folder, names[0])] : [];
}
