/** Preloaded: at its end, a process writes its largest resident size in bytes and its computing time in ms to its fourth file descriptor. */

import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const DESCRIPTOR = 3;
const KILO = 1024;

if (isMainThread)
  process.on("exit", () => {
    const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
    writeSync(DESCRIPTOR, `${maxRSS * KILO} ${(userCPUTime + systemCPUTime) / 1000}`);
  });
