/** The moments of a training at which the bench kills it, and how a process is killed there. */

import { fork } from "node:child_process";
import { mkdirSync, watch } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * `start`: at any time since the process began. `checkpoint`, `best`: while that folder's file is written.
 * @typedef {"start" | "features" | "step" | "validation" | "checkpoint" | "best" | "finishing"} Phase
 */

/** Where a training is killed: where that phase was told `count` times, `waitMs` later. @typedef {{ phase: Phase, count: number, waitMs: number }} Moment */

const TRAINING = fileURLToPath(new URL("training.js", import.meta.url));

/**
 * Trains, or goes on, until the end or the moment.
 *
 * @param {string} config
 * @param {{ out: string, moment?: Moment }} options
 * @returns {Promise<{ isKilled: boolean, counts: Map<Phase, number>, ms: number }>} how often each phase was told.
 * @throws where the process fails by itself.
 */
export async function trainUntil(config, { out, moment }) {
  /** @type {Map<Phase, number>} */
  const counts = new Map();
  const began = performance.now();
  const child = fork(TRAINING, [config], { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let stderr = "";
  child.stderr?.on("data", (text) => {
    stderr += text;
  });
  const reached = (/** @type {Phase} */ phase) => {
    const count = (counts.get(phase) ?? 0) + 1;
    counts.set(phase, count);
    if (moment?.phase !== phase || moment.count !== count) return;
    if (moment.waitMs === 0) child.kill("SIGKILL");
    else setTimeout(() => child.kill("SIGKILL"), moment.waitMs);
  };
  reached("start");
  /** @type {import("node:fs").FSWatcher[]} */
  const watchers = [];
  child.on("message", (phase) => {
    // From the first message on the folder is the run's.
    if (watchers.length === 0) watchers.push(...watchFolders(out, reached));
    reached(/** @type {Phase} */ (phase));
  });
  const [code, signal] = await new Promise((resolve) => child.on("exit", (code, signal) => resolve([code, signal])));
  for (const watcher of watchers) watcher.close();
  const isKilled = signal === "SIGKILL";
  if (!isKilled && code !== 0) throw new Error(`the training failed: ${stderr}`);
  return { isKilled, counts, ms: performance.now() - began };
}

/**
 * @param {string} out
 * @param {(phase: Phase) => void} reached called where a file begins to be written.
 */
function watchFolders(out, reached) {
  return /** @type {const} */ (["checkpoint", "best"]).map((phase) => {
    mkdirSync(join(out, phase), { recursive: true });
    /** @type {Set<string>} */
    const seen = new Set();
    return watch(join(out, phase), (_, name) => {
      if (!name?.endsWith(".tmp") || seen.has(name)) return;
      seen.add(name);
      reached(phase);
    });
  });
}
