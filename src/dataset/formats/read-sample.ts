/** One image of an export as a sample of ours: its labels by the mapping, its masks drawn. */

import { DatasetError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import { ownValue } from "../../core/own-value.js";
import { classState } from "../dataset-summary.js";
import { type AspectRecord, annotationState } from "../record.js";
import type { AnnotatedImage, ImageAnnotations } from "./annotated-set.js";
import { labelImage } from "./image-labels.js";
import { imageSize } from "./image-size.js";
import type { Mapping } from "./mapping.js";
import type { Frame } from "./spans.js";
import type { Survey } from "./survey.js";
import { type AreaState, areaShare, drawMasks } from "./write-masks.js";

export interface ReadSample {
  /** Of the image. */
  readonly file: string;
  /** As a line of the samples file has it, but for the split. */
  readonly record: {
    readonly image: string;
    readonly label?: string;
    readonly labels?: readonly string[];
    readonly aspects: Readonly<Record<string, AspectRecord>>;
    readonly groups?: Readonly<Record<string, string>>;
  };
  readonly split?: string;
  /** What splits are balanced by. */
  readonly labels: readonly string[];
  readonly states: Readonly<Record<string, AreaState>>;
  /** A list of labels that is left out, since only a part of it is known. */
  readonly isPartlyKnown: boolean;
  readonly clippedCount: number;
  readonly outsideCount: number;
  readonly smallCount: number;
  readonly isScaled: boolean;
}

interface ReadSampleOptions {
  readonly source: Survey["sources"][number];
  readonly mapping: Mapping;
  /** Before the names of images and masks. */
  readonly folder: string;
  /** Absent: nothing is written. */
  readonly write?: (path: string, bytes: Uint8Array) => Promise<void>;
}

/** @throws DatasetError, ImageError */
export async function readSample(image: AnnotatedImage, options: ReadSampleOptions): Promise<ReadSample> {
  const { source, mapping, folder, write } = options;
  const size = await imageSize(image, source.set.source);
  const annotations = await image.annotations();
  const { frame, width, height } = frameOf(image, annotations, size);
  const labels = labelImage(image, annotations, mapping, { categories: source.categories, width, height });
  const aspects: Record<string, AspectRecord> = {};
  for (const [name, label] of Object.entries(labels.aspects)) {
    if (label.kind === "presence") aspects[name] = { present: label.present };
    else if (label.kind === "boxes")
      aspects[name] = { boxes: label.boxes, ...(label.ignored.length > 0 && { ignoredBoxes: label.ignored }) };
    else if (label.kind === "amount") {
      const isEmpty = label.shapes.length === 0 && label.ignored.length === 0;
      const share = isEmpty ? 0 : await areaShare({ name, ...label }, { frame, image: image.path });
      if (share !== undefined) aspects[name] = { amount: share };
    }
  }
  const areas = Object.entries(labels.aspects).flatMap(([name, label]) =>
    label.kind === "segmentation" ? [{ name, shapes: label.shapes, ignored: label.ignored }] : [],
  );
  const name = `${folder}${image.name.replace(/^images\//i, "")}`;
  const stem = `masks/${name.replace(/\.[^./]*$/, "")}`;
  const masks = await drawMasks(areas, { frame, stem, image: image.path });
  for (const { path, bytes } of masks.files) await write?.(path, bytes());
  Object.assign(aspects, masks.records);
  const states: Record<string, AreaState> = { class: classState(labels.target) };
  for (const { name, kind } of mapping.aspects)
    states[name] = ownValue(masks.states, name) ?? annotationState(aspects[name], kind);
  const classes = labels.target.labels ?? (labels.target.label === undefined ? [] : [labels.target.label]);
  return {
    file: image.path,
    record: {
      image: `images/${name}`,
      ...labels.target,
      aspects,
      ...(Object.keys(labels.groups).length > 0 && { groups: labels.groups }),
    },
    ...(image.split !== undefined && { split: image.split }),
    labels: [
      ...classes.map((one) => `class ${one}`),
      ...Object.entries(states).flatMap(([one, state]) => (state === "labelled" && one !== "class" ? [one] : [])),
    ],
    states,
    isPartlyKnown: labels.isPartlyKnown,
    clippedCount: labels.clippedCount,
    outsideCount: labels.outsideCount + masks.outsideCount,
    smallCount: masks.smallCount,
    isScaled: frame.scaleX !== 1 && width !== 1,
  };
}

/** @throws DatasetError where the annotations were made on an image of another shape. */
function frameOf(
  { path }: AnnotatedImage,
  { width: givenWidth, height: givenHeight }: ImageAnnotations,
  size: { width: number; height: number },
): { frame: Frame; width: number; height: number } {
  const [width, height] = [givenWidth ?? size.width, givenHeight ?? size.height];
  if (width * height > LIMITS.imagePixels)
    throw new DatasetError(`${path}: its annotations were made at ${width} x ${height}, more than an image may have.`, {
      cure: "Correct the size in the export.",
      file: path,
    });
  const [scaleX, scaleY] = [size.width / width, size.height / height];
  const isShare = width === 1 && height === 1;
  // Sizes are rounded, by half a pixel each.
  const slack = Math.max(scaleX, scaleY) * (0.02 + 1 / Math.min(size.width, size.height, width, height));
  if (!isShare && Math.abs(scaleX - scaleY) > slack)
    throw new DatasetError(
      `${path}: ${size.width} x ${size.height} pixels upright, but its annotations were made at ${width} x ${height}.`,
      { cure: "Take the image that was annotated; if EXIF turns it, save it upright and annotate that.", file: path },
    );
  return { frame: { width: size.width, height: size.height, scaleX, scaleY }, width, height };
}
