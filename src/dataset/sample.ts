/** From a record to a sample: image, masks, maps and boxes decoded in one view, so that they stay on top of each other. */

import { join } from "node:path";
import type { Annotation, Sample } from "../core/annotation.js";
import { DatasetError, ImageError } from "../core/errors.js";
import type { Random } from "../core/random.js";
import { type Augment, applyLight, drawView, plainView, type View, viewBoxes } from "./augment.js";
import type { Dataset } from "./dataset.js";
import { type OpenImage, openImage } from "./image.js";
import type { AspectDeclaration } from "./manifest.js";
import { checkRasterSize, toMap, toMask } from "./mask.js";
import type { PixelCache } from "./pixel-cache.js";
import { type Raster, readRaster } from "./raster.js";
import type { AspectRecord, SampleRecord } from "./record.js";

export interface LoadOptions {
  /** Side of the square that the model sees, pixels. */
  readonly inputSize: number;
  /** Needs `random`. */
  readonly augment?: Augment;
  /** The sample's own stream of this epoch. */
  readonly random?: Random;
  /** Mirror left and right; without `augment` only. */
  readonly flip?: boolean;
  /** `kind`: only what the aspect's kind reads (a mask beside the boxes of a `boxes` aspect stays on disk). `all`: everything. */
  readonly annotations?: "kind" | "all";
  /** Pixels kept from one epoch to the next. */
  readonly cache?: PixelCache;
}

/**
 * Decodes one sample. A mask that a crop has emptied stays labelled, all zeros.
 *
 * @throws ImageError, DatasetError in one line that names the line of the samples file, the file, and the cure.
 */
export async function loadSample(
  dataset: Pick<Dataset, "directory" | "manifest">,
  record: SampleRecord,
  options: LoadOptions,
): Promise<Sample> {
  const { directory, manifest } = dataset;
  const { inputSize: size, augment, random, flip, annotations = "kind", cache } = options;
  try {
    const path = join(directory, record.image);
    const image = await (cache ? cache.image(path) : openImage(path));
    const view = augment && random ? drawView(image, augment, random) : plainView(image, { flip });
    const pixels = await image.render({ size, flip: view.flip, ...(isWhole(view, image) ? {} : { crop: view.crop }) });
    if (view.light) applyLight(pixels, view.light);
    const raster = rasterReader(directory, image, cache?.raster ?? readRaster);
    const aspects: Record<string, Annotation> = {};
    for (const { name, kind } of manifest.aspects) {
      const annotation = record.aspects[name];
      if (!annotation) continue;
      const wanted = annotations === "all" ? annotation : ofKind(annotation, kind);
      aspects[name] = await toAnnotation(wanted, { image, view, size, raster });
    }
    const causes = record.causes ?? causesOf(record, dataset);
    return { path: record.image, image: pixels, target: record.target, aspects, ...(causes ? { causes } : {}) };
  } catch (cause) {
    if (cause instanceof ImageError) throw new DatasetError(`${record.where}: ${cause.message}`, { cause });
    throw cause;
  }
}

/** What a head of this kind reads; presence falls back on boxes, then on the mask. */
function ofKind(
  { mask, values, boxes, present, amount, map }: AspectRecord,
  kind: AspectDeclaration["kind"],
): AspectRecord {
  if (kind === "segmentation") return { mask, values };
  if (kind === "boxes") return { boxes };
  if (kind === "amount") return { amount, map };
  if (present !== undefined) return { present };
  return boxes !== undefined ? { boxes } : { mask, values };
}

async function toAnnotation(
  { mask, values, boxes, present, amount, map }: AspectRecord,
  {
    image,
    view,
    size,
    raster,
  }: { image: OpenImage; view: View; size: number; raster: (path: string) => Promise<Raster> },
): Promise<Annotation> {
  const square = { size, crop: view.crop, flip: view.flip };
  return {
    ...(mask === undefined
      ? {}
      : { mask: mask === null ? null : toMask(await raster(mask), { ...square, values, path: mask }) }),
    ...(map === undefined ? {} : { map: toMap(await raster(map), { ...square, path: map }) }),
    ...(boxes === undefined ? {} : { boxes: viewBoxes(boxes, view, image) }),
    ...(present === undefined ? {} : { present }),
    ...(amount === undefined ? {} : { amount }),
  };
}

/** Several aspects often share one indexed mask: each file is decoded once a sample. */
function rasterReader(
  directory: string,
  image: OpenImage,
  readFile: (path: string) => Promise<Raster>,
): (path: string) => Promise<Raster> {
  const read = new Map<string, Raster>();
  return async (path) => {
    const known = read.get(path);
    if (known) return known;
    const raster = await readFile(join(directory, path));
    checkRasterSize(raster, image, join(directory, path));
    read.set(path, raster);
    return raster;
  };
}

function causesOf({ target }: SampleRecord, { manifest }: Pick<Dataset, "manifest">): readonly string[] | undefined {
  const labels = target.labels ?? (target.label === undefined ? [] : [target.label]);
  const known = labels.flatMap((label) => manifest.causes?.[label] ?? []);
  return known.length > 0 ? [...new Set(known)] : undefined;
}

function isWhole({ crop }: View, { width, height }: OpenImage): boolean {
  return crop.width === width && crop.height === height;
}
