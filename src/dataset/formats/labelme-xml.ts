/** What an XML file of the old LabelMe (the web tool of MIT) marks in its image: polygons, boxes, and mask files. */

import { DatasetError } from "../../core/errors.js";
import { readImageFile } from "../read-image-file.js";
import type { ImageAnnotations, Point, Shape } from "./annotated-set.js";
import { toCoordinate } from "./coordinate.js";
import { nonZeroRuns } from "./mask-runs.js";
import { placeBelow } from "./places.js";
import { child, childrenOf, type XmlElement } from "./xml.js";

/**
 * @param options.masks folder of the mask files of this image.
 * @throws DatasetError, ImageError in one line that names file and line.
 */
export async function labelMeXmlObjects(
  root: XmlElement,
  { file, masks }: { file: string; masks: string },
): Promise<ImageAnnotations> {
  const objects: ImageAnnotations["objects"][number][] = [];
  const left: string[] = [];
  let size = sizeOf(root, file);
  for (const element of childrenOf(root, "object")) {
    const where = `${file}:${element.line}: object`;
    const category = textOf(element, "name");
    if (textOf(element, "deleted") === "1") left.push("object: it was deleted");
    else if (category === "") left.push("object: it has no name");
    else {
      const shape = await shapeOf(element, { where, masks });
      if (typeof shape === "string") left.push(shape);
      else objects.push({ category, shape, ...attributesOf(element) });
      if (typeof shape === "string" || shape.kind !== "runs") continue;
      // A mask tells the size where the file does not.
      size ??= { width: shape.width, height: shape.height };
      checkSize(shape, { size, where });
    }
  }
  return { ...size, objects, left };
}

async function shapeOf(
  element: XmlElement,
  { where, masks }: { where: string; masks: string },
): Promise<Shape | string> {
  const mask = child(element, "segm") && textOf(child(element, "segm") ?? element, "mask");
  if (mask) {
    const path = placeBelow(masks, mask);
    const found = await nonZeroRuns(await readImageFile(path), path);
    return { kind: "runs", left: 0, top: 0, ...found, along: "rows" };
  }
  const polygon = child(element, "polygon");
  if (!polygon) return "object: it has neither a polygon nor a mask";
  const points = childrenOf(polygon, "pt").map(
    (point): Point => [number(point, "x", where), number(point, "y", where)],
  );
  if (points.length < 3) return "object: lines and points have no area";
  if (textOf(element, "type") !== "bounding_box") return { kind: "polygons", parts: [points] };
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [x, y] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - x, Math.max(...ys) - y];
  if (width === 0 || height === 0) return "object: it has no area";
  return { kind: "box", x, y, width, height };
}

/** `a, b=c` in one text; what is occluded beside it. */
function attributesOf(element: XmlElement): { attributes?: Record<string, string> } {
  const parts = textOf(element, "attributes").split(",");
  const given = parts.map((part) => part.split("=").map((word) => word.trim())).filter(([name]) => name !== "");
  const entries = given.map(([name, ...value]) => [name, value.length === 0 ? "true" : value.join("=")]);
  if (textOf(element, "occluded") === "yes") entries.push(["occluded", "true"]);
  return entries.length === 0 ? {} : { attributes: Object.fromEntries(entries) };
}

function sizeOf(root: XmlElement, file: string): { width: number; height: number } | undefined {
  const size = child(root, "imagesize");
  if (!size) return undefined;
  const where = `${file}:${size.line}: imagesize`;
  const [width, height] = [number(size, "ncols", where), number(size, "nrows", where)];
  if (width > 0 && height > 0) return { width, height };
  throw new DatasetError(`${where}: its size is ${width} x ${height}.`, { cure: "Write ncols and nrows in pixels." });
}

function checkSize(
  mask: { width: number; height: number },
  { size, where }: { size: { width: number; height: number }; where: string },
): void {
  if (mask.width === size.width && mask.height === size.height) return;
  throw new DatasetError(
    `${where}: its mask has ${mask.width} x ${mask.height} pixels, the image ${size.width} x ${size.height}.`,
    { cure: "Save it in the image's size." },
  );
}

function number(element: XmlElement, name: string, where: string): number {
  const text = textOf(element, name);
  const value = toCoordinate(text);
  if (Number.isFinite(value)) return value;
  throw new DatasetError(`${where}: its ${name} is "${text}", no number.`, { cure: "Correct the file." });
}

function textOf(element: XmlElement, name: string): string {
  return child(element, name)?.text ?? "";
}
