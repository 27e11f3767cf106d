/** How many threads a session gets by default. */

import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/**
 * The cores that this process may use, at most one thread a physical core: a second one on a core slows matrix products
 * down.
 */
export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), physicalCores() ?? Number.POSITIVE_INFINITY));
}

/** Physical cores as Linux tells them; `undefined` elsewhere. */
function physicalCores(): number | undefined {
  let text: string;
  try {
    text = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return undefined; // Not Linux: the system's own count stands.
  }
  return countCores(text);
}

/** Distinct pairs of "physical id" and "core id" in the text of `/proc/cpuinfo`; `undefined` where it names none. */
export function countCores(cpuinfo: string): number | undefined {
  const cores = new Set<string>();
  for (const processor of cpuinfo.split(/\n\s*\n/)) {
    const socket = /^physical id\s*:\s*(\d+)/m.exec(processor)?.[1];
    const core = /^core id\s*:\s*(\d+)/m.exec(processor)?.[1];
    if (socket !== undefined && core !== undefined) cores.add(`${socket}/${core}`);
  }
  return cores.size || undefined;
}
