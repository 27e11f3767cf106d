/** What a JSON file of LabelMe marks in its image. */

import { DatasetError } from "../../core/errors.js";
import { isRecord } from "../../core/json-values.js";
import { shown } from "../../core/message-text.js";
import type { AnnotatedObject, ImageAnnotations, Point, Shape } from "./annotated-set.js";
import { isCoordinate } from "./coordinate.js";
import { nonZeroRuns } from "./mask-runs.js";

/** One of `shapes`, read. */
interface Mark {
  readonly label: string;
  readonly shape: Shape;
  /** Parts of one object have the same. */
  readonly group?: string;
  readonly attributes?: Readonly<Record<string, string>>;
}

/** @param value of the whole file. @throws DatasetError, ImageError in one line that names file and shape. */
export async function labelMeObjects(value: unknown, file: string): Promise<ImageAnnotations> {
  const { shapes, flags, imageWidth, imageHeight } = checkLabelMe(value, file);
  const marks: Mark[] = [];
  const left: string[] = [];
  for (const [index, shape] of shapes.entries()) {
    const found = await readShape(shape, `${file}: shape ${index + 1}`);
    if (typeof found === "string") left.push(found);
    else marks.push(found);
  }
  const flagged = (wanted: boolean) =>
    isRecord(flags) ? Object.keys(flags).filter((name) => flags[name] === wanted) : [];
  const [tags, absent] = [flagged(true), flagged(false)];
  // Old files do not tell it.
  const isTold = ![imageWidth, imageHeight].every((side) => side === undefined || side === null);
  if (isTold && ![imageWidth, imageHeight].every(isSide))
    throw fault(`${file}:`, `has the size ${shown(imageWidth)} x ${shown(imageHeight)}, no pixels`);
  return {
    ...(isTold && { width: Number(imageWidth), height: Number(imageHeight) }),
    objects: [...joined(marks), ...tags.map((category) => ({ category, shape: { kind: "image" as const } }))],
    ...(absent.length > 0 && { absent }),
    left,
  };
}

/** @throws DatasetError where it is no file of LabelMe. */
export function checkLabelMe(value: unknown, file: string): Record<string, unknown> & { shapes: unknown[] } {
  if (isRecord(value) && Array.isArray(value.shapes)) return { ...value, shapes: value.shapes };
  throw new DatasetError(`${file}: has no list "shapes", as LabelMe writes it.`, {
    cure: "Correct it, or take it out of the folder.",
    file,
  });
}

/** Polygons and rectangles of one label and group are parts of one object. */
function joined(marks: readonly Mark[]): AnnotatedObject[] {
  const parts = new Map<string, Mark[]>();
  const objects: AnnotatedObject[] = [];
  for (const mark of marks) {
    const { label, group, shape, attributes } = mark;
    if (group === undefined || (shape.kind !== "polygons" && shape.kind !== "box")) {
      objects.push({ category: label, shape, ...(attributes && { attributes }) });
      continue;
    }
    const key = JSON.stringify([label, group]);
    parts.set(key, [...(parts.get(key) ?? []), mark]);
  }
  for (const [first, ...more] of parts.values()) {
    const outlines = [first, ...more].flatMap(({ shape }) => outlinesOf(shape));
    const shape: Shape = more.length === 0 ? first.shape : { kind: "polygons", parts: outlines };
    objects.push({ category: first.label, shape, ...(first.attributes && { attributes: first.attributes }) });
  }
  return objects;
}

function outlinesOf(shape: Shape): readonly (readonly Point[])[] {
  if (shape.kind === "polygons") return shape.parts;
  if (shape.kind !== "box") return [];
  const { x, y, width, height } = shape;
  return [
    [
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ],
  ];
}

/** @returns the mark, or what is left and why. */
async function readShape(value: unknown, where: string): Promise<Mark | string> {
  if (!isRecord(value)) throw fault(where, `is ${shown(value)}, no object`);
  const { label, group_id: group, flags, shape_type: type = "polygon" } = value;
  if ((typeof label !== "string" && typeof label !== "number") || String(label).trim() === "")
    throw fault(where, `has the label ${shown(label)}`);
  const shape = await shapeOf(value, { type, where });
  if (typeof shape === "string") return shape;
  const attributes = isRecord(flags) ? Object.entries(flags).map(([name, flag]) => [name, String(flag)]) : [];
  return {
    label: String(label),
    shape,
    ...(group === null || group === undefined ? {} : { group: String(group) }),
    ...(attributes.length === 0 ? {} : { attributes: Object.fromEntries(attributes) }),
  };
}

async function shapeOf(
  { points, mask }: Record<string, unknown>,
  { type, where }: { type: unknown; where: string },
): Promise<Shape | string> {
  const corners = (count: number): Point[] => {
    const found = pointsOf(points, where);
    if (found.length === count) return found;
    throw fault(where, `is a ${type} of ${found.length} points, not ${count}`);
  };
  switch (type) {
    case "polygon": {
      const found = pointsOf(points, where);
      if (found.length < 3) throw fault(where, `is a polygon of ${found.length} points`);
      return { kind: "polygons", parts: [found] };
    }
    case "rectangle": {
      const [[x1, y1], [x2, y2]] = corners(2);
      const [width, height] = [Math.abs(x2 - x1), Math.abs(y2 - y1)];
      if (width === 0 || height === 0) return "rectangle: it has no area";
      return { kind: "box", x: Math.min(x1, x2), y: Math.min(y1, y2), width, height };
    }
    case "circle": {
      const [centre, rim] = corners(2);
      const radius = Math.hypot(rim[0] - centre[0], rim[1] - centre[1]);
      if (radius === 0) return "circle: it has no area";
      return { kind: "ellipse", centre, radii: [radius, radius], rotation: 0 };
    }
    case "mask": {
      const [[x1, y1], [x2, y2]] = corners(2).map(([x, y]) => [Math.round(x), Math.round(y)]);
      const size = { width: x2 - x1 + 1, height: y2 - y1 + 1 };
      if (typeof mask !== "string" || mask === "") throw fault(where, "is a mask without its pixels");
      const found = await nonZeroRuns(Buffer.from(mask, "base64"), where);
      if (found.width !== size.width || found.height !== size.height)
        throw fault(where, `has a mask of ${found.width} x ${found.height} in a box of ${size.width} x ${size.height}`);
      return { kind: "runs", left: x1, top: y1, ...size, along: "rows", runs: found.runs };
    }
    case "line":
    case "linestrip":
    case "point":
    case "points":
      return `${type}: it has no area`;
    default:
      return `${shown(type)}: shapes of this type are not read`;
  }
}

function pointsOf(points: unknown, where: string): Point[] {
  if (!Array.isArray(points)) throw fault(where, "has no list of points");
  return points.map((point: unknown): Point => {
    if (Array.isArray(point) && point.length === 2 && point.every(isCoordinate)) return [point[0], point[1]];
    throw fault(where, `has the point ${shown(point)}, no [x, y]`);
  });
}

function isSide(value: unknown): boolean {
  return isCoordinate(value) && Number.isInteger(value) && value > 0;
}

function fault(where: string, what: string): DatasetError {
  return new DatasetError(`${where} ${what}.`, { cure: "Correct it in LabelMe." });
}
