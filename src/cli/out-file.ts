/**
 * The file that a command is to write, checked before the work: nothing is written over what this tool did not make.
 */

import { lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../core/errors.js";
import { checkFolder } from "./out-folder.js";

/**
 * @param isOurs whether a file that is there already is one that this command made.
 * @param what it makes, with an article.
 * @throws InputError where the file is another's, or a folder, or nothing can be written in its place.
 */
export async function checkOutFile(
  path: string,
  { isOurs, what }: { isOurs: (path: string) => Promise<boolean>; what: string },
): Promise<void> {
  if (await lstat(path).catch(() => null)) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) throw new InputError(`${path}: is a folder.`, { cure: "Name a file." });
    if (!(found?.isFile() && (await isOurs(path))))
      throw new InputError(`${path}: is there already and is not ${what}; it would be lost.`, {
        cure: "Choose another name, or remove it.",
      });
  }
  await checkFolder(dirname(path));
}
