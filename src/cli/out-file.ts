/** Checks a command's output file before the work starts: files that this tool did not make are never overwritten. */

import { lstat, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError } from "../core/errors.js";
import { checkFolder } from "./out-folder.js";

/**
 * @param isOurs whether an existing file was made by this command.
 * @param name of what the command makes, with an article.
 * @throws InputError if the file was made by something else, is a folder, or cannot be written.
 */
export async function checkOutFile(
  path: string,
  { isOurs, what }: { isOurs: (path: string) => Promise<boolean>; what: string },
): Promise<void> {
  if (await lstat(path).catch(() => null)) {
    const found = await stat(path).catch(() => null);
    if (found?.isDirectory()) throw new InputError(`${path}: is a folder.`, { cure: "Name a file." });
    if (!(found?.isFile() && (await isOurs(path))))
      throw new InputError(`${path}: exists and is not ${what}; it would be overwritten.`, {
        cure: "Choose another name, or remove the file.",
      });
  }
  await checkFolder(dirname(path));
}
