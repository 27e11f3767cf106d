/** What an element of CVAT's XML 1.1 marks in an image: `<box>`, `<polygon>`, `<ellipse>`, `<mask>` and `<tag>`. */

import { DatasetError } from "../../core/errors.js";
import { LIMITS } from "../../core/limits.js";
import type { AnnotatedObject, Point, Shape } from "./annotated-set.js";
import { toCoordinate } from "./coordinate.js";
import { turnedBox } from "./rotated-box.js";
import { childrenOf, type XmlElement } from "./xml.js";

/** Elements of an image or a track that mark something; others say something of it. */
export const CVAT_MARKS = [
  ...["box", "polygon", "ellipse", "mask", "tag"],
  ...["polyline", "points", "cuboid", "skeleton"],
] as const;

/** @param file for messages. @returns the object, or what is left and why. @throws DatasetError */
export function cvatMark(
  element: XmlElement,
  { file, label = element.attributes.label ?? "" }: { file: string; label?: string },
): { object: AnnotatedObject } | { left: string } {
  const found = cvatShape(element, `${file}:${element.line}: ${element.name}`);
  if (typeof found === "string") return { left: `${element.name}: ${found}` };
  if (label === "") return { left: `${element.name}: it has no label` };
  const attributes: Record<string, string> = {};
  if (element.attributes.occluded === "1") attributes.occluded = "true";
  if (Number(element.attributes.z_order ?? 0) !== 0) attributes.z_order = element.attributes.z_order;
  for (const attribute of childrenOf(element, "attribute")) {
    const { name } = attribute.attributes;
    if (name !== undefined) attributes[name] = attribute.text;
  }
  return {
    object: { category: label, shape: found, ...(Object.keys(attributes).length > 0 ? { attributes } : {}) },
  };
}

/** @returns the shape, or why there is none. */
function cvatShape(element: XmlElement, where: string): Shape | string {
  const at = (name: string, fallback?: number) => numberOf(element, name, { where, fallback });
  switch (element.name) {
    case "tag":
      return { kind: "image" };
    case "box": {
      const [x, y, right, bottom] = [at("xtl"), at("ytl"), at("xbr"), at("ybr")];
      const [width, height] = [right - x, bottom - y];
      if (width < 0 || height < 0)
        throw fault(where, `its right lower corner (${right}, ${bottom}) lies before its left upper (${x}, ${y})`);
      if (width === 0 || height === 0) return "it has no area";
      const about: Point = [x + width / 2, y + height / 2];
      return turnedBox({ x, y, width, height }, { rotation: at("rotation", 0), about });
    }
    case "polygon":
      return { kind: "polygons", parts: [pointsOf(element, where)] };
    case "ellipse": {
      const radii = [at("rx"), at("ry")] as const;
      if (radii.some((radius) => radius < 0)) throw fault(where, `its radii are ${radii.join(" and ")}`);
      if (radii.includes(0)) return "it has no area";
      return { kind: "ellipse", centre: [at("cx"), at("cy")], radii, rotation: at("rotation", 0) };
    }
    case "mask": {
      const [left, top, width, height] = [at("left"), at("top"), at("width"), at("height")];
      if (![left, top, width, height].every(Number.isInteger) || width < 0 || height < 0)
        throw fault(where, `its place is ${left}, ${top} and its size ${width} x ${height}, no whole pixels`);
      if (width * height > LIMITS.imagePixels)
        throw fault(where, `its size is ${width} x ${height}, more than an image may have`);
      if (width * height === 0) return "it has no area";
      const runs = runsOf(element, { where, count: width * height });
      return { kind: "runs", left, top, width, height, along: "rows", runs };
    }
    case "cuboid":
      return "a box in space has no outline in the image";
    default:
      return "lines and points have no area";
  }
}

/** @throws DatasetError */
export function pointsOf(element: XmlElement, where: string): Point[] {
  const text = element.attributes.points ?? "";
  const points = text.split(";").map((pair): Point => {
    const [x, y, ...more] = pair.split(",").map(toCoordinate);
    if (!Number.isFinite(x) || !Number.isFinite(y) || more.length > 0)
      throw fault(where, `its points hold "${pair}", which is no x,y`);
    return [x, y];
  });
  if (points.length < 3) throw fault(where, `it has ${points.length} points, a polygon has 3 or more`);
  return points;
}

function runsOf(element: XmlElement, { where, count }: { where: string; count: number }): Uint32Array {
  const parts = (element.attributes.rle ?? "").split(",").map((part) => part.trim());
  let sum = 0;
  const runs = parts.map((part) => {
    if (!/^\d{1,9}$/.test(part)) throw fault(where, `its rle holds "${part}", which is no length of a run`);
    sum += Number(part);
    return Number(part);
  });
  if (sum !== count) throw fault(where, `its rle covers ${sum} pixels, its width and height give ${count}`);
  return Uint32Array.from(runs);
}

/** @throws DatasetError where the attribute is absent and has no fallback, or is no number. */
export function numberOf(
  { attributes }: XmlElement,
  name: string,
  { where, fallback }: { where: string; fallback?: number },
): number {
  const text = attributes[name];
  if (text === undefined && fallback !== undefined) return fallback;
  if (text === undefined) throw fault(where, `it has no ${name}`);
  const number = toCoordinate(text);
  if (!Number.isFinite(number)) throw fault(where, `its ${name} is "${text}", which is no number`);
  return number;
}

function fault(where: string, what: string): DatasetError {
  return new DatasetError(`${where}: ${what}.`, { cure: "Correct the file, or export it again." });
}
