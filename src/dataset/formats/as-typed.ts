/** Paths in what is said about an export, as the user would write them: from what was typed, not from the root. */

import { join, resolve, sep } from "node:path";

/** @param typed paths of the command line, files or folders; absolute ones stay as they are. */
export function asTyped(text: string, typed: readonly string[]): string {
  let said = text;
  for (const path of typed) {
    const whole = resolve(path);
    said = replacePath(said, `${whole}${sep}`, join(path, sep));
    // Beside a file.
    said = replacePath(said, `${resolve(whole, "..")}${sep}`, join(path, "..", sep));
  }
  return said;
}

/** Where a path begins, not in the middle of another. */
function replacePath(text: string, from: string, to: string): string {
  const pattern = from.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const by = to === `.${sep}` ? "" : to;
  return text.replace(new RegExp(`(?<![^\\s("'])${pattern}`, "g"), () => by);
}
