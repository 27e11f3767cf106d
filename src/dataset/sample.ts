/** Loads a record's sample: image, masks, maps and boxes are cropped and mirrored alike, so that they stay aligned. */

import { type Annotation, classLabels, type Sample } from "../core/annotation.js";
import type { Picture, View } from "../core/augmented-view.js";
import { DatasetError, ImageError } from "../core/errors.js";
import { ownValue } from "../core/own-value.js";
import type { Random } from "../core/random.js";
import { type Augment, jitterColours, plainView, viewBoxes, viewSlivers } from "./augment.js";
import type { Dataset } from "./dataset.js";
import { foregroundOf } from "./foreground.js";
import type { AspectDeclaration } from "./manifest.js";
import { checkRasterSize, ignoredPixels, toMap, toMask, withoutIgnored } from "./mask.js";
import { type OpenImage, openImage } from "./open-image.js";
import { locate } from "./paths.js";
import type { PixelCache } from "./pixel-cache.js";
import { type Raster, readRaster } from "./raster.js";
import type { AspectRecord, SampleRecord } from "./record.js";
import { boxMarks, drawSafeView, type Marks, maskMarks } from "./safe-view.js";

export interface LoadSampleOptions {
  /** Side of the square that the model sees, pixels. */
  readonly inputSize: number;
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
  /** Side of the square in which whole images are kept, for crops in the graph; see `pictureSide`. */
  readonly wholeSide?: number;
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
  const { inputSize: size, augment, random, flip, annotations = "kind", wholeSide, cache } = options;
  try {
    const path = locate(dataset, record.image);
    const image = await (cache ? cache.image(path) : openImage(path));
    const raster = rasterReader(dataset, image, cache?.raster ?? readRaster);
    const wanted = manifest.aspects.flatMap(({ name, kind }) => {
      const annotation = ownValue(record.aspects, name);
      if (!annotation) return [];
      return [{ name, annotation: annotations === "all" ? annotation : ofKind(annotation, kind) }];
    });
    const marks: Marks[] = [];
    // One after the other, so that a mask of several aspects is decoded once.
    if (augment && augment.crop > 0) for (const { annotation } of wanted) marks.push(await marksOf(annotation, raster));
    const view = augment && random ? drawSafeView(image, augment, random, marks) : plainView(image, { flip });
    const seen = wholeSide
      ? { image: NOTHING, picture: await picture(image, { size, side: wholeSide, view, path }) }
      : { image: await render(image, { size, view }) };
    const aspects: Record<string, Annotation> = {};
    for (const { name, annotation } of wanted)
      aspects[name] = await toAnnotation(annotation, { image, view, size, raster });
    const causes = record.causes ?? causesOf(record, dataset);
    const { target, groups } = record;
    return { path: record.image, ...seen, target, aspects, ...(causes && { causes }), ...(groups && { groups }) };
  } catch (cause) {
    if (cause instanceof ImageError) {
      const { what, cure } = cause;
      throw new DatasetError(`${record.where}: ${what}`, { cure, cause });
    }
    throw cause;
  }
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
  const known = withoutIgnored(await raster(mask), ignore);
  const { isAspect } = foregroundOf(known, { values, path: mask });
  return maskMarks(known, (value) => isAspect(value) && !ignore?.includes(value));
}

async function toAnnotation(
  { mask, values, ignore, boxes, ignoredBoxes, present, amount, map }: AspectRecord,
  {
    image,
    view,
    size,
    raster,
  }: { image: OpenImage; view: View; size: number; raster: (path: string) => Promise<Raster> },
): Promise<Annotation> {
  const square = { ...view, size, ignore };
  const { width, height } = image;
  const file = mask ?? map;
  const ignoredRegions = [
    ...viewBoxes(ignoredBoxes ?? [], view, { width, height, leastShare: 0 }),
    ...viewSlivers(boxes ?? [], view, { width, height }),
  ];
  const ignored = ignore && file ? ignoredPixels(await raster(file), { ...square, path: file }) : undefined;
  return {
    ...(mask === undefined
      ? {}
      : { mask: mask === null ? null : toMask(await raster(mask), { ...square, values, path: mask }) }),
    ...(map === undefined ? {} : { map: toMap(await raster(map), { ...square, path: map }) }),
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
  image: OpenImage,
  readFile: (path: string) => Promise<Raster>,
): (path: string) => Promise<Raster> {
  const read = new Map<string, Raster>();
  return async (path) => {
    const known = read.get(path);
    if (known) return known;
    const file = locate(dataset, path);
    const raster = await readFile(file);
    checkRasterSize(raster, image, file);
    read.set(path, raster);
    return raster;
  };
}

function causesOf({ target }: SampleRecord, { manifest }: Pick<Dataset, "manifest">): readonly string[] | undefined {
  const labels = classLabels(target) ?? [];
  const known = labels.flatMap((label) => ownValue(manifest.causes, label) ?? []);
  return known.length > 0 ? [...new Set(known)] : undefined;
}

const NOTHING = new Uint8Array();

async function render(image: OpenImage, { size, view }: { size: number; view: View }): Promise<Uint8Array> {
  const { crop, jitter, ...symmetry } = view;
  const isCut = crop.width !== image.width || crop.height !== image.height;
  const pixels = await image.render({ size, ...symmetry, ...(isCut ? { crop } : {}) });
  if (jitter) jitterColours(pixels, jitter);
  return pixels;
}

/** @throws ImageError if its pixels cannot be kept unchanged, or are more than when training began. */
async function picture(
  image: OpenImage,
  { size, side, view, path }: { size: number; side: number; view: View; path: string },
): Promise<Picture> {
  const kept = Math.max(image.width, image.height) <= side ? await image.keepDecoded({ size }) : null;
  if (!kept)
    throw new ImageError(`${path}: is not the same image as when training began.`, {
      cure: "Put it back, or train again.",
    });
  const { pixels, width, height } = kept;
  return { pixels, width, height, view };
}
