/** Puts a finished file in its place unless one is there already. */

import { link, rename } from "node:fs/promises";
import { exists } from "./files.js";

/** Of file systems without hard links, as on memory cards. */
const NO_LINKS = ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"];

/**
 * In one step: of several that do it at once, one wins, and nobody sees half of a file.
 *
 * @param from on the same file system as `to`; remains, or is gone where links are not to be had.
 * @returns false where `to` is there already, which then stays as it is.
 */
export async function linkOnce(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (!NO_LINKS.includes(code)) throw cause;
    if (await exists(to)) return false;
    await rename(from, to);
    return true;
  }
}
