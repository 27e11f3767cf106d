/** A few records of a dataset by their line numbers, read in one pass. */

import { InputError } from "../core/errors.js";
import { readLines } from "./lines.js";
import type { Manifest } from "./manifest.js";
import { locate } from "./paths.js";
import { parseRecord, type SampleRecord } from "./record.js";

/** @returns by line; lines that hold no valid record are absent. */
export async function recordsAt(
  dataset: { readonly directory: string; readonly manifest: Manifest },
  lines: ReadonlySet<number>,
): Promise<Map<number, SampleRecord>> {
  const found = new Map<number, SampleRecord>();
  const file = locate(dataset, dataset.manifest.samples);
  for await (const { number, bytes } of readLines(file)) {
    if (!lines.has(number)) continue;
    try {
      found.set(number, parseRecord(bytes, dataset.manifest, `${file}:${number}`));
    } catch (error) {
      if (!(error instanceof InputError)) throw error; // reported by the check
    }
  }
  return found;
}
