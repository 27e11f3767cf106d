/** Everything that is wrong or odd in a dataset, with its place, in one pass that does not stop at the first fault. */

import { createHash } from "node:crypto";
import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { AspectKind } from "../core/annotation.js";
import { DatasetError, InputError } from "../core/errors.js";
import { openImage } from "./image.js";
import { readLines } from "./lines.js";
import { readManifest, type Task } from "./manifest.js";
import { checkRasterSize, toMap, toMask } from "./mask.js";
import { oddities } from "./oddities.js";
import { readRaster } from "./raster.js";
import { type AspectRecord, parseRecord, type SampleRecord, type Split } from "./record.js";
import { type StateCounts, tally } from "./summary.js";

/** An `error` keeps training from starting or running through; a `warning` is odd and may be meant. */
export interface Fault {
  readonly severity: "error" | "warning";
  /** Path of the manifest or the samples file. */
  readonly file: string;
  /** Of the samples file, from 1; absent where the fault is of the whole. */
  readonly line?: number;
  /** One line: the place, what is wrong, and the cure. */
  readonly message: string;
}

/** The JSON of `data check --json`, as it is. */
export interface DatasetReport {
  readonly format: "aspectlens-check/1";
  readonly name: string;
  readonly task: Task;
  /** SHA-256 over manifest and samples file, as in run folders and bundles. */
  readonly hash: string;
  /** No fault is an error. */
  readonly isUsable: boolean;
  /** Lines that could be read, by split. */
  readonly samples: Readonly<Record<Split, number>>;
  /** By head (`class`, then the aspects) its kind and, by split, how many samples are in which label state. */
  readonly heads: Readonly<
    Record<string, { readonly kind: "classifier" | AspectKind; readonly states: Readonly<Record<Split, StateCounts>> }>
  >;
  /** Samples of each class, by split; empty for a regression. */
  readonly classes: Readonly<Record<string, Readonly<Record<Split, number>>>>;
  readonly errorCount: number;
  readonly warningCount: number;
  /** In the order in which they were found: by line, then of the whole. */
  readonly faults: readonly Fault[];
}

export interface CheckOptions {
  /** Decode every image and mask; without, only look whether the files are there. */
  readonly decode?: boolean;
  readonly onFault?: (fault: Fault) => void;
  /** Called after each line. */
  readonly onProgress?: (lineCount: number) => void;
}

/**
 * Reads the whole dataset and lists every fault.
 *
 * @throws DatasetError where the manifest or the samples file itself cannot be read; there is nothing to list then.
 */
export async function checkDataset(directory: string, options: CheckOptions = {}): Promise<DatasetReport> {
  const { decode = true, onFault, onProgress } = options;
  const { manifest, bytes } = await readManifest(directory);
  const file = join(directory, manifest.samples);
  const faults: Fault[] = [];
  const report = (fault: Fault) => {
    faults.push(fault);
    onFault?.(fault);
  };
  const { summary, add } = tally(manifest);
  const hash = createHash("sha256").update(bytes);
  const duplicates = duplicateFinder();
  let lineCount = 0;
  for await (const line of readLines(file, { onChunk: (chunk) => hash.update(chunk) })) {
    const where = `${file}:${line.number}`;
    const place = { file, line: line.number };
    const fail = (error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      const { message } = error;
      report({ severity: "error", ...place, message: message.startsWith(where) ? message : `${where}: ${message}` });
    };
    const warn = (message: string) => report({ severity: "warning", ...place, message: `${where}: ${message}` });
    try {
      const record = parseRecord(line.bytes, manifest, where);
      add(record);
      warnOfContradictions(record, warn);
      await checkFiles(record, { directory, decode, fail, warn });
      await duplicates(record, { directory, decode, line: line.number, warn });
    } catch (error) {
      fail(error);
    }
    lineCount++;
    onProgress?.(lineCount);
  }
  const ofWhole = { file: join(directory, "dataset.json") };
  if (lineCount === 0)
    report({ severity: "error", file, message: `${file}: holds no samples. Put one sample, as JSON, on each line.` });
  for (const message of oddities(manifest, summary))
    report({ severity: "warning", ...ofWhole, message: `${ofWhole.file}: ${message}` });
  const errorCount = faults.filter((fault) => fault.severity === "error").length;
  return {
    format: "aspectlens-check/1",
    name: manifest.name,
    task: manifest.task,
    hash: hash.digest("hex"),
    isUsable: errorCount === 0,
    samples: summary.samples,
    heads: Object.fromEntries(
      Object.entries(summary.heads).map(([name, { kind, states }]) => [name, { kind, states }]),
    ),
    classes: summary.classes,
    errorCount,
    warningCount: faults.length - errorCount,
    faults,
  };
}

interface FileCheck {
  readonly directory: string;
  readonly decode: boolean;
  readonly fail: (error: unknown) => void;
  readonly warn: (message: string) => void;
}

/** Each file of a sample once; a fault in one does not hide those in the others. */
async function checkFiles(record: SampleRecord, { directory, decode, fail, warn }: FileCheck): Promise<void> {
  const uses = Object.entries(record.aspects).flatMap(([name, aspect]) => rasterUses(name, aspect));
  if (!decode) {
    for (const path of new Set([record.image, ...uses.map((use) => use.path)])) {
      await access(join(directory, path)).catch((cause) =>
        fail(new DatasetError(`${record.where}: ${join(directory, path)}: no such file. Check the path.`, { cause })),
      );
    }
    return;
  }
  let image: { width: number; height: number } | undefined;
  try {
    const opened = await openImage(join(directory, record.image));
    await opened.render({ size: 8 });
    image = opened;
  } catch (error) {
    fail(error);
  }
  for (const path of new Set(uses.map((use) => use.path))) {
    try {
      const full = join(directory, path);
      const raster = await readRaster(full);
      if (image) checkRasterSize(raster, image, full);
      if (raster.isLossy) warn(`${full}: a JPEG; its values are smeared at every edge. Save masks as PNG.`);
      const crop = { left: 0, top: 0, width: raster.width, height: raster.height };
      for (const { name, use, values } of uses.filter((candidate) => candidate.path === path)) {
        if (use === "map") {
          toMap(raster, { size: 8, crop, flip: false, path: full });
          continue;
        }
        toMask(raster, { size: 8, crop, flip: false, path: full, values });
        const wanted = values && new Set(values);
        if (!raster.values.some((value) => (wanted ? wanted.has(value) : value > 0))) {
          warn(`${full}: no pixel of aspect "${name}". Write "mask": null where an expert saw none.`);
        }
      }
    } catch (error) {
      fail(error);
    }
  }
}

function rasterUses(name: string, { mask, map, values }: AspectRecord) {
  return [
    ...(typeof mask === "string" ? [{ name, path: mask, use: "mask" as const, values }] : []),
    ...(map === undefined ? [] : [{ name, path: map, use: "map" as const, values: undefined }]),
  ];
}

/** Annotations of one aspect that cannot all be true. */
function warnOfContradictions({ aspects }: SampleRecord, warn: (message: string) => void): void {
  for (const [name, { mask, boxes, present }] of Object.entries(aspects)) {
    const says = [
      ...(mask === undefined ? [] : [{ what: "mask", isSeen: mask !== null }]),
      ...(boxes === undefined ? [] : [{ what: "boxes", isSeen: boxes.length > 0 }]),
      ...(present === undefined ? [] : [{ what: "present", isSeen: present }]),
    ];
    const seen = says.find((one) => one.isSeen);
    const empty = says.find((one) => !one.isSeen);
    if (seen && empty)
      warn(`aspect "${name}": "${seen.what}" says that it is there, "${empty.what}" that it is not. Correct one.`);
  }
}

/** Remembers contents (paths where nothing is decoded) by half a SHA-256: some hundred bytes a sample, the only thing that grows. */
function duplicateFinder() {
  const seen = new Map<string, { line: number; split: Split }>();
  return async (
    { image, split }: SampleRecord,
    {
      directory,
      decode,
      line,
      warn,
    }: { directory: string; decode: boolean; line: number; warn: (message: string) => void },
  ) => {
    const digest = (text: string | Uint8Array) => createHash("sha256").update(text).digest("hex").slice(0, 32);
    const bytes = decode ? await readFile(join(directory, image)).catch(() => undefined) : undefined;
    const key = digest(bytes && bytes.length > 0 ? bytes : `path:${image}`);
    const earlier = seen.get(key);
    if (!earlier) {
      seen.set(key, { line, split });
      return;
    }
    const same = `${image}: the same image as in line ${earlier.line}`;
    if (earlier.split === split) warn(`${same}. Remove one.`);
    else
      warn(
        `${same}, which is in split "${earlier.split}" while this is in "${split}": results will look better than they are. Remove one.`,
      );
  };
}
