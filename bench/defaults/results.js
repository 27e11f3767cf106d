/** The file of results: read, and written as a whole after each. */

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

export const RESULTS = fileURLToPath(new URL("../results/defaults.json", import.meta.url));

/**
 * @typedef {object} Result
 * @property {string} set name of a training
 * @property {number} seed
 * @property {string} commit what was trained: defaults of another commit may be others
 * @property {"choose" | "show"} half
 * @property {"validation" | "test" | "folds" | "separate"} split
 * @property {number} seconds of training
 * @property {Record<string, Record<string, any>>} [heads] metrics by head (`evaluate --json`)
 * @property {Record<string, Record<string, Record<string, Record<string, any>>>>} [groups] by name, value and head
 * @property {Record<string, any> | null} [faithfulness] of the default method; `null` where the model explains nothing
 * @property {Record<string, any>} [report] what `--folds` or `--compare-separate` wrote
 */

/** @param {string} file @returns {Result[]} none where the file is not there. */
export function readResults(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
}

/** Of this folder, short. */
export function currentCommit() {
  return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
}

/** Whole, or as it was. @param {string} file @param {readonly Result[]} results */
export async function writeResults(file, results) {
  const beside = `${file}.part`;
  await writeFile(beside, `${JSON.stringify(results, null, 1)}\n`);
  await rename(beside, file);
}
