/** Writes a dataset in the form of another tool, with the mapping that leads back. */

import { constants, copyFile, mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { DatasetError, InterruptedError } from "../../core/errors.js";
import { makeFolder, refused, removeAbandoned, temporaryName, writeFileAtomic } from "../../core/files.js";
import { openDataset, records } from "../dataset.js";
import { checkReplaceable, listFiles, replaceFolder } from "../made-folder.js";
import type { Manifest } from "../manifest.js";
import type { SampleRecord, Split } from "../record.js";
import { COCO_EXPORT } from "./export-coco.js";
import { LABEL_STUDIO_EXPORT } from "./export-label-studio.js";
import { type ExportNames, exportNames, mappingBack } from "./export-names.js";
import { checkSameOrigin, exportOrigin, writeOrigin } from "./export-origin.js";
import type { ExportFormat, MarkNames } from "./export-writer.js";
import { YOLO_EXPORT } from "./export-yolo.js";
import { type ExportedSample, exportedSample } from "./exported-sample.js";

const FORMATS: readonly ExportFormat[] = [COCO_EXPORT, YOLO_EXPORT, LABEL_STUDIO_EXPORT];
/** What a dataset is exported to. */
export const EXPORT_TOOLS: readonly string[] = FORMATS.map(({ tool }) => tool);

const LIST = ".aspectlens-exported";
const MAPPING_FILE = "mapping.yaml";

export interface ExportDatasetOptions {
  /** One of `EXPORT_TOOLS`. */
  readonly to: string;
  /** Links to the images instead of copies. */
  readonly link?: boolean;
  readonly onProgress?: (share: number, text: string) => void;
  readonly signal?: AbortSignal;
}

export interface ExportReport {
  readonly directory: string;
  readonly to: string;
  readonly samples: Readonly<Record<Split, number>>;
  /** By category, images with it, images labelled as without, and images in which it is unlabelled. */
  readonly categories: Readonly<Record<string, { labelled: number; empty: number; unlabelled: number }>>;
  /** What the format cannot say, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Writes to a temporary folder beside `out` that is renamed when it is complete. An earlier export of the
 * same dataset to the same tool is replaced; any other content is left alone.
 *
 * @throws DatasetError, ImageError in one line with the file, the place and the cure.
 * @throws InterruptedError where `signal` aborts; nothing is left.
 */
export async function exportDataset(
  directory: string,
  out: string,
  { to, link = false, onProgress, signal }: ExportDatasetOptions,
): Promise<ExportReport> {
  const format = FORMATS.find(({ tool }) => tool === to);
  if (!format) throw new DatasetError(`--to ${to}: unknown.`, { cure: `Known: ${EXPORT_TOOLS.join(", ")}.` });
  const target = resolve(out);
  await checkReplaceable(target, { list: LIST, label: out });
  const dataset = await openDataset(directory);
  const { manifest, summary } = dataset;
  const origin = await exportOrigin(directory, { to, name: manifest.name });
  await checkSameOrigin(target, out, origin);
  const names = exportNames(manifest);
  const count = Object.values(summary.samples).reduce((sum, samples) => sum + samples, 0);
  const marks = markNames(manifest, names);
  const notes = notesOf(format, manifest, [...marks.boxes, ...marks.masks]);
  const categories: Record<string, { labelled: number; empty: number; unlabelled: number }> = {};
  for (const name of [...names.classes.values(), ...names.aspects.values()])
    categories[name] = { labelled: 0, empty: 0, unlabelled: 0 };
  await removeAbandoned(dirname(target), { of: target });
  const temporary = temporaryName(target);
  try {
    await makeFolder(temporary);
    const writer = await format.open(temporary, marks);
    let done = 0;
    for await (const record of records(dataset)) {
      if (signal?.aborted) throw new InterruptedError(`${out}: interrupted; nothing was written.`);
      const sample = await exportedSample(dataset, record, names);
      const path = format.imagePath(sample);
      await bring(sample.file, join(temporary, path), { link, record });
      await writer.add(sample, path);
      tally(sample, { categories, notes });
      onProgress?.(++done / count, `image ${done} of ${count}`);
    }
    await writer.finish();
    const back = { saysAbsent: format.saysAbsent, saysTags: format.cannotSay.tags === undefined };
    await writeFileAtomic(join(temporary, MAPPING_FILE), mappingBack(manifest, names, back));
    await writeOrigin(temporary, origin);
    await listFiles(temporary, { list: LIST });
    await checkReplaceable(target, { list: LIST, label: out });
    await checkSameOrigin(target, out, origin);
    await replaceFolder(target, temporary);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw refused(out, error);
  }
  return { directory: out, to, samples: summary.samples, categories, notes: notes.said(categories) };
}

function markNames({ aspects, task }: Manifest, names: ExportNames): MarkNames {
  const ofKind = (wanted: string) =>
    aspects.flatMap(({ name, kind }) => (kind === wanted ? (names.aspects.get(name) ?? []) : []));
  const tags = [...names.classes.values(), ...ofKind("presence")];
  return { ...names, tags, boxes: ofKind("boxes"), masks: ofKind("segmentation"), isMulti: task === "multi" };
}

/** @throws DatasetError where two images would be one file. */
async function bring(
  from: string,
  to: string,
  { link, record }: { link: boolean; record: SampleRecord },
): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  try {
    if (link) await symlink(resolve(from), to);
    else await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new DatasetError(`${record.where}: another sample has an image of the same name, ${record.image}.`, {
      cure: "Give images names that differ in more than the folder images/.",
      cause,
    });
  }
}

interface Notes {
  readonly void: { count: number };
  readonly groups: { count: number };
  said(categories: ExportReport["categories"]): string[];
}

/** What is not carried: by the format, or by any. */
function notesOf(
  { tool, cannotSay }: ExportFormat,
  { task, aspects, causes }: Manifest,
  marked: readonly string[],
): Notes {
  const amounts = aspects.filter(({ kind }) => kind === "amount").map(({ name }) => `"${name}"`);
  const hasTags = task !== "regression" || aspects.some(({ kind }) => kind === "presence");
  const counts = { void: { count: 0 }, groups: { count: 0 } };
  return {
    ...counts,
    said: (categories) => {
      const unlabelled = marked.reduce((sum, name) => sum + categories[name].unlabelled, 0);
      const not = (what: string, more = "") => `${tool} cannot say ${what}${more}`;
      return [
        ...(amounts.length > 0 ? [`amounts are not carried: ${amounts.join(", ")}`] : []),
        ...(task === "regression" ? ["the values of a regression are not carried"] : []),
        ...(causes ? ["causes are not carried"] : []),
        ...(cannotSay.tags && hasTags ? [not(cannotSay.tags)] : []),
        ...(cannotSay.void && counts.void.count > 0 ? [not(cannotSay.void, ` (${counts.void.count} left out)`)] : []),
        ...(cannotSay.groups && counts.groups.count > 0 ? [not(cannotSay.groups)] : []),
        ...(cannotSay.unlabelled && unlabelled > 0 ? [not(cannotSay.unlabelled, ` (${unlabelled} times)`)] : []),
      ];
    },
  };
}

function tally(
  { tags, marks, absent, unlabelled, groups }: ExportedSample,
  {
    categories,
    notes,
  }: { categories: Record<string, { labelled: number; empty: number; unlabelled: number }>; notes: Notes },
): void {
  for (const name of absent) categories[name].empty++;
  for (const name of unlabelled) categories[name].unlabelled++;
  for (const name of new Set([...tags, ...marks.map(({ category }) => category)]))
    if (!absent.includes(name) && !unlabelled.includes(name)) categories[name].labelled++;
  notes.void.count += marks.filter(({ isIgnored }) => isIgnored).length;
  if (Object.keys(groups).length > 0) notes.groups.count++;
}
