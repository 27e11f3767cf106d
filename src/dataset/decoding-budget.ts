/**
 * Limits the memory of all image decoders together: a decoder that would exceed it waits until others have finished.
 */

import { LIMITS } from "../core/limits.js";

let free: number = LIMITS.decodingBytes;
/** Waiting decoders, in the order of their requests. */
const queue: { readonly bytes: number; readonly begin: () => void }[] = [];

/**
 * Starts the work once that much memory is free.
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
