/**
 * The commands of the README: its fenced `sh` blocks, run whole and in order from the project's root.
 *
 * `node scripts/readme.js` runs them all; the first that fails ends it with exit code 1.
 */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @returns {string[]} the blocks' texts, in order */
export function readmeBlocks() {
  const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const block of readmeBlocks()) {
    console.log(`-- README:\n${block}`);
    const started = performance.now();
    const { status } = spawnSync("bash", ["-euo", "pipefail", "-c", block], { cwd: root, stdio: "inherit" });
    console.log(`-- exit code ${status} after ${Math.round((performance.now() - started) / 1000)} s`);
    if (status !== 0) process.exit(1);
  }
}
