/** One annotation of a COCO file as an object of ours. */

import { DatasetError } from "../../core/errors.js";
import { isRecord } from "../../core/json-values.js";
import { LIMITS } from "../../core/limits.js";
import { shown } from "../../core/message-text.js";
import type { AnnotatedObject, Point, Shape } from "./annotated-set.js";
import { unpackRuns } from "./coco-runs.js";
import { isCoordinate } from "./coordinate.js";

/** Where an annotation stands. */
export interface CocoPlace {
  /** Such as `instances.json:12: annotations[3]`. */
  readonly where: string;
  readonly file: string;
  readonly line: number;
}

const KEYPOINTS = "keypoints: points are no area and no box";

/**
 * @param categories names by id.
 * @param image its size, where the file tells it.
 * @returns nothing where it has no form that we carry; `left` then says so.
 * @throws DatasetError with file and line.
 */
export function cocoObject(
  annotation: Readonly<Record<string, unknown>>,
  {
    categories,
    image = {},
    place,
    left,
  }: {
    categories: ReadonlyMap<number, string>;
    image?: { readonly width?: number; readonly height?: number };
    place: CocoPlace;
    left: string[];
  },
): AnnotatedObject | undefined {
  const { bbox, segmentation, keypoints, caption, segments_info: segments, category_id: id } = annotation;
  if (segments !== undefined) {
    left.push("panoptic segments: things and background in one picture of numbers");
    return undefined;
  }
  const hasPlace = !isNone(bbox) || !isNone(segmentation);
  if (caption !== undefined && !hasPlace) {
    left.push("caption: a text about the whole image");
    return undefined;
  }
  if (keypoints !== undefined) left.push(KEYPOINTS);
  if (keypoints !== undefined && !hasPlace) return undefined;
  const category = typeof id === "number" ? categories.get(id) : undefined;
  if (category === undefined)
    throw refuse(place, `category_id is ${shown(id)}, which "categories" does not list`, "Add it there.");
  const area = isNone(segmentation) ? undefined : toArea(segmentation, { image, place, left });
  const shape = area ?? (isNone(bbox) ? undefined : toBox(bbox, place, left));
  if (!shape && hasPlace) return undefined;
  const isIgnored = isSet(annotation.iscrowd) || isSet(annotation.ignore);
  const attributes = isRecord(annotation.attributes) ? toTexts(annotation.attributes) : undefined;
  return {
    category,
    shape: shape ?? { kind: "image" },
    ...(isIgnored && { isIgnored }),
    ...(attributes && { attributes }),
  };
}

function isNone(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function isSet(value: unknown): boolean {
  return value === 1 || value === true;
}

function toBox(bbox: unknown, place: CocoPlace, left: string[]): Shape | undefined {
  if (!isNumbers(bbox) || bbox.length !== 4)
    throw refuse(place, `bbox is ${shown(bbox)}`, "Write [x, y, width, height] in pixels.");
  const [x, y, width, height] = bbox;
  if (width < 0 || height < 0)
    throw refuse(place, `bbox ${shown(bbox)} has a negative size`, "Write [x, y, width, height].");
  if (width > 0 && height > 0) return { kind: "box", x, y, width, height };
  left.push(`box without extent (${place.where})`);
  return undefined;
}

function toArea(
  segmentation: unknown,
  { image, place, left }: { image: { width?: number; height?: number }; place: CocoPlace; left: string[] },
): Shape | undefined {
  if (isRecord(segmentation)) return toRuns(segmentation, image, place);
  if (!Array.isArray(segmentation))
    throw refuse(place, `segmentation is ${shown(segmentation)}`, "Write polygons or runs.");
  const parts = segmentation.flatMap((part: unknown) => {
    if (!isNumbers(part) || part.length % 2 === 1)
      throw refuse(place, `segmentation holds ${shown(part)}`, "Write each polygon as [x, y, x, y, ...] in pixels.");
    const points = Array.from({ length: part.length / 2 }, (_, at): Point => [part[2 * at], part[2 * at + 1]]);
    if (points.length >= 3) return [points];
    left.push(`polygon of fewer than three points (${place.where})`);
    return [];
  });
  return parts.length > 0 ? { kind: "polygons", parts } : undefined;
}

function toRuns(
  { counts, size }: Record<string, unknown>,
  image: { readonly width?: number; readonly height?: number },
  place: CocoPlace,
): Shape {
  if (!isNumbers(size) || size.length !== 2 || !size.every((side) => Number.isInteger(side) && side > 0))
    throw refuse(place, `size of its runs is ${shown(size)}`, "Write [height, width].");
  const [height, width] = size;
  if (width * height > LIMITS.imagePixels)
    throw refuse(place, `size of its runs is ${shown(size)}, more than an image may have`, "Write [height, width].");
  if ((image.width ?? width) !== width || (image.height ?? height) !== height)
    throw refuse(
      place,
      `its runs are of ${height} x ${width} pixels, but the image has ${image.height} x ${image.width}`,
      "Write [height, width] of the image.",
    );
  const runs = typeof counts === "string" ? unpackRuns(counts) : counts;
  if (!isNumbers(runs) || !runs.every((length) => Number.isInteger(length) && length >= 0))
    throw refuse(
      place,
      `counts is ${shown(counts)}`,
      "Write lengths of runs, or the text that pycocotools makes of them.",
    );
  const sum = runs.reduce((total, length) => total + length, 0);
  if (sum !== width * height)
    throw refuse(
      place,
      `its runs are ${sum} pixels long, but ${height} x ${width} are ${width * height}`,
      "Export it again.",
    );
  return { kind: "runs", left: 0, top: 0, width, height, along: "columns", runs: Uint32Array.from(runs) };
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCoordinate);
}

function toTexts(attributes: Record<string, unknown>): Record<string, string> {
  const plain = Object.entries(attributes).filter(([, value]) =>
    ["string", "number", "boolean"].includes(typeof value),
  );
  return Object.fromEntries(plain.map(([name, value]) => [name, String(value)]));
}

export function refuse({ where, file, line }: CocoPlace, what: string, cure: string): DatasetError {
  return new DatasetError(`${where}: ${what}.`, { cure, file, line });
}
