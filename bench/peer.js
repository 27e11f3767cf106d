/** PyTorch doing the same work, in a Python process that runs on request, so that both sides take turns. */

import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * @typedef {object} Peer
 * @property {string} name version and memory layout.
 * @property {{ python: string, torch: string, threads: number }} software that it runs on.
 * @property {(iterations: number) => Promise<import("./harness.js").Cost>} measure of one iteration.
 * @property {() => void} close
 */

/**
 * Starts `bench/peer/<script>`; it answers one line of JSON, its name, and then a line for each number of iterations.
 *
 * @param {string} script
 * @param {Record<string, unknown>} options handed over as JSON.
 * @returns {Promise<Peer | null>} null, with a message, where no Python with PyTorch is found.
 */
export async function openPeer(script, options) {
  const python = await findPython();
  if (!python) return null;
  const path = fileURLToPath(new URL(`peer/${script}`, import.meta.url));
  const child = spawn(python, [path, JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${script} ended early; see its message above.`);
    return JSON.parse(value);
  };
  const { name, software } = await next();
  console.log(`peer: Python ${software.python}, PyTorch ${software.torch}, ${software.threads} threads (${python})`);
  return {
    name,
    software,
    async measure(iterations) {
      child.stdin.write(`${iterations}\n`);
      return next();
    },
    close: () => child.stdin.end(),
  };
}

/**
 * @returns {Promise<string | null>} the first Python that imports torch; Debian's is tried after one from elsewhere.
 *   Null, with a message, where there is none.
 */
export async function findPython() {
  for (const python of [process.env.PYTHON, "python3", "python", "/usr/bin/python3"]) {
    if (!python) continue;
    const found = await promisify(execFile)(python, ["-c", "import torch"]).catch(() => null);
    if (found) return python;
  }
  console.log(
    "skipped: PyTorch is absent. Run: pip install torch, or apt-get install python3-torch, " +
      "or name a Python that has it in PYTHON.",
  );
  return null;
}
