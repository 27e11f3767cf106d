/**
 * Reading a file whole without waiting for ever or filling the memory: its size first, devices never, pipes only where
 * asked. Images are read by `dataset/read-image-file.ts`, which sets their limit.
 */

import { constants } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError, type InputErrorClass } from "./errors.js";
import { LIMITS } from "./limits.js";

export interface ReadWholeOptions {
  /** How messages call the file. */
  readonly name?: string;
  /** The most bytes that are read; a larger file is refused. A pipe may give `LIMITS.pipeBytes` at most, too. */
  readonly limit: number;
  /** Reads a pipe to its end, as one that a user names on the command line; else it is refused. */
  readonly allowPipe?: boolean;
  /** Ends the waiting for a pipe; its reason is thrown then. */
  readonly signal?: AbortSignal;
  /** What to do where there is no such file, a sentence. */
  readonly absenceCure?: string;
  readonly ErrorClass?: InputErrorClass;
}

type Refuse = (what: string, cure: string, cause?: unknown) => InputError;

const POLL_MS = 20;
const CHUNK = 2 ** 16;

/**
 * @throws InputError (or `ErrorClass`) in one line where it is absent, no file, empty, or too large, or a pipe ends too
 *   late.
 */
export async function readWhole(path: string, options: ReadWholeOptions): Promise<Uint8Array> {
  const { name = path, limit, allowPipe = false, signal, ErrorClass = InputError } = options;
  const refuse: Refuse = (what, cure, cause) => new ErrorClass(`${name}: ${what}`, { cure, cause, file: path });
  let file: FileHandle | undefined;
  try {
    // Opening can wait for ever (a pipe) or act (a device), so it is looked at first.
    const kind = await stat(path);
    if (kind.isDirectory()) throw refuse("is a folder.", "Name a file.");
    if (kind.isFIFO() && !allowPipe) throw refuse("is a pipe, not a file.", "Save its content as a file.");
    if (!kind.isFile() && !kind.isFIFO()) throw refuse("is a device or socket, not a file.", "Name a file.");
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const found = await file.stat();
    if (found.isFile() && found.size > limit) throw refuse(tooLarge(found.size, limit), "Make it smaller.");
    const bytes = found.isFile()
      ? await readFile(file, found.size)
      : await readPipe(file, {
          refuse,
          limit: Math.min(limit, LIMITS.pipeBytes),
          signal,
          isOpen: path.startsWith("/dev/"),
        });
    if (bytes.length === 0) throw refuse("is empty (0 bytes).", "Fetch it or save it again.");
    return bytes;
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    if (signal?.aborted) throw signal.reason;
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    if (options.absenceCure && (code === "ENOENT" || code === "ENOTDIR"))
      throw refuse(`cannot be read (${code}).`, options.absenceCure, cause);
    const [what, cure] = REASONS[code] ?? [`cannot be read (${message}).`, "Check its permissions."];
    throw refuse(what, cure, cause);
  } finally {
    await file?.close();
  }
}

const REASONS: Readonly<Partial<Record<string, readonly [what: string, cure: string]>>> = {
  ENOENT: ["no such file.", "Check the path."],
  ENOTDIR: ["no such file: a part of the path is a file.", "Check the path."],
  ENAMETOOLONG: ["no such file: the name is too long.", "Check the path."],
  ELOOP: ["is a link that leads to itself.", "Check the path."],
  EMFILE: ["cannot be opened: too many files are open.", "Raise the limit, as with: ulimit -n 1024."],
  ENFILE: ["cannot be opened: too many files are open.", "End other programs."],
};

function tooLarge(bytes: number, limit: number): string {
  return `${Math.ceil(bytes / 1e6)} MB, the limit is ${limit / 1e6} MB.`;
}

async function readFile(file: FileHandle, size: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * @param isOpen its writer has opened it already, so that no bytes mean the end; else they may mean that none has come
 *   yet.
 */
async function readPipe(
  file: FileHandle,
  { refuse, limit, signal, isOpen }: { refuse: Refuse; limit: number; signal?: AbortSignal; isOpen: boolean },
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  let waitedMs = 0;
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK, null).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return { bytesRead: -1, buffer: Buffer.alloc(0) };
      throw error;
    });
    if (bytesRead > 0) {
      size += bytesRead;
      if (size > limit) throw refuse(`gives more than ${limit / 1e6} MB.`, "Save it as a file.");
      chunks.push(buffer.subarray(0, bytesRead));
      waitedMs = 0;
      continue;
    }
    if (bytesRead === 0 && (isOpen || size > 0)) return Buffer.concat(chunks);
    if (waitedMs >= LIMITS.pipeSeconds * 1000)
      throw refuse(`a pipe that gave nothing for ${LIMITS.pipeSeconds} seconds.`, "Save its content as a file.");
    await sleep(POLL_MS, undefined, { signal });
    waitedMs += POLL_MS;
  }
}
