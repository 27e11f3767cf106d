/**
 * Checks the files of one sample: they exist, can be decoded, have matching sizes, and contain what the record says.
 */

import { access } from "node:fs/promises";
import { DatasetError } from "../core/errors.js";
import { checkMask } from "./check-mask.js";
import type { Remark } from "./collect-remarks.js";
import type { Manifest } from "./manifest.js";
import { checkRasterSize, toMap, toWholeMask } from "./mask.js";
import { openImage } from "./open-image.js";
import { locate } from "./paths.js";
import { readRaster } from "./raster.js";
import type { AspectRecord, SampleRecord } from "./record.js";
import { GLANCE, type SeenSample } from "./survey/seen-sample.js";
import type { SizeCheck } from "./too-small.js";

export interface FileCheck {
  readonly directory: string;
  readonly manifest: Manifest;
  /** Decode each file; false: only check that it exists. */
  readonly decode: boolean;
  /** Counts objects that are too small for an input size. */
  readonly sizes?: SizeCheck;
  /** Side of `masks`. */
  readonly inputSize: number;
  readonly fail: (error: unknown) => void;
  readonly remark: (kind: string, remark: Omit<Remark, "line">) => void;
}

/** What was seen of a sample. */
export interface CheckedFiles extends Pick<SeenSample, "image" | "masks"> {
  /** Masks without a pixel of their aspect are `null`, or absent where it may be in void pixels. */
  readonly record: SampleRecord;
}

/**
 * Checks each file of a sample once; an error in one file does not hide those in others.
 */
export async function checkFiles(record: SampleRecord, check: FileCheck): Promise<CheckedFiles> {
  const { decode, sizes, fail, remark } = check;
  const uses = Object.entries(record.aspects).flatMap(([name, aspect]) => rasterUses(name, aspect));
  for (const [name, { mask, boxes }] of Object.entries(record.aspects))
    if (boxes && typeof mask !== "string") sizes?.addBoxes(name, boxes);
  if (!decode) {
    for (const path of new Set([record.image, ...uses.map((use) => use.path)])) {
      try {
        const file = locate(check, path);
        await access(file).catch((cause) => {
          throw new DatasetError(`${record.where}: ${file}: no such file.`, { cure: "Check the path.", cause });
        });
      } catch (error) {
        fail(error);
      }
    }
    return { record, masks: new Map() };
  }
  let image: SeenSample["image"];
  try {
    const opened = await openImage(locate(check, record.image));
    const pixels = await opened.render({ size: GLANCE });
    image = { width: opened.width, height: opened.height, pixels };
    const odd = opened.remark();
    if (odd) remark("dark", { severity: "warning", aspects: [], message: `${locate(check, record.image)}: ${odd}` });
  } catch (error) {
    fail(error);
  }
  const empty = new Map<string, null | undefined>();
  const masks = new Map<string, Float32Array>();
  for (const path of new Set(uses.map((use) => use.path))) {
    try {
      const own = uses.filter((candidate) => candidate.path === path);
      for (const [name, mask] of await checkRaster(own, { ...check, path, image, masks })) empty.set(name, mask);
    } catch (error) {
      fail(error);
    }
  }
  const seen = ([name, aspect]: [string, AspectRecord]) => [
    name,
    empty.has(name) ? { ...aspect, mask: empty.get(name) } : aspect,
  ];
  const aspects = Object.fromEntries(Object.entries(record.aspects).map(seen));
  return { record: { ...record, aspects }, image, masks };
}

/** @returns the aspects of which the mask has no pixel, with what it then counts as. */
async function checkRaster(
  uses: readonly RasterUse[],
  {
    path,
    image,
    masks,
    sizes,
    inputSize,
    remark,
    ...dataset
  }: FileCheck & { path: string; image?: SeenSample["image"]; masks: Map<string, Float32Array> },
): Promise<[name: string, mask: null | undefined][]> {
  const file = locate(dataset, path);
  const raster = await readRaster(file);
  if (image) checkRasterSize(raster, image, file);
  const crop = { left: 0, top: 0, width: raster.width, height: raster.height };
  const kindOf = (aspect: string) => dataset.manifest.aspects.find(({ name }) => name === aspect)?.kind;
  const empty: [string, null | undefined][] = [];
  for (const { name, use, values, ignore } of uses) {
    if (use === "map") {
      toMap(raster, { size: 8, crop, flip: false, ignore, path: file });
      continue;
    }
    const { isEmpty, isKnown, hasVoid, findings } = checkMask(raster, { use: { name, values, ignore }, path: file });
    const isUnknown = !isKnown || (hasVoid && kindOf(name) === "presence");
    if (isEmpty) empty.push([name, isUnknown ? undefined : null]);
    for (const { kind, ...rest } of findings) remark(kind, { ...rest, aspects: [name] });
    const mask = toWholeMask(raster, { size: inputSize, values, ignore, path: file });
    masks.set(name, mask);
    sizes?.addMask(name, mask);
  }
  const unpicked = uses.filter(({ use, values }) => use === "mask" && !values).map(({ name }) => name);
  if (unpicked.length > 1) {
    const message =
      `${file}: is the mask of ${unpicked.map((name) => `"${name}"`).join(" and ")} ` +
      `without "values", so all have the same pixels. Name the values of each.`;
    remark("shared", { severity: "warning", aspects: unpicked, message });
  }
  return empty;
}

interface RasterUse {
  /** The aspect. */
  readonly name: string;
  readonly path: string;
  readonly use: "mask" | "map";
  readonly values?: readonly number[];
  readonly ignore?: readonly number[];
}

function rasterUses(name: string, { mask, map, values, ignore }: AspectRecord): RasterUse[] {
  return [
    ...(typeof mask === "string" ? [{ name, path: mask, use: "mask" as const, values, ignore }] : []),
    ...(map === undefined ? [] : [{ name, path: map, use: "map" as const, ignore }]),
  ];
}
