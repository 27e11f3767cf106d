/** The lock file: the checksum of each address at its first pull, so that later pulls notice a changed file. */

import { readFile } from "node:fs/promises";
import { InputError, inFile } from "../../core/errors.js";
import { writeJson } from "../../core/files.js";
import { parseJson } from "../../core/json.js";
import { isRecord } from "../../core/json-values.js";
import type { Fingerprint } from "./download.js";

const FORMAT = "aspectlens-weights-lock/1";

const CURE = "Restore the file, or remove it to start a new one with the next pull.";

/** Keys are original addresses, never a mirror's. */
export type Lock = ReadonlyMap<string, Fingerprint>;

/**
 * @returns an empty lock if there is no file.
 * @throws InputError if the file is not a lock file of this format.
 */
export async function readLock(path: string): Promise<Lock> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw broken(path, cause.message, cause);
  });
  return bytes === undefined ? new Map() : inFile({ file: path }, () => parse(bytes, path));
}

/**
 * Adds `entries` to the lock file, which is created if it does not exist.
 *
 * @throws InputError if the file is invalid, or an address is already locked to another checksum.
 */
export async function lockFiles(path: string, entries: Lock): Promise<void> {
  const lock = await readLock(path);
  for (const [address, { sha256 }] of entries) {
    const locked = lock.get(address);
    if (locked !== undefined && locked.sha256 !== sha256) {
      throw new InputError(`${path}: ${address} is locked to ${locked.sha256}, now has ${sha256}.`, {
        cure: "If the change is intended, remove its entry.",
      });
    }
  }
  const added = [...entries].filter(([address]) => !lock.has(address));
  if (added.length === 0) return;
  const sorted = [...lock, ...added].sort(([a], [b]) => (a < b ? -1 : 1)); // by code units: the same everywhere
  const files = sorted.map(([address, { sha256, bytes }]) => [address, { sha256, bytes }]);
  await writeJson(path, { format: FORMAT, files: Object.fromEntries(files) });
}

function parse(bytes: Uint8Array, path: string): Lock {
  const value = parseJson(bytes, { where: `${path}: not a usable lock file`, error: InputError, cure: CURE });
  if (!isRecord(value) || value.format !== FORMAT) {
    const format = isRecord(value) ? JSON.stringify(value.format) : "none";
    throw broken(path, `the format is ${format}, not "${FORMAT}"`);
  }
  if (!isRecord(value.files)) throw broken(path, `"files" is not an object`);
  return new Map(
    Object.entries(value.files).map(([address, entry]) => [address, fingerprint(entry, { address, path })]),
  );
}

function fingerprint(entry: unknown, { address, path }: { address: string; path: string }): Fingerprint {
  const { sha256, bytes } = isRecord(entry) ? entry : {};
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw broken(path, `"sha256" of ${address} is not 64 hexadecimal digits in lower case`);
  }
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) {
    throw broken(path, `"bytes" of ${address} is not a count`);
  }
  return { sha256, bytes };
}

function broken(path: string, why: string, cause?: unknown): InputError {
  return new InputError(`${path}: not a usable lock file: ${why}.`, { cure: CURE, cause });
}
