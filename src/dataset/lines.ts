/**
 * Reads a text file line by line with the position of each line, so that a huge file is read once and then only in
 * parts.
 */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { DatasetError } from "../core/errors.js";
import { isUtf16 } from "../core/json.js";
import { firstLine } from "../core/message-text.js";

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Position of its first byte in the file. */
  readonly offset: number;
  /** Without the line feed. */
  readonly bytes: Uint8Array;
}

/** A sample takes about a kilobyte; a longer "line" means that the file is of another kind. */
const LONGEST_LINE = 2 ** 24;
const LINE_FEED = 10;

/**
 * Yields lines that are not blank; a byte-order mark at the start is skipped.
 *
 * @param onChunk gets every byte once, in order, without carriage returns (for a hash that does not depend on line
 *   endings).
 * @throws DatasetError where the file cannot be read, or has a line of more than 16 MiB.
 */
export async function* readLines(
  file: string,
  { onChunk }: { onChunk?: (chunk: Uint8Array) => void } = {},
): AsyncGenerator<Line> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  let number = 1;
  const lineOf = (bytes: Uint8Array): Line | undefined => {
    const skipped = offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    const line = { number, offset: offset + skipped, bytes: bytes.subarray(skipped) };
    return isBlank(line.bytes) ? undefined : line;
  };
  const found = await stat(file).catch(() => undefined);
  if (found && !found.isFile())
    throw new DatasetError(`${file}: is not a regular file (but a folder, pipe or device).`, {
      cure: 'Check "samples" in dataset.json.',
    });
  const stream = createReadStream(file, { highWaterMark: 2 ** 18 });
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (offset === 0 && rest.length === 0 && isUtf16(chunk))
        throw new DatasetError(`${file}: is UTF-16.`, { cure: "Save it as UTF-8." });
      onChunk?.(withoutReturns(chunk));
      const held = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
      let start = 0;
      for (let end = held.indexOf(LINE_FEED); end >= 0; end = held.indexOf(LINE_FEED, start)) {
        const line = lineOf(held.subarray(start, end));
        if (line) yield line;
        offset += end + 1 - start;
        number++;
        start = end + 1;
      }
      rest = held.subarray(start);
      if (rest.length > LONGEST_LINE) {
        throw new DatasetError(`${file}:${number}: a line of more than 16 MiB.`, {
          cure: "Put one sample, as JSON, on each line.",
        });
      }
    }
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    throw new DatasetError(`${file}: cannot be read (${firstLine(cause)}).`, {
      cure: 'Check "samples" in dataset.json.',
      cause,
    });
  }
  const last = lineOf(rest);
  if (last) yield last;
}

function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 32 || byte === 9 || byte === 13);
}

const RETURN = 0x0d;

/** The bytes without carriage returns, which git and editors may add or remove. */
export function withoutReturns(bytes: Uint8Array): Uint8Array {
  return bytes.includes(RETURN) ? bytes.filter((byte) => byte !== RETURN) : bytes;
}
