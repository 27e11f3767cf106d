/**
 * Downloads one file: resumes broken downloads, compares the checksum, and only then gives the file its final name.
 *
 * Comparison with other downloaders: pooch and npm's make-fetch-happen restart a broken file from the beginning.
 * huggingface_hub resumes within one call and restarts in a later one; it added If-Range, and the distinction of status
 * 200 from 206, after files had been corrupted (pull requests 3778 and 4143). Here a partial file is resumed across
 * calls and crashes too, but only if the server proves that it is the same file: a strong ETag or a date in If-Range, a
 * Content-Range that continues exactly here, the same ETag and length. Otherwise the download restarts. If a file
 * assembled from several responses has a wrong checksum, it is downloaded once more from the beginning before that
 * counts as an error.
 *
 * undici's RetryHandler (6.29) is not used: it resumes without proof that the file is the same, and gives up if the
 * server sends a whole or changed file instead of restarting. It also does not reset its count of failures after
 * progress.
 */

import { setTimeout as delay } from "node:timers/promises";
import { ChecksumError, DownloadError, InterruptedError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { Connection } from "./connection.js";
import { TransientError } from "./failures.js";
import { copyFromDisk } from "./from-disk.js";
import { PartFile } from "./part-file.js";
import { transfer } from "./transfer.js";

const LONGEST_WAIT_SECONDS = 60;
/** After this many new bytes the count of failures is reset: the download of a large file may break often. */
const REAL_PROGRESS_BYTES = 2 ** 20;

/** SHA-256 in 64 lower-case hexadecimal digits, and the size. */
export interface Fingerprint {
  readonly sha256: string;
  readonly bytes: number;
}

/** Where one file goes, what it must be, and how long to try. */
export interface DownloadOptions {
  /** Final path of the file; until it is complete, its bytes are in `<to>.part`. */
  readonly to: string;
  readonly expected?: Fingerprint;
  readonly signal?: AbortSignal;
  /** Bytes done and in total; done decreases if the download restarts. */
  readonly onProgress?: (done: number, all: number | undefined) => void;
  /** Number of consecutive failures without progress that are retried. */
  readonly retries?: number;
  /** Longest time without data from the server, seconds. */
  readonly timeoutSeconds?: number;
  /** Time before the first retry, seconds; doubled each time, at most 60 s. */
  readonly waitSeconds?: number;
}

/**
 * Downloads `url` (`http:`, `https:` by the proxy in HTTP_PROXY, HTTPS_PROXY, NO_PROXY; `file:` from disk) to
 * `options.to`.
 *
 * @throws ChecksumError if the file is not the expected one: it is removed, and a file already at `to` is kept.
 * @throws DownloadError on other failures; what was downloaded stays in `<to>.part` for the next call.
 * @throws InterruptedError if the signal aborts; the same holds.
 */
export async function download(url: string, options: DownloadOptions): Promise<Fingerprint> {
  const { to, expected, signal } = options;
  const address = addressOf(url);
  const mostBytes = Math.min(expected?.bytes ?? Number.POSITIVE_INFINITY, LIMITS.weightsFileBytes);
  const part = await PartFile.open(to, address.href);
  try {
    throwIfInterrupted(signal);
    if (address.protocol === "file:") {
      await copyFromDisk(address, part, { ...options, mostBytes });
      if (isWrong(part, expected)) throw await wrongFile(part, address, options);
    } else await pull(address, part, { ...options, mostBytes });
    if (part.done > mostBytes) throw await tooLarge(part, address, mostBytes);
    const fingerprint = { sha256: part.sha256(), bytes: part.done };
    await part.commit();
    return fingerprint;
  } catch (error) {
    if (signal?.aborted !== true || error instanceof ChecksumError) throw error;
    throw new InterruptedError(`interrupted while downloading ${address.href}.${kept(part, address)}`, {
      cause: error,
    });
  } finally {
    await part.close();
  }
}

/** Tries until the file is complete and correct. */
async function pull(
  address: URL,
  part: PartFile,
  options: DownloadOptions & { readonly mostBytes: number },
): Promise<void> {
  const { expected, mostBytes, signal, onProgress, retries = 5, timeoutSeconds = 30, waitSeconds = 0.5 } = options;
  const connection = new Connection();
  const begun = part.done;
  let furthest = part.done;
  try {
    for (let failures = 0; ; failures += 1) {
      try {
        const hasChecksum = expected !== undefined;
        await transfer(address, part, { connection, signal, timeoutSeconds, hasChecksum, mostBytes, onProgress });
        if (!isWrong(part, expected)) return;
        if (!part.isPatched || failures >= retries) throw await wrongFile(part, address, options);
        await part.empty();
      } catch (error) {
        if (!(error instanceof TransientError)) throw error;
        if (part.done - furthest >= REAL_PROGRESS_BYTES) failures = 0;
        if (failures >= retries || (error.isUnreachable && part.done === begun)) {
          throw givenUp(error, { address, part, failures });
        }
        furthest = Math.max(furthest, part.done);
        const wait = Math.max(waitSeconds * 2 ** failures, error.waitSeconds);
        await delay(Math.min(wait, LONGEST_WAIT_SECONDS) * 1000, undefined, { signal });
      }
    }
  } finally {
    await connection.destroy();
  }
}

function addressOf(url: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (address === undefined || !["http:", "https:", "file:"].includes(address.protocol)) {
    throw new DownloadError(`${url}: not an address.`, { cure: "It begins with https://, http:// or file://." });
  }
  if (address.username !== "" || address.password !== "") {
    throw new DownloadError(`${address.host}: a user and password in the address are not supported.`);
  }
  address.hash = "";
  return address;
}

function throwIfInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

function isWrong(part: PartFile, expected: Fingerprint | undefined): boolean {
  return expected !== undefined && (part.sha256() !== expected.sha256 || part.done !== expected.bytes);
}

async function wrongFile(part: PartFile, address: URL, { to, expected }: DownloadOptions): Promise<ChecksumError> {
  const isMore = part.done > (expected?.bytes ?? part.done);
  const got = isMore ? "more bytes" : `SHA-256 ${part.sha256()} (${part.done} bytes)`;
  await part.empty(); // so that it is removed when it is closed
  return new ChecksumError(
    `${to}: ${address.href} has ${got}, expected ${expected?.sha256} (${expected?.bytes} bytes); nothing was kept.`,
  );
}

/** Largest file if nothing is known about it beforehand. */
async function tooLarge(part: PartFile, { href }: URL, mostBytes: number): Promise<DownloadError> {
  await part.empty();
  return new DownloadError(`${href}: has more than ${mostBytes} bytes, too many for weights.`, {
    cure: "Check the address.",
  });
}

/** Says what a later call continues from; a file from disk is copied again. */
function kept(part: PartFile, address: URL): string {
  if (part.done === 0 || address.protocol === "file:") return "";
  return ` ${part.done} bytes stay in ${part.path}; the same command continues from there.`;
}

function givenUp(
  error: TransientError,
  { address, part, failures }: { address: URL; part: PartFile; failures: number },
): DownloadError {
  const rest = kept(part, address);
  if (error.isUnreachable) return new DownloadError(`${error.message}${rest}`, { cause: error });
  const tries = failures === 0 ? "" : `, ${failures + 1} times in a row`;
  const cure = rest === "" ? " Try again later, or name a mirror by --mirror." : rest;
  return new DownloadError(`${address.href}: ${error.message}${tries}.${cure}`, { cause: error });
}
