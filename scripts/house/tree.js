/** Trees to compare: the working one, and one of git's history, unpacked into a temporary folder. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** @typedef {{ path: string, text: string }} File path below `src`, with slashes. */

/**
 * Unpacks a commit into a temporary folder; the caller removes it.
 *
 * @param {string} ref
 * @returns {string} the folder.
 */
export function unpack(ref) {
  const folder = mkdtempSync(join(tmpdir(), "tree-"));
  try {
    const archive = execFileSync("git", ["archive", ref], { cwd: ROOT, maxBuffer: 1 << 30 });
    execFileSync("tar", ["-x", "-C", folder], { input: archive });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return folder;
}

/** The code in a tree's `src`, by path. @param {string} root @returns {File[]} */
export function readSource(root) {
  const src = join(root, "src");
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.[jt]s$/.test(path))
    .sort()
    .map((path) => ({ path: path.replaceAll("\\", "/"), text: readFileSync(join(src, path), "utf8") }));
}
