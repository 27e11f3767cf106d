/** Downloads the files of one model into a folder, and compares each with the lock file. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ChecksumError, InputError } from "../../core/errors.js";
import { type DownloadOptions, download, type Fingerprint } from "./download.js";
import { readLock } from "./download-lock.js";
import { mirrored } from "./mirror.js";

/** Where a set of files goes, and where it comes from. */
export interface FetchOptions extends Pick<DownloadOptions, "signal" | "retries" | "timeoutSeconds" | "waitSeconds"> {
  readonly folder: string;
  /** Path of the lock file. */
  readonly lock: string;
  /** Base address of a mirror (see `mirrored`). */
  readonly mirror?: string;
  /** Bytes of one file, done and in total. */
  readonly onProgress?: (name: string, done: number, all: number | undefined) => void;
}

export interface FetchedFile extends Fingerprint {
  /** The original one. */
  readonly address: string;
  readonly path: string;
}

/**
 * Downloads `addresses` one after the other, named by the last part of their paths. A file that exists and matches the
 * lock file is not downloaded again. The lock file is not changed: `lockFiles` adds files once they have been checked.
 *
 * @returns one entry per address, in the same order.
 * @throws ChecksumError naming file, address, both checksums and the lock; DownloadError; InputError for names that
 *   clash; InterruptedError.
 */
export async function fetchFiles(addresses: readonly string[], options: FetchOptions): Promise<readonly FetchedFile[]> {
  const { folder, lock: lockPath, mirror } = options;
  const names = namesOf(addresses);
  const sources = addresses.map((address) => (mirror === undefined ? address : mirrored(address, mirror)));
  const lock = await readLock(lockPath);
  const fetched: FetchedFile[] = [];
  for (const [index, address] of addresses.entries()) {
    const path = join(folder, names[index]);
    const expected = lock.get(address);
    const isThere = expected !== undefined && (await isFile(path, expected));
    const fingerprint = isThere
      ? expected
      : await fetchFile(address, { ...options, expected, source: sources[index], name: names[index] });
    fetched.push({ address, path, ...fingerprint });
  }
  return fetched;
}

async function fetchFile(
  address: string,
  options: FetchOptions & { expected: Fingerprint | undefined; source: string; name: string },
): Promise<Fingerprint> {
  const { folder, lock, expected, source, name, signal, retries, timeoutSeconds, waitSeconds, onProgress } = options;
  try {
    return await download(source, {
      to: join(folder, name),
      expected,
      signal,
      retries,
      timeoutSeconds,
      waitSeconds,
      onProgress: (done, all) => onProgress?.(name, done, all ?? expected?.bytes),
    });
  } catch (error) {
    if (!(error instanceof ChecksumError)) throw error;
    const entry = source === address ? "its entry" : `the entry of ${address}`;
    const cure = `The file at the address has changed; if that is intended, remove ${entry} from ${lock}.`;
    throw new ChecksumError(`${error.message} ${cure}`, { cause: error });
  }
}

/** @throws InputError if an address gives no file name, an unsafe one, or the same as another. */
function namesOf(addresses: readonly string[]): readonly string[] {
  const owners = new Map<string, string>();
  return addresses.map((address) => {
    const name = nameOf(address);
    const key = name.toLowerCase(); // on some file systems a.bin and A.bin are the same file
    const owner = owners.get(key);
    if (owner !== undefined) throw new InputError(`${address}: would have the same file name as ${owner}: ${name}.`);
    owners.set(key, address);
    return name;
  });
}

function nameOf(address: string): string {
  const last = URL.canParse(address) ? (new URL(address).pathname.split("/").at(-1) ?? "") : "";
  // The name comes from a downloaded model.json, so it must not lead out of the folder.
  if (/^[\w-][\w.~-]*$/.test(last) && !/\.part(\.json)?$/.test(last)) return last;
  throw new InputError(`${address}: its path does not end with a file name of letters, digits, ".", "_", "~" and "-".`);
}

/** Whether the file at `path` is the locked one. */
async function isFile(path: string, { sha256, bytes }: Fingerprint): Promise<boolean> {
  const about = await stat(path).catch(() => undefined); // absent, or reported when it is written
  if (about?.isFile() !== true || about.size !== bytes) return false;
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex") === sha256;
}
