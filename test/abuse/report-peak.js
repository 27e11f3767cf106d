/** Preloaded: at its end, a process writes its largest resident size in bytes and its computing time in ms to its fourth file descriptor. */

import { writeSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
import { peakBytes } from "./peak-bytes.js";

const DESCRIPTOR = 3;

if (isMainThread)
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    writeSync(DESCRIPTOR, `${peakBytes()} ${(userCPUTime + systemCPUTime) / 1000}`);
  });
