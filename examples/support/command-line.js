/** Runs the built command line as a user does. */

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const COMMAND_LINE = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/**
 * @param {readonly string[]} words after `aspectlens`.
 * @returns {string} what it printed; its progress goes to stderr.
 */
export function aspectlens(...words) {
  return node(COMMAND_LINE, ...words);
}

/**
 * @param {readonly string[]} words after `node`.
 * @returns {string} what it printed.
 */
export function node(...words) {
  const { status, stdout } = spawnSync(process.execPath, words, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1e9,
  });
  if (status !== 0) throw new Error(`${words.join(" ")}: exit code ${status}`);
  return stdout;
}
