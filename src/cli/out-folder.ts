/** Checks a command's output folder before the work starts. */

import { access, constants, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { InputError } from "../core/errors.js";

/**
 * @param option that names it.
 * @throws InputError if it is a file, has no name, or cannot be written to.
 */
export async function checkFolder(out: string, option = "--out"): Promise<void> {
  if (out === "") throw new InputError(`${option}: is empty.`, { cure: "Name a folder." });
  let place = resolve(out);
  let found = await stat(place).catch(() => null);
  while (!found && dirname(place) !== place) {
    place = dirname(place);
    found = await stat(place).catch(() => null);
  }
  if (!found?.isDirectory())
    throw new InputError(`${option} ${out}: ${place === resolve(out) ? "" : `${place} `}is a file.`, {
      cure: "Name a folder.",
    });
  await access(place, constants.W_OK).catch((cause) => {
    throw new InputError(`${option} ${out}: ${place} cannot be written to.`, {
      cure: "Choose another place, or make this one writable.",
      cause,
    });
  });
}
