/** How much memory image decoders take together: those that would exceed it wait until others have ended. */

import { LIMITS } from "../core/limits.js";

let free: number = LIMITS.decodingBytes;
/** Those that wait, first come first served. */
const queue: { readonly bytes: number; readonly begin: () => void }[] = [];

/**
 * Does the work when so much is free.
 *
 * @param bytes at most `LIMITS.decodingBytes`.
 */
export async function withinBudget<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
  await new Promise<void>((begin) => {
    queue.push({ bytes, begin });
    admit();
  });
  try {
    return await work();
  } finally {
    free += bytes;
    admit();
  }
}

function admit(): void {
  while (queue[0] && queue[0].bytes <= free) {
    free -= queue[0].bytes;
    queue.shift()?.begin();
  }
}
