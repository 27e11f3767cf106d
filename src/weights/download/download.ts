/**
 * One file from an address to a path: resumed where it breaks, compared with its checksum, and only then given its name.
 *
 * Where this differs from others: pooch and npm's make-fetch-happen begin a broken file from its start. huggingface_hub resumes within one call,
 * and came to If-Range and to telling 200 from 206 only after files had been spoilt (its pull requests 3778 and 4143); a later call starts
 * anew. Here a part is continued across calls and crashes too, and only where the server proves that it is the same file:
 * a strong ETag or a date in If-Range, a Content-Range that goes on exactly here, the same ETag and length. Else it starts anew. A wrong
 * checksum of a file put together from several responses is tried once more from its start, before the file is called wrong.
 *
 * undici's RetryHandler (6.29) is not used: it resumes without any proof that the file is the same, and gives up where the
 * server answers with a whole or changed file, where this starts anew. Progress does not reset its count of failures.
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
/** So many new bytes since the last failure, and the count of failures begins anew: a large file may break often. */
const REAL_PROGRESS_BYTES = 2 ** 20;

/** SHA-256 in 64 lower-case hexadecimal digits, and the size. */
export interface Fingerprint {
  readonly sha256: string;
  readonly bytes: number;
}

export interface DownloadOptions {
  /** The file's path in the end; until then its bytes are in `<to>.part`. */
  readonly to: string;
  readonly expected?: Fingerprint;
  readonly signal?: AbortSignal;
  /** Bytes there and in all; fewer than before, where the file starts anew. */
  readonly onProgress?: (done: number, all: number | undefined) => void;
  /** Failures in a row, without real progress between, that are tried again. */
  readonly retries?: number;
  /** The longest silence of the server. */
  readonly timeoutSeconds?: number;
  /** Before the first retry; doubled each time, 60 s at most. */
  readonly waitSeconds?: number;
}

/**
 * Downloads `url` (`http:`, `https:` by the proxy in HTTP_PROXY, HTTPS_PROXY, NO_PROXY; `file:` from disk) to `options.to`.
 *
 * @throws ChecksumError where the file is not the expected one: it is removed, and a file already at `to` stays.
 * @throws DownloadError in one line with the cure; what has come stays in `<to>.part` for the next call.
 * @throws InterruptedError where the signal aborts; the same holds.
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

/** Attempts until the part is whole and right. */
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
  await part.empty(); // and so removed when it is closed
  return new ChecksumError(
    `${to}: ${address.href} has ${got}, expected ${expected?.sha256} (${expected?.bytes} bytes); nothing was kept.`,
  );
}

/** Where nothing is known of the file beforehand. */
async function tooLarge(part: PartFile, { href }: URL, mostBytes: number): Promise<DownloadError> {
  await part.empty();
  return new DownloadError(`${href}: has more than ${mostBytes} bytes, too many for weights.`, {
    cure: "Check the address.",
  });
}

/** What a later call finds; a file from disk is copied anew. */
function kept(part: PartFile, address: URL): string {
  if (part.done === 0 || address.protocol === "file:") return "";
  return ` ${part.done} bytes stay in ${part.path}; the same command goes on there.`;
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
