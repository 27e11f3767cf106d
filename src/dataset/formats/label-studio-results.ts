/** What the results of a Label Studio annotation mark: regions in percent of the image, and choices. */

import { DatasetError } from "../../core/errors.js";
import { isCount, isNumber, isRecord, isStrings } from "../../core/json-values.js";
import { LIMITS } from "../../core/limits.js";
import { shown } from "../../core/message-text.js";
import type { AnnotatedObject, ImageAnnotations, Point, Shape } from "./annotated-set.js";
import { decodeBrush } from "./brush-rle.js";
import { isCoordinate } from "./coordinate.js";
import { ABSENT_CONTROL } from "./export-label-studio.js";
import { turnedBox } from "./rotated-box.js";

/** Types of results that mark a region, without "labels" at their end. */
const REGIONS = ["rectangle", "polygon", "brush", "ellipse"];
const REASONS: Readonly<Record<string, string>> = {
  keypoint: "a point has no area",
  vector: "a line has no area",
  relation: "how regions belong together is not read",
  textarea: "texts are not read",
  taxonomy: "trees of choices are not read",
};

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * @param results the `result` of an annotation.
 * @param options.where file, task and annotation, for messages.
 * @param options.fileSize of the image's file, for results that do not tell it; nothing where it is absent, which whoever opens it says.
 * @throws DatasetError in one line that names the place.
 */
export async function labelStudioObjects(
  results: readonly unknown[],
  { where, fileSize }: { where: string; fileSize: () => Promise<Size | undefined> },
): Promise<ImageAnnotations> {
  const known = results.map((result, index) => {
    if (isRecord(result)) return result;
    throw fault(`${where}, result ${index + 1}`, `is ${shown(result)}, no object`);
  });
  const size = originalSize(known, where) ?? (await fileSize());
  if (!size) return { objects: [] };
  const regions = new Set(known.filter(isRegion).map(({ id }) => id));
  const labelled = new Set(known.filter((result) => labelsOf(result).length > 0).map(({ id }) => id));
  const objects: AnnotatedObject[] = [];
  const absent: string[] = [];
  const left: string[] = [];
  for (const [index, result] of known.entries()) {
    const { id, type } = result;
    const place = `${where}, result ${typeof id === "string" ? `"${id}"` : index + 1}`;
    if (Number(result.item_index ?? 0) > 0) left.push("result: tasks of several images are read for their first alone");
    else if (type === "choices") {
      // Choices of a region carry its id.
      if (regions.has(id)) continue;
      if (result.from_name === ABSENT_CONTROL) absent.push(...choicesOf(result, place));
      else for (const category of choicesOf(result, place)) objects.push({ category, shape: { kind: "image" } });
    } else if (isRegion(result)) {
      refuseTurned(result, place);
      const shape = shapeOf(result, { size, place });
      const labels = labelsOf(result);
      const written = isRecord(result.value) ? result.value[String(type)] : undefined;
      if (written !== undefined && !isStrings(written) && String(type).endsWith("labels"))
        throw fault(place, `has the labels ${shown(written)}, no list of texts`);
      if (typeof shape === "string") left.push(`${type}: ${shape}`);
      // The label of a bare region may stand in another result of the same id.
      else if (labels.length === 0 && (id === undefined || !labelled.has(id))) left.push(`${type}: it has no label`);
      const attributes = attributesOf(id, known);
      if (typeof shape !== "string")
        for (const category of labels) objects.push({ category, shape, ...(attributes && { attributes }) });
    } else {
      const kind = String(type).replace(/labels$/, "");
      left.push(`${type}: ${Object.hasOwn(REASONS, kind) ? REASONS[kind] : "it marks no place in an image"}`);
    }
  }
  return { ...size, objects, left, ...(absent.length > 0 && { absent }) };
}

type Result = Record<string, unknown>;

/** Nothing documents whether the places of such a region refer to the image as it was turned, or as it is. */
function refuseTurned({ image_rotation: turned = 0 }: Result, place: string): void {
  if (Number(turned ?? 0) % 360 === 0) return;
  throw new DatasetError(`${place} was drawn on the image turned by ${shown(turned)} degrees ("image_rotation").`, {
    cure: "Turn the image back in Label Studio and draw the region there, or remove the region.",
  });
}

/** `labels` is the type where regions and labels are chosen apart. */
function isRegion({ type, value }: Result): boolean {
  if (typeof type !== "string") return false;
  if (type === "labels") return isRecord(value) && (isNumber(value.x) || "points" in value || "rle" in value);
  return REGIONS.includes(type.replace(/labels$/, ""));
}

function labelsOf({ type, value }: Result): readonly string[] {
  const labels = isRecord(value) && typeof type === "string" && type.endsWith("labels") ? value[type] : undefined;
  return isStrings(labels) ? labels.filter((label) => label.trim() !== "") : [];
}

function choicesOf({ value }: Result, place: string): readonly string[] {
  if (isRecord(value) && isStrings(value.choices)) return value.choices.filter((choice) => choice.trim() !== "");
  throw fault(place, `has the choices ${shown(isRecord(value) ? value.choices : value)}, no list of texts`);
}

/** Choices made for one region, by the name of the control. */
function attributesOf(id: unknown, results: readonly Result[]): Record<string, string> | undefined {
  const own = results.filter((result) => result.type === "choices" && result.id === id && id !== undefined);
  if (own.length === 0) return undefined;
  return Object.fromEntries(own.map((result) => [String(result.from_name), choicesOf(result, "").join(", ")]));
}

/** Old exports do not tell it. */
function originalSize(results: readonly Result[], where: string): Size | undefined {
  const told = results.find((result) => result.original_width !== undefined && result.original_height !== undefined);
  if (told === undefined) return undefined;
  const { original_width: width, original_height: height } = told;
  const other = results.find(
    ({ original_width, original_height, item_index = 0 }) =>
      Number(item_index) === 0 && ((original_width ?? width) !== width || (original_height ?? height) !== height),
  );
  if (other)
    throw fault(
      where,
      `says that the image has ${shown(width)} x ${shown(height)} pixels, ` +
        `and ${shown(other.original_width)} x ${shown(other.original_height)} elsewhere`,
    );
  if (isCount(width) && isCount(height) && width > 0 && height > 0 && width * height <= LIMITS.imagePixels)
    return { width, height };
  throw fault(where, `says that the image has ${shown(width)} x ${shown(height)} pixels`);
}

/** @returns the shape in pixels, or why there is none. */
function shapeOf({ value }: Result, { size, place }: { size: Size; place: string }): Shape | string {
  if (!isRecord(value)) throw fault(place, "has no value");
  const { width, height } = size;
  const percent = (name: string, whole: number, fallback?: number): number => {
    const number = value[name] ?? fallback;
    if (isCoordinate(number)) return (number / 100) * whole;
    throw fault(place, `has the ${name} ${shown(number)}, no number`);
  };
  const rotation = percent("rotation", 100, 0);
  if (value.points !== undefined) {
    if (value.closed === false) return "it is not closed, and a line has no area";
    return { kind: "polygons", parts: [pointsOf(value.points, { size, place })] };
  }
  if (value.rle !== undefined) {
    const { rle } = value;
    if (!Array.isArray(rle) || !rle.every((byte) => isCount(byte) && byte < 256))
      throw fault(place, "has an rle that is no list of bytes");
    const runs = decodeBrush(Uint8Array.from(rle), size);
    if (typeof runs === "string") throw fault(place, `has an rle that ${runs}`);
    return { kind: "runs", left: 0, top: 0, width, height, along: "rows", runs };
  }
  const [x, y] = [percent("x", width), percent("y", height)];
  if (value.radiusX !== undefined) {
    const radii = [percent("radiusX", width), percent("radiusY", height)] as const;
    if (radii.some((radius) => radius <= 0)) return "it has no area";
    return { kind: "ellipse", centre: [x, y], radii, rotation };
  }
  const box = { x, y, width: percent("width", width), height: percent("height", height) };
  if (box.width < 0 || box.height < 0) throw fault(place, `has the size ${value.width} x ${value.height}`);
  if (box.width === 0 || box.height === 0) return "it has no area";
  return turnedBox(box, { rotation, about: [x, y] });
}

function pointsOf(points: unknown, { size, place }: { size: Size; place: string }): Point[] {
  if (!Array.isArray(points) || points.length < 3) throw fault(place, "has no list of 3 points or more");
  return points.map((point: unknown): Point => {
    if (Array.isArray(point) && point.length === 2 && point.every(isCoordinate))
      return [(point[0] / 100) * size.width, (point[1] / 100) * size.height];
    throw fault(place, `has the point ${shown(point)}, no [x, y]`);
  });
}

function fault(where: string, what: string): DatasetError {
  return new DatasetError(`${where} ${what}.`, { cure: "Correct it, or export it again." });
}
