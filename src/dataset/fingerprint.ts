/**
 * What of a dataset decides how it is trained, as nnU-Net's fingerprint does (Isensee et al. 2021): sizes of images and
 * of the things marked in them, and how often each is labelled and there.
 */

import type { AspectKind } from "../core/annotation.js";
import { classLabels } from "../core/annotation.js";
import { connectedComponents } from "../core/components.js";
import { ImageError } from "../core/errors.js";
import { evenly } from "../core/evenly.js";
import { ownValue } from "../core/own-value.js";
import { quantile } from "../core/quantile.js";
import { type Dataset, readRecord, records, splitSize } from "./dataset.js";
import { toMask } from "./mask.js";
import { openImage } from "./open-image.js";
import { type Orientation, orientationTest, THUMBNAIL } from "./orientation.js";
import { locate } from "./paths.js";
import { readRaster } from "./raster.js";
import { annotationState, type SampleRecord } from "./record.js";

/** At so many images sizes are measured, and of each aspect at so many that have it. */
const LOOKED_AT = 64;
/** Parts of a mask smaller than this share of its largest part are specks of a brush, not things. */
const LEAST_PART = 0.02;

/** Larger masks are measured at this side, pixels. */
const LARGEST_MASK = 1024;

/** 10 %, 50 % and 90 % quantiles. */
export interface Spread {
  readonly least: number;
  readonly median: number;
  readonly largest: number;
}

/** One head's labels in the training split. */
export interface HeadFingerprint {
  readonly kind: "classifier" | AspectKind;
  readonly labelled: number;
  /** Labelled as there; of the classifier, of its rarest class that occurs. */
  readonly positive: number;
  /** Square root of the share of the image that one thing covers, 0..1; absent where nothing says where things are. */
  readonly side?: Spread;
  /** Mean share of an image that the aspect covers where it is there. */
  readonly area?: number;
}

export interface DataFingerprint {
  /** Training images. */
  readonly count: number;
  /** Longer side of the images, pixels. */
  readonly imageSide: Spread;
  readonly orientation: Orientation;
  readonly heads: Readonly<Record<string, HeadFingerprint>>;
  /** What is wrong with images that were looked at: such as 12 bits in files of 16. */
  readonly remark?: string;
}

/** By what an image can show (an aspect, `class:<name>`): the training images that show it, by index. */
export type Shown = ReadonlyMap<string, readonly number[]>;

/**
 * One pass over the training records; sizes from some images and masks, spread evenly.
 *
 * @throws DatasetError where a record cannot be read.
 */
export async function takeFingerprint(dataset: Dataset): Promise<{ fingerprint: DataFingerprint; shown: Shown }> {
  const shown = await listShown(dataset);
  const count = splitSize(dataset, "train");
  const sides: number[] = [];
  const odd: string[] = [];
  const turned = orientationTest();
  for (const index of evenly(count, LOOKED_AT)) {
    const { image, aspects } = await readRecord(dataset, "train", index);
    const opened = await readable(openImage(locate(dataset, image)));
    const thumbnail = opened && (await readable(opened.render({ size: THUMBNAIL })));
    if (!thumbnail) continue;
    sides.push(Math.max(opened.width, opened.height));
    const remark = opened.remark();
    if (remark) odd.push(`${image}: ${remark}`);
    turned.addImage(thumbnail);
    turned.addBoxes(Object.values(aspects).flatMap(({ boxes = [] }) => boxes));
  }
  const heads: Record<string, HeadFingerprint> = {};
  for (const [name, { kind, states }] of Object.entries(dataset.summary.heads)) {
    const { labelled, empty } = states.train;
    const positive = kind === "classifier" ? rarestClass(dataset) : labelled;
    const things = kind === "classifier" ? [] : await thingsOf(dataset, name, some(shown.get(name) ?? []));
    heads[name] = {
      ...{ kind, labelled: labelled + empty, positive },
      ...(things.length === 0 ? {} : { side: spread(things.flat().map(Math.sqrt)), area: meanArea(things) }),
    };
  }
  const remark = odd.length > 0 && { remark: `${odd.length} of ${sides.length} images that were looked at: ${odd[0]}` };
  return { fingerprint: { count, imageSide: spread(sides), orientation: turned.result(), heads, ...remark }, shown };
}

async function listShown(dataset: Dataset): Promise<Shown> {
  const shown = new Map<string, number[]>();
  const add = (key: string, index: number) => {
    const list = shown.get(key);
    if (list) list.push(index);
    else shown.set(key, [index]);
  };
  let index = 0;
  for await (const record of records(dataset, { split: "train" })) {
    for (const name of classLabels(record.target) ?? []) add(`class:${name}`, index);
    for (const { name, kind } of dataset.manifest.aspects)
      if (annotationState(ownValue(record.aspects, name), kind) === "labelled") add(name, index);
    index++;
  }
  return shown;
}

function rarestClass({ summary }: Dataset): number {
  const counts = Object.values(summary.classes)
    .map(({ train }) => train)
    .filter((count) => count > 0);
  return counts.length === 0 ? 0 : Math.min(...counts);
}

/** Of each image, the share of it that each thing covers. */
async function thingsOf(dataset: Dataset, name: string, indices: readonly number[]): Promise<number[][]> {
  const things: number[][] = [];
  for (const index of indices) {
    const found = await thingsIn(dataset, await readRecord(dataset, "train", index), name);
    if (found.length > 0) things.push(found);
  }
  return things;
}

async function thingsIn(dataset: Dataset, { aspects }: SampleRecord, name: string): Promise<number[]> {
  const { boxes, mask, values } = ownValue(aspects, name) ?? {};
  if (boxes) return boxes.map(([yMin, xMin, yMax, xMax]) => (yMax - yMin) * (xMax - xMin));
  if (typeof mask !== "string") return [];
  const path = locate(dataset, mask);
  const raster = await readable(readRaster(path));
  if (!raster) return [];
  const { width, height } = raster;
  const size = Math.min(LARGEST_MASK, Math.max(width, height));
  const shares = toMask(raster, { size, crop: { left: 0, top: 0, width, height }, flip: false, values, path });
  const inside = Uint8Array.from(shares, (share) => (share > 0 ? 1 : 0));
  const areaOf = (pixels: Uint32Array) => pixels.reduce((sum, pixel) => sum + shares[pixel], 0);
  const parts = connectedComponents(inside, { width: size }).map(areaOf);
  const largest = parts.reduce((most, part) => Math.max(most, part), 0);
  return parts.filter((part) => part >= LEAST_PART * largest).map((part) => part / inside.length);
}

/** `undefined` where a file cannot be read, which training reports with its line. */
async function readable<Value>(work: Promise<Value>): Promise<Value | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

function meanArea(things: readonly (readonly number[])[]): number {
  const areas = things.map((image) => image.reduce((sum, area) => sum + area, 0));
  return areas.reduce((sum, area) => sum + area, 0) / areas.length;
}

function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { least: 0, median: 0, largest: 0 };
  const [least, median, largest] = [0.1, 0.5, 0.9].map((share) => quantile(values, share));
  return { least, median, largest };
}

/** At most `LOOKED_AT`, spread evenly. */
function some(indices: readonly number[]): readonly number[] {
  return evenly(indices.length, LOOKED_AT).map((place) => indices[place]);
}
