/**
 * Which paths a dataset may name: relative ones, with forward slashes, that stay inside its folder; and where they lie.
 */

import { existsSync, realpathSync } from "node:fs";
import { join, posix, sep } from "node:path";
import { DatasetError, ImageError, type InputErrorClass } from "../core/errors.js";

/**
 * @param where file and line, for the message.
 * @returns the path, normalised, relative to the dataset's folder.
 * @throws DatasetError where it is no text, absolute, or leads out of the folder.
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
 * Where a path of a record lies. An accented letter is one character to some file systems and tools and two to others
 * (NFC, NFD); a part of the path that is there in the other form only is found in that.
 *
 * @throws ImageError (or `ErrorClass`) where links lead out of the dataset's folder and it does not allow that.
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
 * Also true where there is nothing; whoever reads it says so. Synchronous: some microseconds, a tenth of the other way.
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
