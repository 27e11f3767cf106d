/**
 * Opens the files that weights are read from: regular ones of a bounded size, so that no device, pipe or folder is
 * waited for.
 */

import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { WeightsError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";

const WHY: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "cannot be read: permission denied",
  ELOOP: "cannot be read: its links lead in a circle",
  EMFILE: "cannot be read: too many files are open",
  ENAMETOOLONG: "cannot be read: the name is too long",
};

/**
 * @param cure what the user can do, a sentence.
 * @returns what `use` returns; the file is closed then.
 * @throws WeightsError where there is no such file, it is no regular one, or one of more bytes than the limit.
 */
export async function withInputFile<Result>(
  path: string,
  cure: string,
  use: (file: FileHandle, bytes: number) => Promise<Result>,
): Promise<Result> {
  // Opening a FIFO would wait for whoever writes into it.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause) => {
    throw unreadable(path, cause, cure);
  });
  try {
    const about = await file.stat();
    if (!about.isFile())
      throw new WeightsError(`${path}: is ${about.isDirectory() ? "a folder" : "a device or pipe"}, no file.`, {
        cure,
      });
    if (about.size > LIMITS.weightsFileBytes)
      throw new WeightsError(`${path}: has ${about.size} bytes, the limit is ${LIMITS.weightsFileBytes}.`, {
        cure,
      });
    return await use(file, about.size);
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).syscall !== "string") throw cause;
    throw unreadable(path, cause, cure);
  } finally {
    await file.close();
  }
}

/** The whole file. @throws WeightsError as `withInputFile`. */
export function readInputFile(path: string, cure: string): Promise<Buffer> {
  return withInputFile(path, cure, (file) => file.readFile());
}

function unreadable(path: string, cause: unknown, cure: string): WeightsError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  const why = Object.hasOwn(WHY, code) ? WHY[code] : `cannot be read (${code})`;
  return new WeightsError(`${path}: ${why}.`, { cure, cause });
}
