/** Checks the paths in a dataset (relative, with forward slashes, inside its folder) and finds their files. */

import { existsSync, realpathSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { DatasetError, ImageError, type InputErrorClass } from "../core/errors.js";

/**
 * @param where file and line, for the message.
 * @returns the path, normalised, relative to the dataset's folder.
 * @throws DatasetError if it is not a string, is absolute, or leads out of the folder.
 */
export function checkPath(value: unknown, where: string, what: string): string {
  const refuse = (reason: string) =>
    new DatasetError(`${where}: ${what} ${JSON.stringify(value)} ${reason}.`, {
      cure: `Give a path relative to the dataset's folder, like "images/0001.png".`,
    });
  if (typeof value !== "string" || value === "") throw refuse("is not a path");
  if (value.includes("\0")) throw refuse("holds a NUL character");
  if (value.includes("\\")) throw refuse("holds a backslash");
  if (value.startsWith("/") || /^[A-Za-z]:/.test(value)) throw refuse("is absolute");
  const path = posix.normalize(value);
  if (path === ".." || path.startsWith("../")) throw refuse("leads out of the dataset");
  if (path === "." || path.endsWith("/")) throw refuse("is a folder");
  return path;
}

/** A dataset's folder, and whether links may lead out of it. */
interface Place {
  readonly directory: string;
  readonly manifest: { readonly allowLinks?: boolean };
}

/**
 * Finds the file of a path in a record. Some file systems and tools write an accented letter as one character, others
 * as two (NFC, NFD); a part of the path that exists only in the other form is found too.
 *
 * @throws ImageError (or `ErrorClass`) if links lead out of the dataset's folder and the dataset does not allow that.
 */
export function locate(
  { directory, manifest }: Place,
  path: string,
  { ErrorClass = ImageError }: { ErrorClass?: InputErrorClass } = {},
): string {
  const file = find(directory, path);
  if (manifest.allowLinks || isInside(directory, file)) return file;
  throw new ErrorClass(`${file}: a link leads out of the dataset.`, {
    cure: 'Put the file itself there, or set "allowLinks": true in dataset.json where you trust the dataset.',
  });
}

/**
 * Also true if the file is absent, which is reported when it is read. Synchronous: some microseconds, a tenth of an
 * asynchronous call.
 */
function isInside(directory: string, file: string): boolean {
  try {
    const root = realpathSync.native(directory);
    return realpathSync.native(file).startsWith(root.endsWith(sep) ? root : root + sep);
  } catch {
    return true;
  }
}

function find(directory: string, path: string): string {
  const plain = join(directory, path);
  if (/^[\x20-\x7e]*$/.test(path) || existsSync(plain)) return plain;
  let found = directory;
  for (const part of path.split("/")) {
    const forms = [part, part.normalize("NFC"), part.normalize("NFD")];
    found = join(found, forms.find((form) => existsSync(join(found, form))) ?? part);
  }
  return found;
}
