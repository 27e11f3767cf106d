/** The files of a dataset's records: sizes, times, and a digest of their bytes, so that changed files are noticed. */

import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { DatasetError } from "../core/errors.js";
import { firstLine } from "../core/message-text.js";
import type { Dataset } from "./dataset.js";
import { records } from "./dataset.js";

import { locate } from "./paths.js";

/** One image, mask or map. */
export interface FileFacts {
  /** Relative to the dataset's folder. */
  readonly path: string;
  readonly bytes: number;
  /** Time of the last change, milliseconds; a copy has another. */
  readonly modified: number;
  /** Of the first and the last 32 KiB, which differ between different images. */
  readonly digest: string;
}

export interface Inventory {
  readonly files: readonly FileFacts[];
  /** Paths whose bytes differ from those of the former inventory. */
  readonly changed: readonly string[];
  /** SHA-256 over manifest, records, and the names and sizes of all files; independent of the dataset's location. */
  readonly contentHash: string;
}

const END_BYTES = 2 ** 15;
/** Files between two checks of the signal, which take some milliseconds. */
const TURN = 256;

/**
 * Takes stock of every file that a record names, each once, in the order of the records.
 *
 * @param former an earlier inventory of the same dataset: a file of equal size and time is not read again.
 * @throws DatasetError where a file is absent.
 */
export async function takeInventory(
  dataset: Dataset,
  { former = [], signal }: { former?: readonly FileFacts[]; signal?: AbortSignal } = {},
): Promise<Inventory> {
  const known = new Map(former.map((facts) => [facts.path, facts]));
  const seen = new Set<string>();
  const files: FileFacts[] = [];
  const changed: string[] = [];
  const hash = createHash("sha256").update(dataset.hash);
  for await (const { image, aspects, where } of records(dataset)) {
    const rasters = Object.values(aspects).flatMap(({ mask, map }) => [mask, map]);
    for (const path of [image, ...rasters]) {
      if (typeof path !== "string" || seen.has(path)) continue;
      seen.add(path);
      const before = known.get(path);
      const facts = factsOf(locate(dataset, path), { path, before, where });
      files.push(facts);
      hash.update(`\0${path}\0${facts.bytes}`);
      if (before && (before.bytes !== facts.bytes || before.digest !== facts.digest)) changed.push(path);
      if (files.length % TURN > 0) continue;
      await yieldToOthers();
      signal?.throwIfAborted();
    }
  }
  return { files, changed, contentHash: hash.digest("hex") };
}

/** Synchronous: for small files a tenth of the time, with one open file at a time. */
function factsOf(
  file: string,
  { path, before, where }: { path: string; before?: FileFacts; where: string },
): FileFacts {
  try {
    const { size: bytes, mtimeMs: modified } = statSync(file);
    const isSame = before?.bytes === bytes && before.modified === modified;
    return { path, bytes, modified, digest: isSame ? before.digest : digestOf(file) };
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT")
      throw new DatasetError(`${where}: ${file}: no such file.`, { cure: "Check the path.", cause });
    throw new DatasetError(`${where}: ${file}: cannot be read (${firstLine(cause)}).`, {
      cure: "Check the file.",
      cause,
    });
  }
}

/** Undefined for anything but a regular file: opening a pipe would wait for its writer. */
function digestOf(file: string): string {
  if (!statSync(file).isFile()) return "";
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const hash = createHash("sha256");
    const buffer = Buffer.alloc(Math.min(size, END_BYTES));
    for (const position of size > END_BYTES ? [0, size - END_BYTES] : [0])
      hash.update(buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, position)));
    return hash.digest("base64url").slice(0, 16);
  } finally {
    closeSync(descriptor);
  }
}
