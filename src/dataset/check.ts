/**
 * Lists everything that is wrong or doubtful in a dataset, with its place, in one pass that does not stop at the first
 * fault.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { AspectKind, Task } from "../core/annotation.js";
import { DatasetError, InputError } from "../core/errors.js";
import { clip } from "../core/terminal.js";
import { createBoxOrderCheck } from "./box-order.js";
import { checkFiles, type FileCheck } from "./check-files.js";
import { collectRemarks, type Remark } from "./collect-remarks.js";
import { type DatasetSummary, type StateCounts, tally } from "./dataset-summary.js";
import { datasetWarnings } from "./dataset-warnings.js";
import type { Fault } from "./fault.js";
import { canBeWhole, type GroupCrossing, type GroupSummary, groupCounts, groupWarnings } from "./group-counts.js";
import { readLines, withoutReturns } from "./lines.js";
import { type Manifest, readManifest } from "./manifest.js";
import { locate } from "./paths.js";
import { readImageFile } from "./read-image-file.js";
import { parseLine, type SampleRecord, type Split, toRecord } from "./record.js";
import { type Survey, surveyOf, surveyWarnings } from "./survey/survey.js";
import { createSizeCheck } from "./too-small.js";

/** The result of `data check --json`, unchanged. */
export interface DatasetReport {
  readonly format: "aspectlens-check/1";
  readonly name: string;
  readonly task: Task;
  /** SHA-256 over manifest and samples file, as in run folders and bundles. */
  readonly hash: string;
  /** True if no fault is an error. */
  readonly isUsable: boolean;
  /** Number of lines that could be read, by split. */
  readonly samples: Readonly<Record<Split, number>>;
  /** For each head (`class`, then the aspects), its kind and, by split, the number of samples in each label state. */
  readonly heads: Readonly<
    Record<string, { readonly kind: "classifier" | AspectKind; readonly states: Readonly<Record<Split, StateCounts>> }>
  >;
  /** Samples of each class, by split; empty for a regression. */
  readonly classes: Readonly<Record<string, Readonly<Record<Split, number>>>>;
  /** How the samples are grouped, by the group's name. */
  readonly groups: Readonly<Record<string, GroupSummary>>;
  readonly errorCount: number;
  readonly warningCount: number;
  /** In the order in which they were found: by line, then those of the whole dataset. */
  readonly faults: readonly Fault[];
}

/** How thoroughly `checkDataset` reads. */
export interface CheckOptions {
  /** Decode every image and mask; false: only check that the files exist. */
  readonly decode?: boolean;
  /** Side of a model's input, pixels; aspects that are too small for it are reported. */
  readonly inputSize?: number;
  /** Called with each fault when it is found. */
  readonly onFault?: (fault: Fault) => void;
  /** @internal Called at the end, with what `data check --html` shows. */
  readonly onSurvey?: (survey: Survey) => void;
  /** Called after each line. */
  readonly onProgress?: (lineCount: number) => void;
}

/**
 * Reads the whole dataset and lists every fault.
 *
 * @throws DatasetError if the manifest or the samples file cannot be read, so that nothing can be listed.
 */
export async function checkDataset(directory: string, options: CheckOptions = {}): Promise<DatasetReport> {
  const { decode = true, inputSize, onFault, onProgress, onSurvey } = options;
  const { manifest, bytes } = await readManifest(directory);
  const file = locate({ directory, manifest }, manifest.samples, { ErrorClass: DatasetError });
  const faults: Fault[] = [];
  const report = (fault: Fault) => {
    faults.push(fault);
    onFault?.(fault);
  };
  const { summary, add } = tally(manifest);
  const hash = createHash("sha256").update(withoutReturns(bytes));
  const duplicates = duplicateFinder();
  const groups = groupCounts();
  const remarks = collectRemarks();
  const boxOrder = createBoxOrderCheck();
  const sizes = inputSize === undefined ? undefined : createSizeCheck({ inputSize });
  const survey = surveyOf(manifest, { inputSize });
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
    const remark: FileCheck["remark"] = (kind, rest) => remarks.add(kind, { line: line.number, ...rest });
    try {
      const value = parseLine(line.bytes, where);
      boxOrder.add(value);
      const record = toRecord(value, manifest, where);
      warnOfContradictions(record, warn);
      for (const crossing of groups.add(record)) remark(`group ${crossing.name}`, groupRemark(crossing, record.split));
      const check = { directory, manifest, decode, sizes, inputSize: survey.inputSize, fail, remark };
      const files = await checkFiles(record, check);
      add(files.record);
      const isCopy = await duplicates(record, { directory, manifest, decode, line: line.number, warn });
      survey.add({ ...files, line: line.number, isCopy });
    } catch (error) {
      fail(error);
    }
    lineCount++;
    onProgress?.(lineCount);
  }
  for (const [name, { count }] of Object.entries(groups.summary)) if (!canBeWhole(count)) remarks.drop(`group ${name}`);
  for (const fault of remarks.faults(file)) report(fault);
  if (lineCount === 0)
    report({ severity: "error", file, message: `${file}: holds no samples. Put one sample, as JSON, on each line.` });
  const whole = join(directory, "dataset.json");
  const surveyed = survey.result();
  onSurvey?.(surveyed);
  const warnings = [
    ...datasetWarnings(manifest, summary),
    ...groupWarnings(groups.summary, summary.samples),
    boxOrder.warning() ?? [],
    sizes?.warnings() ?? [],
    ...surveyWarnings(surveyed),
  ].flat();
  for (const message of warnings) report({ severity: "warning", file: whole, message: `${whole}: ${message}` });
  return reportOf(manifest, { summary, hash: hash.digest("hex"), faults });
}

function reportOf(
  manifest: Manifest,
  { summary, hash, faults }: { summary: DatasetSummary; hash: string; faults: readonly Fault[] },
): DatasetReport {
  const countOf = (severity: Fault["severity"]) => faults.filter((fault) => fault.severity === severity).length;
  const errorCount = countOf("error");
  return {
    format: "aspectlens-check/1",
    name: manifest.name,
    task: manifest.task,
    hash,
    isUsable: errorCount === 0,
    samples: summary.samples,
    heads: Object.fromEntries(
      Object.entries(summary.heads).map(([name, { kind, states }]) => [name, { kind, states }]),
    ),
    classes: summary.classes,
    groups: summary.groups,
    errorCount,
    warningCount: countOf("warning"),
    faults,
  };
}

/** One group in several splits: what is learned of it in one helps in the other. */
function groupRemark({ name, value, first }: GroupCrossing, split: Split): Omit<Remark, "line"> {
  const message =
    `group "${name}" "${clip(value)}" lies in split "${first}" too, while this sample is in "${split}": ` +
    "results will look better than they are. Keep each group in one split.";
  return { severity: "warning", aspects: [], message };
}

/** Annotations of one aspect that contradict each other. */
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

/**
 * Finds equal images by half of the SHA-256 of their contents (of their paths if nothing is decoded). This takes about
 * a hundred bytes per sample, the only memory that grows with the dataset.
 */
function duplicateFinder() {
  const seen = new Map<string, { line: number; split: Split }>();
  return async (
    { image, split }: SampleRecord,
    {
      decode,
      line,
      warn,
      ...dataset
    }: {
      directory: string;
      manifest: Manifest;
      decode: boolean;
      line: number;
      warn: (message: string) => void;
    },
  ) => {
    // As short as can be: there is one an image.
    const digest = (text: string | Uint8Array) => createHash("sha256").update(text).digest().toString("latin1", 0, 16);
    const bytes = decode ? await bytesOf(dataset, image) : undefined;
    const key = digest(bytes && bytes.length > 0 ? bytes : `path:${image}`);
    const earlier = seen.get(key);
    if (!earlier) {
      seen.set(key, { line, split });
      return false;
    }
    const same = `${image}: the same image as in line ${earlier.line}`;
    if (earlier.split === split) warn(`${same}. Remove one.`);
    else
      warn(
        `${same}, which is in split "${earlier.split}" while this is in "${split}": ` +
          `results will look better than they are. Remove one.`,
      );
    return true;
  };
}

/** Undefined if the file cannot be read, which is reported elsewhere. */
async function bytesOf(dataset: { directory: string; manifest: Manifest }, path: string) {
  try {
    return await readImageFile(locate(dataset, path));
  } catch {
    return undefined;
  }
}
