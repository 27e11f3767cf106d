/** Changes an image where it lies, so that at any moment the old or the new one is there whole, with time and rights. */

import { type BigIntStats, constants } from "node:fs";
import { lstat, open, realpath, rename, rm } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { ImageError } from "../core/errors.js";
import { refused, temporaryName } from "../core/files.js";

const FORBIDDEN = ["EACCES", "EPERM", "EROFS"];

/** A file that may be replaced, as it was when it was looked at. */
export interface ReplaceableFile {
  readonly path: string;
  readonly found: BigIntStats;
}

/**
 * Looks at a file before it is read.
 *
 * @param folder in which files may be changed.
 * @throws ImageError where it is a link, has further names (hard links), is write-protected, or lies outside of the
 *   folder, behind a link to another one.
 */
export async function replaceableFile(path: string, folder: string): Promise<ReplaceableFile> {
  const refuse = (what: string, cure: string) => new ImageError(`${path}: ${what}`, { cure, file: path });
  const found = await lstat(path, { bigint: true }).catch((cause: unknown) => {
    throw new ImageError(`${path}: no such file.`, { cure: "Check the path.", cause, file: path });
  });
  if (found.isSymbolicLink())
    throw refuse(
      "is a link, and only files are changed in place.",
      "Name the folder that holds the file, or use --out.",
    );
  if (!found.isFile()) throw refuse("is no file.", "Name a file or a folder.");
  if (found.nlink > 1n)
    throw refuse(`has ${found.nlink} names (hard links), and would change under one of them.`, "Use --out.");
  if ((found.mode & 0o222n) === 0n) throw refuse("is write-protected.", "Allow writing, or use --out.");
  const [root, place] = [await realpath(folder), await realpath(dirname(path))];
  if (place !== root && !place.startsWith(root.endsWith(sep) ? root : root + sep))
    throw refuse(`lies outside of ${folder}, behind a link.`, "Name the folder that holds it, or use --out.");
  return { path, found };
}

/**
 * Writes a temporary file beside it, waits until the disk has it, and renames it. Time, rights and owner are those of
 * the former file; attributes beyond these are not carried.
 *
 * @throws ImageError where the file is not as it was when it was looked at; InputError where it cannot be written.
 */
export async function replaceFile({ path, found }: ReplaceableFile, bytes: Uint8Array): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(bytes);
      const made = await file.stat({ bigint: true });
      if (made.uid !== found.uid || made.gid !== found.gid) await file.chown(Number(found.uid), Number(found.gid));
      await file.chmod(Number(found.mode & 0o7777n));
      await file.utimes(Number(found.atimeNs) / 1e9, Number(found.mtimeNs) / 1e9);
      await file.sync();
    } finally {
      await file.close();
    }
    if (!isSame(found, await lstat(path, { bigint: true }).catch(() => undefined)))
      throw new ImageError(`${path}: was changed by another program meanwhile.`, { cure: "Run again.", file: path });
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => {}); // the first failure is the one to tell
    // Of this file or its folder: others may allow it.
    if (FORBIDDEN.includes((cause as NodeJS.ErrnoException).code ?? ""))
      throw new ImageError(`${path}: cannot be replaced: permission denied.`, {
        cure: "Allow it, or use --out.",
        file: path,
      });
    throw refused(path, cause);
  }
}

/** Whether a file is still as it was. */
function isSame(former: BigIntStats, now: BigIntStats | undefined): boolean {
  return (["dev", "ino", "size", "mtimeNs", "ctimeNs"] as const).every((key) => now?.[key] === former[key]);
}

/** So that the new name survives a loss of power; some systems have no such thing. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY).catch(() => undefined);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
