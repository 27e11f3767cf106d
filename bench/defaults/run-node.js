/** Another program of Node, run to its end. */

import { spawnSync } from "node:child_process";

/**
 * @param {readonly string[]} args
 * @param {{ cwd?: string }} [options]
 * @returns {string} what it prints.
 */
export function runNode(args, { cwd } = {}) {
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${args.join(" ")}: exit code ${status}`);
  return stdout;
}
