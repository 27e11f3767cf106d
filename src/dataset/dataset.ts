/** An opened dataset on disk: checked completely once, then read one sample at a time by its position in the file. */

import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { DatasetError, inFile } from "../core/errors.js";
import { firstLine } from "../core/message-text.js";
import { type DatasetSummary, tally } from "./dataset-summary.js";
import { readLines, withoutReturns } from "./lines.js";
import { type Manifest, readManifest } from "./manifest.js";
import { locate } from "./paths.js";
import { parseRecord, type SampleRecord, SPLITS, type Split } from "./record.js";

/** Positions of a split's samples in the samples file, sixteen bytes each; nothing else is kept in memory. */
interface SplitIndex {
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly lines: Uint32Array;
}

/** A split for each sample, by its place in the file; a sample without one is left out. */
export type Splits = readonly (Split | undefined)[];

/** An opened dataset. It holds no sample and no open file. */
export interface Dataset {
  /** As given to `openDataset`. */
  readonly directory: string;
  readonly manifest: Manifest;
  /** SHA-256 over manifest and samples file (and splits given), in hexadecimal; not over the images. */
  readonly hash: string;
  readonly summary: DatasetSummary;
  /** Images by split of the dataset, where only some of them were taken (`openPart`). */
  readonly whole?: DatasetSummary["samples"];
  /** @internal By place in the file, where `openDataset` was given other splits than the lines name. */
  readonly splits?: Splits;
  /** @internal */
  readonly index: Readonly<Record<Split, SplitIndex>>;
}

/**
 * Reads the manifest and every line of the samples file once; keeps only the position of each sample. With `splits`, by
 * place in the file, samples are in those instead of the ones that their lines name.
 *
 * @throws DatasetError at the first fault, in one line with file, line, and cure. `checkDataset` lists them all.
 */
export async function openDataset(directory: string, { splits }: { splits?: Splits } = {}): Promise<Dataset> {
  const { manifest, bytes } = await readManifest(directory);
  const hash = createHash("sha256").update(withoutReturns(bytes));
  const file = locate({ directory, manifest }, manifest.samples, { ErrorClass: DatasetError });
  const { summary, add } = tally(manifest);
  const places: Record<Split, number[]> = { train: [], validation: [], test: [] };
  let count = 0;
  for await (const line of readLines(file, { onChunk: (chunk) => hash.update(chunk) })) {
    const named = inFile({ file, line: line.number }, () =>
      parseRecord(line.bytes, manifest, `${file}:${line.number}`),
    );
    const record = placed(named, splits, count++);
    if (!record) continue;
    add(record);
    places[record.split].push(line.offset, line.bytes.length, line.number);
  }
  if (SPLITS.every((split) => summary.samples[split] === 0)) {
    throw new DatasetError(`${file}: holds no samples.`, { cure: "Put one sample, as JSON, on each line." });
  }
  const index = { train: toIndex(places.train), validation: toIndex(places.validation), test: toIndex(places.test) };
  if (splits) hash.update(splits.join());
  return { directory, manifest, hash: hash.digest("hex"), summary, index, ...(splits && { splits }) };
}

/** Number of samples in a split. */
export function splitSize(dataset: Dataset, split: Split): number {
  return dataset.summary.samples[split];
}

/**
 * @param index 0..splitSize-1, in the order of the file.
 * @throws DatasetError where the samples file has changed since it was opened.
 */
export async function readRecord(dataset: Dataset, split: Split, index: number): Promise<SampleRecord> {
  const { offsets, lengths, lines } = dataset.index[split];
  if (!(index >= 0 && index < offsets.length)) {
    throw new RangeError(`${split} sample ${index}: the split has ${offsets.length}.`);
  }
  const file = join(dataset.directory, dataset.manifest.samples);
  const bytes = Buffer.alloc(lengths[index]);
  try {
    // Opened for each read, so that nothing has to be closed later: about 15 microseconds, a tenth of an asynchronous
    // read.
    const descriptor = openSync(file, "r");
    try {
      readSync(descriptor, bytes, 0, bytes.length, offsets[index]);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new DatasetError(`${file}: cannot be read (${firstLine(cause)}).`, {
      cure: "It existed when the dataset was opened.",
      cause,
    });
  }
  const place = { file, line: lines[index] };
  const record = inFile(place, () => parseRecord(bytes, dataset.manifest, `${file}:${place.line}`));
  if (dataset.splits) return { ...record, split };
  if (record.split !== split)
    throw new DatasetError(`${record.where}: changed since the dataset was opened.`, {
      cure: "Start again.",
      ...place,
    });
  return record;
}

/** Every record of a split in the order of the file, or of all splits, streamed. */
export async function* records(dataset: Dataset, { split }: { split?: Split } = {}): AsyncGenerator<SampleRecord> {
  const file = join(dataset.directory, dataset.manifest.samples);
  let count = 0;
  for await (const line of readLines(file)) {
    const place = { file, line: line.number };
    const named = inFile(place, () => parseRecord(line.bytes, dataset.manifest, `${file}:${line.number}`));
    const record = placed(named, dataset.splits, count++);
    if (record && (split === undefined || record.split === split)) yield record;
  }
}

/** The record in its split; `undefined` where it is left out. */
function placed(record: SampleRecord, splits: Splits | undefined, at: number): SampleRecord | undefined {
  if (!splits) return record;
  const split = splits[at];
  return split && { ...record, split };
}

/** @param places offset, length and line of each sample, one after the other. */
function toIndex(places: readonly number[]): SplitIndex {
  const count = places.length / 3;
  const column = (k: number) => (_: unknown, i: number) => places[3 * i + k];
  return {
    offsets: Float64Array.from({ length: count }, column(0)),
    lengths: Uint32Array.from({ length: count }, column(1)),
    lines: Uint32Array.from({ length: count }, column(2)),
  };
}
