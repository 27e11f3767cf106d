/** Tells a JSON file that a command wrote earlier, by the format that it names. */

import { readFile } from "node:fs/promises";

/** @returns for `checkOutFile`: true for a file of the format. */
export function isOfFormat(format: string): (path: string) => Promise<boolean> {
  return async (path) => {
    try {
      const value: unknown = JSON.parse(await readFile(path, "utf8"));
      return typeof value === "object" && value !== null && "format" in value && value.format === format;
    } catch {
      return false;
    }
  };
}
