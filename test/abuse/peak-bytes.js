import { readFileSync } from "node:fs";

const KILO = 1024;

/**
 * The largest resident size of this process, bytes. Not `resourceUsage().maxRSS`: Linux hands that of the parent down to
 * a process that it starts, so a large parent made small commands look large.
 */
export function peakBytes() {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
  return Number(kilobytes) * KILO;
}
