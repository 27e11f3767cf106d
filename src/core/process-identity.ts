/**
 * Which process this is, and whether another one still runs: what lock files and temporary names tell of their owner.
 */

import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Host and, in a container, its own numbering of processes: where a process id means something. */
export function machine(): string {
  const namespace = attempt(() => readlinkSync("/proc/self/ns/pid").replace(/\D/g, ""));
  return namespace === undefined ? hostname() : `${hostname()}/${namespace}`;
}

/** Four hexadecimal digits of `machine()`, for names of files. */
export function machineTag(): string {
  return createHash("sha256").update(machine()).digest("hex").slice(0, 4);
}

/** True where this machine has a process of that number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * When a process began, so that a reused process number is not taken for its former owner: boot and clock ticks since
 * then.
 *
 * @returns `null` where the system does not tell (other than Linux).
 */
export function startOfProcess(pid: number): string | null {
  const boot = attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim());
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (boot === undefined || stat === undefined) return null;
  // Field 22; the second, the command's name, may hold spaces and ends with the last parenthesis.
  const ticks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${boot}/${ticks}`;
}

function attempt<Value>(work: () => Value): Value | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
