/** One COCO file: its images and categories, and where its annotations stand, which are read when they are needed. */

import { DatasetError } from "../../core/errors.js";
import { parseJson } from "../../core/json.js";
import { isRecord } from "../../core/json-values.js";
import { shown } from "../../core/message-text.js";
import type { AnnotatedObject } from "./annotated-set.js";
import { type CocoPlace, cocoObject, refuse } from "./coco-object.js";
import { type JsonElement, jsonElements, readElement } from "./json-lists.js";

export interface CocoImage {
  /** As the file names it. */
  readonly name: string;
  readonly width?: number;
  readonly height?: number;
  /** Where it stands, for messages. */
  readonly where: string;
  readonly annotationCount: number;
  /** Categories that are not in it (`neg_category_ids`, as LVIS has them). */
  readonly absent: readonly string[];
  /** Our own: `{ "patient": "p7" }`. */
  readonly groups?: Readonly<Record<string, string>>;
  /** Annotations of it; what they are told apart by in other files is the key. */
  objects(left: string[]): { readonly key: string; readonly object: AnnotatedObject }[];
}

export interface CocoFile {
  readonly file: string;
  /** Names. */
  readonly categories: readonly string[];
  readonly images: readonly CocoImage[];
  readonly licences: readonly string[];
  readonly annotationCount: number;
}

/** Growing columns: an object for each of a million annotations would take a hundred bytes. */
interface Places {
  readonly imageIds: number[];
  readonly offsets: number[];
  readonly lengths: number[];
  readonly lines: number[];
}

const LISTS = ["images", "annotations", "categories"];

/** @throws DatasetError with file and line. */
export function readCocoFile(file: string): CocoFile {
  const categories = new Map<number, string>();
  const licences = new Set<string>();
  const found: (ImageEntry & { where: string; place: CocoPlace })[] = [];
  const places: Places = { imageIds: [], offsets: [], lengths: [], lines: [] };
  const ids = new Map<unknown, number>();
  const late: { at: number; id: unknown }[] = [];
  let hasImages = false;
  for (const element of jsonElements(file)) {
    if (element.key === "images") hasImages = true;
    const place = placeOf(file, element);
    if (element.index === undefined) {
      if (LISTS.includes(element.key)) throw refuse(place, "is no list", "Export it again.");
      continue;
    }
    if (element.key === "categories") {
      const [id, name] = toCategory(entryOf(element, place), place);
      const other = categories.get(id);
      if (other !== undefined && other !== name)
        throw refuse(place, `the category id ${id} is ${shown(other)} too`, "Give each its own.");
      categories.set(id, name);
    } else if (element.key === "licenses") {
      const { name } = entryOf(element, place);
      if (typeof name === "string" && name.trim() !== "") licences.add(name);
    } else if (element.key === "images") {
      const image = toImage(entryOf(element, place), place);
      if (ids.has(image.id))
        throw refuse(place, `the image id ${shown(image.id)} is there twice`, "Give each its own.");
      ids.set(image.id, found.length);
      found.push({ ...image, where: place.where, place });
    } else if (element.key === "annotations") {
      const { image_id: id } = entryOf(element, place);
      if (typeof id !== "number" && typeof id !== "string")
        throw refuse(place, `image_id is ${shown(id)}`, `Write the id of one of "images".`);
      places.imageIds.push(ids.get(id) ?? -1);
      if (!ids.has(id)) late.push({ at: places.imageIds.length - 1, id });
      places.offsets.push(element.offset);
      places.lengths.push(element.length);
      places.lines.push(element.line);
    }
  }
  if (!hasImages) throw new DatasetError(`${file}: has no "images".`, { cure: "Name a file of COCO.", file });
  // Annotations may stand before the images.
  for (const { at, id } of late) {
    const index = ids.get(id);
    const place = placeAt(file, places, at);
    if (index === undefined)
      throw refuse(place, `image_id is ${shown(id)}, which "images" does not list`, "Add the image, or remove this.");
    places.imageIds[at] = index;
  }
  const byImage = new Map<number, number[]>();
  for (const [at, index] of places.imageIds.entries()) {
    const own = byImage.get(index);
    if (own) own.push(at);
    else byImage.set(index, [at]);
  }
  const images = found.map(({ negative, place, ...image }, index): CocoImage => {
    const own = byImage.get(index) ?? [];
    return {
      ...image,
      absent: negative.map((id) => {
        const name = categories.get(id);
        if (name !== undefined) return name;
        throw refuse(place, `neg_category_ids holds ${shown(id)}, which "categories" does not list`, "Add it there.");
      }),
      annotationCount: own.length,
      objects: (left) =>
        own.flatMap((at) => {
          const place = placeAt(file, places, at);
          const bytes = readElement(file, { offset: places.offsets[at], length: places.lengths[at] });
          const annotation = entryOf({ bytes }, place);
          const object = cocoObject(annotation, { categories, image, place, left });
          const { category_id: id, bbox, segmentation } = annotation;
          return object ? [{ key: JSON.stringify([id, bbox, segmentation]), object }] : [];
        }),
    };
  });
  const counts = { annotationCount: places.offsets.length };
  return { file, categories: [...categories.values()], images, licences: [...licences], ...counts };
}

function placeOf(file: string, { key, index, line }: Pick<JsonElement, "key" | "index" | "line">): CocoPlace {
  return { where: `${file}:${line}: ${index === undefined ? `"${key}"` : `${key}[${index}]`}`, file, line };
}

function placeAt(file: string, places: Places, at: number): CocoPlace {
  return placeOf(file, { key: "annotations", index: at, line: places.lines[at] });
}

function entryOf({ bytes }: { bytes: Uint8Array }, place: CocoPlace): Record<string, unknown> {
  const value = parseJson(bytes, { where: place.where, error: DatasetError, cure: "Export it again." });
  if (isRecord(value)) return value;
  throw refuse(place, `is ${shown(value)}`, "Write an object.");
}

function toCategory({ id, name }: Record<string, unknown>, place: CocoPlace): [number, string] {
  if (typeof id !== "number") throw refuse(place, `id is ${shown(id)}`, "Write a number.");
  if (typeof name !== "string" || name.trim() === "") throw refuse(place, `name is ${shown(name)}`, "Write a text.");
  return [id, name];
}

interface ImageEntry {
  readonly id: number | string;
  readonly name: string;
  readonly width?: number;
  readonly height?: number;
  readonly groups?: Readonly<Record<string, string>>;
  readonly negative: readonly number[];
}

function toImage(image: Record<string, unknown>, place: CocoPlace): ImageEntry {
  const { id, file_name: name, width, height, neg_category_ids: negative = [], groups } = image;
  if (typeof id !== "number" && typeof id !== "string") throw refuse(place, `id is ${shown(id)}`, "Write a number.");
  if (typeof name !== "string" || name === "")
    throw refuse(place, `file_name is ${shown(name)}`, "Write the name of its file.");
  if (!Array.isArray(negative) || !negative.every((one) => typeof one === "number"))
    throw refuse(place, `neg_category_ids is ${shown(negative)}`, "List ids of categories.");
  const entry = { id, name, negative, ...(isTexts(groups) && { groups }) };
  const sides = [width, height];
  // Some tools leave them out, or write 0 where they do not know.
  if (sides.every((side) => side === undefined || side === null || side === 0)) return entry;
  if (!sides.every((side) => typeof side === "number" && Number.isInteger(side) && side > 0))
    throw refuse(place, `size is ${shown(width)} x ${shown(height)}`, "Write width and height in pixels.");
  return { ...entry, width: Number(width), height: Number(height) };
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === "string");
}
