/**
 * Downloads one response into a part file: requests the missing bytes, and distinguishes a continuation from a new
 * file.
 */

import { setImmediate as turn } from "node:timers/promises";
import { DownloadError } from "../../core/errors.js";
import type { Connection } from "./connection.js";
import { connectionFailure, statusFailure, TransientError } from "./failures.js";
import { discard, get, type HttpResponse } from "./get.js";
import type { PartFile, PartSource } from "./part-file.js";
import { Watch } from "./stall-timeout.js";

export interface TransferOptions {
  readonly connection: Connection;
  readonly signal?: AbortSignal;
  /** Longest time without data from the server, seconds. */
  readonly timeoutSeconds: number;
  /** Whether a checksum will detect wrongly joined bytes: then a file without a validator is resumed too. */
  readonly hasChecksum: boolean;
  /** Stop after more bytes than this. */
  readonly mostBytes: number;
  readonly onProgress?: (done: number, all: number | undefined) => void;
}

/**
 * Returns when the server has sent as many bytes as it announced, or more than are allowed.
 *
 * @throws TransientError if a retry may help; DownloadError if not; the signal's reason.
 */
export async function transfer(address: URL, part: PartFile, options: TransferOptions): Promise<void> {
  const watch = new Watch(options.signal, { seconds: options.timeoutSeconds, host: address.host });
  watch.start();
  try {
    const { response, total, isWhole } = await begin(address, part, { ...options, signal: watch.signal });
    await receive(response, part, { address, total, isWhole, watch, ...options });
    if (part.done > options.mostBytes) return;
    await turn(); // bytes after the end are detected only now
    if (options.connection.takeExcess()) {
      await part.empty();
      throw new TransientError(`${address.host} sent more bytes than it announced`);
    }
    if (part.done === 0) throw new TransientError(`${address.host} sent an empty file`);
    if (total !== undefined && part.done < total) {
      throw new TransientError(`${address.host} ended after ${part.done} of ${total} bytes`);
    }
  } finally {
    watch.stop();
  }
}

interface Begun {
  readonly response: HttpResponse;
  /** Bytes of the whole file, where the server says. */
  readonly total: number | undefined;
  /** Whether the response is the whole file instead of its missing part. */
  readonly isWhole: boolean;
}

async function begin(
  address: URL,
  part: PartFile,
  { connection, hasChecksum, signal }: TransferOptions & { readonly signal: AbortSignal },
): Promise<Begun> {
  // Compressed responses have no ranges (servers then ignore the header), and their length is not the file's.
  const plain = { "accept-encoding": "identity", "user-agent": "aspectlens" };
  const validator = validatorOf(part.source);
  connection.takeExcess();
  const ask = (headers: Readonly<Record<string, string>>) =>
    get(address, { headers, dispatcher: connection.dispatcher, signal });

  if (part.done > 0 && (validator !== undefined || hasChecksum)) {
    const range = { ...plain, range: `bytes=${part.done}-` };
    const response = await ask(validator === undefined ? range : { ...range, "if-range": validator });
    if (response.status !== 206 && response.status !== 416) return wholeOf(response, address);
    const total = response.status === 206 ? totalOfContinuation(response, part) : null;
    if (total !== null) return { response, total, isWhole: false };
    discard(response);
  }
  return wholeOf(await ask(plain), address);
}

/** @throws DownloadError or TransientError, if the response is not a file. */
function wholeOf(response: HttpResponse, address: URL): Begun {
  const encoding = response.header("content-encoding") ?? "identity";
  if (response.status === 200 && encoding === "identity") {
    return { response, total: lengthOf(response), isWhole: true };
  }
  discard(response);
  if (response.status !== 200) throw statusFailure(response.status, address, response.header("retry-after"));
  throw new DownloadError(`${address.href}: comes compressed (${encoding}), which was not asked for.`, {
    cure: "Name a mirror by --mirror that leaves files as they are.",
  });
}

/**
 * What If-Range takes (RFC 9110, 13.1.5): a weak ETag does not count. A date counts, although two versions within one
 * second would share it: the length is compared as well.
 */
function validatorOf(source: PartSource | undefined): string | undefined {
  return source?.etag !== undefined && !source.etag.startsWith("W/") ? source.etag : source?.lastModified;
}

/**
 * The size of the whole file (undefined: not given), or null if a 206 does not continue exactly where the part ends.
 */
function totalOfContinuation(response: HttpResponse, part: PartFile): number | undefined | null {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/i.exec(response.header("content-range") ?? "");
  if (range === null || Number(range[1]) !== part.done) return null;
  const etag = response.header("etag");
  const { source } = part;
  if (etag !== undefined && source?.etag !== undefined && etag !== source.etag) return null;
  if ((response.header("content-encoding") ?? "identity") !== "identity") return null;
  if (range[2] === "*") return source?.bytes;
  const total = Number(range[2]);
  return source?.bytes !== undefined && source.bytes !== total ? null : total;
}

function lengthOf(response: HttpResponse): number | undefined {
  const length = response.header("content-length");
  return length === undefined ? undefined : Number(length);
}

/** Appends the body; earlier bytes are discarded only when the first byte of a new file has come. */
async function receive(
  response: HttpResponse,
  part: PartFile,
  {
    address,
    total,
    isWhole,
    watch,
    mostBytes,
    onProgress,
  }: TransferOptions & { address: URL; total: number | undefined; isWhole: boolean; watch: Watch },
): Promise<void> {
  let isFirst = true;
  const chunks = response.body[Symbol.asyncIterator]();
  try {
    for (;;) {
      watch.start();
      const { value, done } = await nextOf(chunks, { address, watch });
      watch.pause();
      if (done === true) return;
      const chunk = value as Uint8Array; // undici gives buffers where no encoding is set
      if (isFirst && isWhole) {
        if (isPage(response, chunk)) throw pageError(address);
        await part.restart(sourceOf(response, address));
      } else if (isFirst) part.patch();
      isFirst = false;
      await part.append(chunk);
      onProgress?.(part.done, total);
      if (part.done > mostBytes) return;
      if (total !== undefined && part.done > total) {
        await part.empty();
        throw new TransientError(`${address.host} sent more than the ${total} bytes that it announced`);
      }
    }
  } finally {
    discard(response);
  }
}

async function nextOf(
  chunks: AsyncIterator<unknown>,
  { address, watch }: { address: URL; watch: Watch },
): Promise<IteratorResult<unknown>> {
  try {
    return await chunks.next();
  } catch (error) {
    throw watch.signal.aborted ? watch.signal.reason : connectionFailure(error, address);
  }
}

function sourceOf(response: HttpResponse, address: URL): PartSource {
  return {
    url: address.href,
    etag: response.header("etag"),
    lastModified: response.header("last-modified"),
    bytes: lengthOf(response),
  };
}

/** Whether the response is a web page: no format of weights begins like one. */
function isPage(response: HttpResponse, chunk: Uint8Array): boolean {
  const start = new TextDecoder().decode(chunk.subarray(0, 512)).trimStart().toLowerCase();
  const saysSo = /^(text\/html|application\/xhtml)/i.test(response.header("content-type") ?? "");
  return saysSo ? start.startsWith("<") : /^<(!doctype html|html|head)\b/.test(start);
}

function pageError(address: URL): DownloadError {
  return new DownloadError(`${address.href}: a web page came instead of the file.`, {
    cure: "The network may want a login: open any page in a browser first; or check the address.",
  });
}
