/** Writing files so that an interruption never leaves half of one. */

import { randomBytes } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "./errors.js";

/** What the user can mend by naming another place, and how it is said. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "a part of the path is a file",
  EISDIR: "there is a folder of that name",
  ENOTEMPTY: "there is a folder of that name",
  ENAMETOOLONG: "the name is too long",
};

/**
 * Writes to a temporary name beside `path`, then renames; makes the folder. On failure nothing is left behind.
 *
 * @throws InputError naming the file, where its place does not let it be written.
 */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString("hex")}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, data);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to tell
    const refusal = REFUSALS[(cause as NodeJS.ErrnoException).code ?? ""];
    if (refusal === undefined) throw cause;
    throw new InputError(`${path}: cannot be written: ${refusal}. Choose another place, or make this one writable.`, {
      cause,
    });
  }
}

/** The same for a value as indented JSON with a final line feed. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}
