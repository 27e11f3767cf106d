/** Writing files so that an interruption never leaves half of one. */

import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "./errors.js";
import { isAlive, machineTag } from "./process-identity.js";

/** What the user can mend by naming another place, and how it is said. */
const REFUSALS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file would be larger than is allowed",
  EIO: "the disk reports an error",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "a part of the path is a file",
  ENOENT: "no file can be made there",
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
  const temporary = temporaryName(path);
  try {
    await makeMissing(dirname(path));
    await writeFile(temporary, data);
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to tell
    throw refused(path, cause);
  }
}

/**
 * A name beside `path` for what is being written: `.<name>.<pid>.<machine and random>.tmp`. Whoever finds it can tell
 * whether its process still runs.
 */
export function temporaryName(path: string): string {
  // A long name must not become too long by this.
  const name = Array.from(basename(path)).slice(0, 40).join("");
  return join(dirname(path), `.${name}.${process.pid}.${machineTag()}${randomBytes(4).toString("hex")}.tmp`);
}

const TEMPORARY = /^\.(.+)\.(\d+)\.([0-9a-f]{4})[0-9a-f]{8}\.tmp(\.old)?$/;

/**
 * Removes temporary files and folders of `temporaryName` that processes of this machine left when they were killed, and
 * puts back a folder that one of them was about to replace.
 *
 * @param options.of only those of this path.
 * @param options.isOurs nobody else writes here, as where a lock is held: those of any process are removed.
 */
export async function removeAbandoned(
  folder: string,
  { of, isOurs = false }: { of?: string; isOurs?: boolean } = {},
): Promise<void> {
  const wanted = of === undefined ? undefined : TEMPORARY.exec(basename(temporaryName(of)))?.[1];
  for (const name of await readdir(folder).catch(() => [])) {
    const [, base, pid, machine, old] = TEMPORARY.exec(name) ?? [];
    if (base === undefined || (wanted !== undefined && base !== wanted)) continue;
    const isGone = machine === machineTag() && !isAlive(Number(pid));
    // Killed between taking the old folder away and putting the new one in its place.
    if (isGone && old !== undefined && of !== undefined && !(await exists(of))) {
      await rename(join(folder, name), of);
      continue;
    }
    if (isGone || (isOurs && Number(pid) !== process.pid))
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => {}); // the next run tries again
  }
}

/** The same for a value as indented JSON with a final line feed. */
export function writeJson(path: string, value: unknown): Promise<void> {
  return writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Makes a folder and those that it lies in; one that is there already is fine.
 *
 * @throws InputError naming the folder, where its place does not let it be made; the system's error is its `cause`.
 */
export async function makeFolder(path: string): Promise<void> {
  await makeMissing(path).catch((cause: unknown) => {
    throw refused(path, cause);
  });
}

/** One folder after the other: Node's own `recursive` never ends where a folder can have no children, as in `/proc`. */
async function makeMissing(path: string): Promise<void> {
  if (await isFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) await makeMissing(parent);
  await mkdir(path).catch(async (cause: unknown) => {
    if (!(await isFolder(path))) throw cause; // another process may have been faster
  });
}

/** True for anything that a path leads to; a link that leads nowhere is nothing. */
export function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** False also where nothing is there. */
export function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** What to tell the user, or the failure itself where naming another place would not help. */
export function refused(path: string, cause: unknown): unknown {
  if (cause instanceof InputError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  if (code === "EMFILE" || code === "ENFILE") return tooManyFiles(path, cause);
  const refusal = Object.hasOwn(REFUSALS, code) ? REFUSALS[code] : undefined;
  if (refusal === undefined) return cause;
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  const cure = isFull ? "Make room, or choose another place." : "Choose another place, or make this one writable.";
  return new InputError(`${path}: cannot be written: ${refusal}.`, { cure, cause, file: path });
}

/** Where the system gives no more descriptors. */
function tooManyFiles(path: string, cause: unknown): InputError {
  return new InputError(`${path}: cannot be opened: too many files are open.`, {
    cure: "Raise the limit, as with: ulimit -n 1024.",
    cause,
    file: path,
  });
}
