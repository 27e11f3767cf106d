/** One sample of ours as other tools have it: tags of the image, marks in it, and what is known to be absent. */

import type { Dataset } from "../dataset.js";
import { foregroundOf } from "../foreground.js";
import { checkRasterSize, withoutIgnored } from "../mask.js";
import { openImage } from "../open-image.js";
import { locate } from "../paths.js";
import { readRaster } from "../raster.js";
import { type AspectRecord, annotationState, type SampleRecord, type Split } from "../record.js";
import type { ExportNames } from "./export-names.js";

/** Regions to ignore are void: neither the category nor its absence. */
export type ExportedMark = { readonly category: string; readonly isIgnored: boolean } & (
  | { readonly kind: "box"; readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  /** `[height * width]` of the image, row-major, 1 where it is marked. */
  | { readonly kind: "mask"; readonly pixels: Uint8Array }
);

export interface ExportedSample {
  /** Of the image. */
  readonly file: string;
  /** Relative, without the `images/` that all begin with. */
  readonly name: string;
  readonly split: Split;
  readonly groups: Readonly<Record<string, string>>;
  /** Pixels of the upright image. */
  readonly width: number;
  readonly height: number;
  /** Categories that the image as a whole has. */
  readonly tags: readonly string[];
  readonly marks: readonly ExportedMark[];
  /** Categories that are labelled as empty. Others without tag or mark are unlabelled. */
  readonly absent: readonly string[];
  /** Categories of which nothing is known here. */
  readonly unlabelled: readonly string[];
}

/** @throws ImageError, DatasetError naming the line of the samples file, or the file. */
export async function exportedSample(
  dataset: Pick<Dataset, "directory" | "manifest">,
  record: SampleRecord,
  names: ExportNames,
): Promise<ExportedSample> {
  const { manifest } = dataset;
  const file = locate(dataset, record.image);
  const { width, height } = await openImage(file);
  const tags: string[] = [];
  const marks: ExportedMark[] = [];
  const absent: string[] = [];
  const unlabelled: string[] = [];
  const { label, labels } = record.target;
  for (const [name, category] of names.classes) {
    if (label === name || labels?.includes(name)) tags.push(category);
    else if (labels) absent.push(category);
  }
  for (const { name, kind } of manifest.aspects) {
    const category = names.aspects.get(name);
    if (category === undefined) continue;
    const annotation = record.aspects[name];
    const state = annotationState(annotation, kind);
    if (state === "unlabelled" || !annotation) unlabelled.push(category);
    else if (state === "empty") absent.push(category);
    else if (kind === "presence") tags.push(category);
    if (kind === "boxes") marks.push(...boxMarks(annotation, { category, width, height }));
    if (kind === "segmentation" && annotation?.mask)
      marks.push(...(await maskMarks(annotation, locate(dataset, annotation.mask), { category, width, height })));
  }
  const { image, split, groups = {} } = record;
  return {
    ...{ file, name: image.replace(/^images\//, ""), split, groups, width, height },
    ...{ tags, marks, absent, unlabelled },
  };
}

interface Place {
  readonly category: string;
  readonly width: number;
  readonly height: number;
}

function boxMarks(
  { boxes = [], ignoredBoxes = [] }: AspectRecord = {},
  { category, width, height }: Place,
): ExportedMark[] {
  const marked = (isIgnored: boolean) => (box: readonly number[]) => ({
    ...{ category, isIgnored, kind: "box" as const },
    ...{ x: box[1] * width, y: box[0] * height },
    ...{ width: (box[3] - box[1]) * width, height: (box[2] - box[0]) * height },
  });
  return [...boxes.map(marked(false)), ...ignoredBoxes.map(marked(true))];
}

async function maskMarks(
  { values, ignore = [] }: AspectRecord,
  path: string,
  { category, width, height }: Place,
): Promise<ExportedMark[]> {
  const raster = await readRaster(path);
  checkRasterSize(raster, { width, height }, path);
  const { isAspect } = foregroundOf(withoutIgnored(raster, ignore), { values, path });
  const pixels = Uint8Array.from(raster.values, (value) => (!ignore.includes(value) && isAspect(value) ? 1 : 0));
  const isVoid = Uint8Array.from(raster.values, (value) => (ignore.includes(value) ? 1 : 0));
  const mark = (marked: Uint8Array, isIgnored: boolean) => ({
    category,
    isIgnored,
    kind: "mask" as const,
    pixels: marked,
  });
  return [...(pixels.includes(1) ? [mark(pixels, false)] : []), ...(isVoid.includes(1) ? [mark(isVoid, true)] : [])];
}
