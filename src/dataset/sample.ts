/** Loads a record's sample: image, masks, maps and boxes are cropped and mirrored alike, so that they stay aligned. */

import { type Annotation, classLabels, type Sample } from "../core/annotation.js";
import type { View } from "../core/augmented-view.js";
import type { CenterCrop } from "../core/center-crop.js";
import { DatasetError, ImageError } from "../core/errors.js";
import { ownValue } from "../core/own-value.js";
import type { Random } from "../core/random.js";
import { type Size, sizeKey } from "../core/size.js";
import { type Augment, addNoise, jitterColours, plainView, viewBoxes, viewSlivers } from "./augment.js";
import type { Dataset } from "./dataset.js";
import { foregroundOf } from "./foreground.js";
import type { AspectDeclaration } from "./manifest.js";
import { checkRasterSize, ignoredPixels, toMap, toMask, withoutIgnored } from "./mask.js";
import { type OpenImage, openImage } from "./open-image.js";
import { locate } from "./paths.js";
import type { PixelCache } from "./pixel-cache.js";
import { partOf, type Raster, readRaster } from "./raster.js";
import type { AspectRecord, SampleRecord } from "./record.js";
import { boxMarks, drawSafeView, type Marks, maskMarks } from "./safe-view.js";

type Image = Pick<OpenImage, "width" | "height" | "part" | "whole" | "render">;

export interface LoadSampleOptions {
  /** What the model sees, pixels. */
  readonly inputSize: Size;
  /** Other sizes at which the image is read, for networks that aspect heads have to themselves. */
  readonly otherSizes?: readonly Size[];
  /**
   * The middle of the image stands for all of it, its masks and boxes too; a box with less than a quarter of its area there is void.
   */
  readonly centerCrop?: CenterCrop;
  /** Needs `random`. */
  readonly augment?: Augment;
  /** Random numbers of this sample in this epoch. */
  readonly random?: Random;
  /** Mirror left and right; without `augment` only. */
  readonly flip?: boolean;
  /**
   * `kind`: only the annotation that the aspect's kind needs (the mask of a `boxes` aspect is not read). `all`: every
   * annotation.
   */
  readonly annotations?: "kind" | "all";
  /** Pixels kept from one epoch to the next. */
  readonly cache?: PixelCache;
}

/**
 * Decodes one sample. If a crop removes all of a mask, the mask stays labelled, as all zeros.
 *
 * @throws ImageError, DatasetError in one line that names the line of the samples file, the file, and the cure.
 */
export async function loadSample(
  dataset: Pick<Dataset, "directory" | "manifest">,
  record: SampleRecord,
  options: LoadSampleOptions,
): Promise<Sample> {
  const { manifest } = dataset;
  const { inputSize: size, otherSizes = [], centerCrop, augment, random, flip, annotations = "kind", cache } = options;
  try {
    const path = locate(dataset, record.image);
    const image = await (cache ? cache.image(path, { isWhole: !augment }) : openImage(path, { centerCrop }));
    const raster = rasterReader(dataset, image, cache?.raster ?? readRaster);
    const wanted = manifest.aspects.flatMap(({ name, kind }) => {
      const annotation = ownValue(record.aspects, name);
      if (!annotation) return [];
      const own = annotations === "all" ? annotation : ofKind(annotation, kind);
      return [{ name, annotation: inMiddle(own, image) }];
    });
    const marks: Marks[] = [];
    // One after the other, so that a mask of several aspects is decoded once.
    if (augment && augment.crop > 0) for (const { annotation } of wanted) marks.push(await marksOf(annotation, raster));
    const view = augment && random ? drawSafeView(image, augment, random, marks) : plainView(image, { flip });
    const seen = await render(image, { size, view });
    const others: Record<string, Uint8Array> = {};
    for (const other of otherSizes) others[sizeKey(other)] = await render(image, { size: other, view });
    const aspects: Record<string, Annotation> = {};
    for (const { name, annotation } of wanted)
      aspects[name] = await toAnnotation(annotation, { image, view, size, raster });
    const causes = record.causes ?? causesOf(record, dataset);
    const { target, groups } = record;
    return {
      ...{ path: record.image, image: seen, target, aspects },
      ...(otherSizes.length > 0 && { otherSizes: others }),
      ...(causes && { causes }),
      ...(groups && { groups }),
    };
  } catch (cause) {
    if (cause instanceof ImageError) {
      const { what, cure } = cause;
      throw new DatasetError(`${record.where}: ${what}`, { cure, cause });
    }
    throw cause;
  }
}

/** Boxes in shares of the middle. */
function inMiddle(annotation: AspectRecord, { part, whole }: Image): AspectRecord {
  if (!part || !whole) return annotation;
  const { boxes, ignoredBoxes } = annotation;
  const view = { crop: part, flip: false };
  const slivers = viewSlivers(boxes ?? [], view, whole);
  const ignored = [...viewBoxes(ignoredBoxes ?? [], view, { ...whole, leastShare: 0 }), ...slivers];
  return {
    ...annotation,
    ...(boxes && { boxes: viewBoxes(boxes, view, whole) }),
    ...((ignoredBoxes || ignored.length > 0) && { ignoredBoxes: ignored }),
  };
}

/** The annotations that a head of this kind needs; presence falls back on boxes, then on the mask. */
function ofKind(
  { mask, values, ignore, boxes, ignoredBoxes, present, amount, map }: AspectRecord,
  kind: AspectDeclaration["kind"],
): AspectRecord {
  switch (kind) {
    case "segmentation":
      return { mask, values, ignore };
    case "boxes":
      return { boxes, ignoredBoxes };
    case "amount":
      return { amount, map, ignore };
    case "presence":
      if (present !== undefined) return { present };
      return boxes !== undefined ? { boxes, ignoredBoxes } : { mask, values, ignore };
  }
}

/** Where the aspect is marked; nowhere, where its place is not known. */
async function marksOf(
  { boxes, mask, values, ignore }: AspectRecord,
  raster: (path: string) => Promise<Raster>,
): Promise<Marks> {
  if (boxes) return boxMarks(boxes);
  if (!mask) return [];
  const whole = await raster(mask);
  const kept = keptMarks.get(whole) ?? new Map<string, Marks>();
  keptMarks.set(whole, kept);
  const key = JSON.stringify([values, ignore]);
  const known = kept.get(key);
  if (known) return known;
  const { isAspect } = foregroundOf(withoutIgnored(whole, ignore), { values, path: mask });
  const marks = maskMarks(whole, (value) => isAspect(value) && !ignore?.includes(value));
  kept.set(key, marks);
  return marks;
}

/** Of masks that are kept from epoch to epoch, by the values that mean an aspect and those that are void. */
const keptMarks = new WeakMap<Raster, Map<string, Marks>>();

async function toAnnotation(
  { mask, values, ignore, boxes, ignoredBoxes, present, amount, map }: AspectRecord,
  { image, view, size, raster }: { image: Image; view: View; size: Size; raster: (path: string) => Promise<Raster> },
): Promise<Annotation> {
  const seen = { ...view, size, ignore };
  const { width, height } = image;
  const file = mask ?? map;
  const ignoredRegions = [
    ...viewBoxes(ignoredBoxes ?? [], view, { width, height, leastShare: 0 }),
    ...viewSlivers(boxes ?? [], view, { width, height }),
  ];
  const ignored = ignore && file ? ignoredPixels(await raster(file), { ...seen, path: file }) : undefined;
  return {
    ...(mask === undefined
      ? {}
      : { mask: mask === null ? null : toMask(await raster(mask), { ...seen, values, path: mask }) }),
    ...(map === undefined ? {} : { map: toMap(await raster(map), { ...seen, path: map }) }),
    ...(ignored && { ignored }),
    ...(boxes === undefined ? {} : { boxes: viewBoxes(boxes, view, image) }),
    ...((ignoredBoxes || ignoredRegions.length > 0) && { ignoredBoxes: ignoredRegions }),
    ...(present === undefined ? {} : { present }),
    ...(amount === undefined ? {} : { amount }),
  };
}

/** Several aspects often share one indexed mask, so each file is decoded once per sample. */
function rasterReader(
  dataset: Pick<Dataset, "directory" | "manifest">,
  image: Image,
  readFile: (path: string) => Promise<Raster>,
): (path: string) => Promise<Raster> {
  const read = new Map<string, Raster>();
  return async (path) => {
    const known = read.get(path);
    if (known) return known;
    const file = locate(dataset, path);
    const found = await readFile(file);
    checkRasterSize(found, image.whole ?? image, file);
    const raster = image.part ? partOf(found, image.part) : found;
    read.set(path, raster);
    return raster;
  };
}

function causesOf({ target }: SampleRecord, { manifest }: Pick<Dataset, "manifest">): readonly string[] | undefined {
  const labels = classLabels(target) ?? [];
  const known = labels.flatMap((label) => ownValue(manifest.causes, label) ?? []);
  return known.length > 0 ? [...new Set(known)] : undefined;
}

async function render(image: Image, { size, view }: { size: Size; view: View }): Promise<Uint8Array> {
  const { crop, jitter, noise, ...how } = view;
  const isCut = crop.width !== image.width || crop.height !== image.height;
  const pixels = await image.render({ size, ...how, ...(isCut ? { crop } : {}) });
  if (jitter) jitterColours(pixels, jitter);
  if (noise) addNoise(pixels, noise);
  return pixels;
}
