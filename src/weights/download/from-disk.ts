/** Copies a `file:` address into a part file, for weights that were brought by hand. */

import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { DownloadError } from "../../core/errors.js";
import type { PartFile } from "./part-file.js";

/**
 * Always copies from the beginning, since reading a disk again costs little.
 *
 * @throws DownloadError naming the path, where it cannot be read; the signal's reason.
 */
export async function copyFromDisk(
  address: URL,
  part: PartFile,
  {
    signal,
    mostBytes = Number.POSITIVE_INFINITY,
    onProgress,
  }: {
    signal?: AbortSignal;
    /** Stop after more bytes than this. */
    mostBytes?: number;
    onProgress?: (done: number, all: number | undefined) => void;
  } = {},
): Promise<void> {
  const path = pathOf(address);
  // Opening a FIFO would wait for its writer.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  try {
    const about = await handle.stat();
    if (!about.isFile()) throw unreadable(path, new Error("not a file"));
    await part.restart({ url: address.href, bytes: about.size });
    const buffer = new Uint8Array(2 ** 18);
    for (;;) {
      if (signal?.aborted) throw signal.reason;
      const { bytesRead } = await handle.read(buffer).catch((cause: unknown) => {
        throw unreadable(path, cause);
      });
      if (bytesRead === 0 || part.done > mostBytes) return;
      await part.append(buffer.subarray(0, bytesRead));
      onProgress?.(part.done, about.size);
    }
  } finally {
    await handle.close();
  }
}

function pathOf(address: URL): string {
  try {
    return fileURLToPath(address);
  } catch (cause) {
    throw unreadable(address.href, cause);
  }
}

function unreadable(path: string, cause: unknown): DownloadError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new DownloadError(`${path}: cannot be read: ${why}.`, { cure: "Check the path.", cause });
}
