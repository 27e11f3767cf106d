/** The objects of one VOC annotation file. */

import { DatasetError } from "../../core/errors.js";
import type { AnnotatedObject, ImageAnnotations } from "./annotated-set.js";
import { toCoordinate } from "./coordinate.js";
import { child, childrenOf, type XmlElement } from "./xml.js";

/** @throws DatasetError with file and line. */
export function vocAnnotations(root: XmlElement, file: string): Required<Omit<ImageAnnotations, "absent">> {
  if (root.name !== "annotation")
    throw refuse(file, root, `its root is <${root.name}>, expected <annotation>`, "Take it out of the folder.");
  const size = child(root, "size");
  if (!size) throw refuse(file, root, "has no <size>", "Boxes are in pixels of it; add it.");
  const [width, height] = ["width", "height"].map((name) => numberIn(size, name, file));
  if (!(width > 0 && height > 0))
    throw refuse(file, size, `size is ${width} x ${height}`, "Write the image's width and height.");
  const left: string[] = [];
  const objects = childrenOf(root, "object").flatMap((object) => toObject(object, { file, left }));
  return { width, height, objects, left };
}

function toObject(object: XmlElement, { file, left }: { file: string; left: string[] }): AnnotatedObject[] {
  const category = child(object, "name")?.text ?? "";
  if (category === "") throw refuse(file, object, "an <object> without <name>", "Name its category.");
  if (child(object, "polygon"))
    throw refuse(file, object, "an object with <polygon>", "If it is of LabelMe, say --from labelme.");
  const box = child(object, "bndbox");
  if (!box) throw refuse(file, object, `"${category}" has no <bndbox>`, "Add it, or remove the object.");
  for (const _ of childrenOf(object, "part")) left.push("part of an object: its box is none of an object of its own");
  const [xMin, yMin, xMax, yMax] = ["xmin", "ymin", "xmax", "ymax"].map((name) => numberIn(box, name, file));
  // Pixels are counted from 1, and the last belongs to the object.
  const shape = { kind: "box", x: xMin - 1, y: yMin - 1, width: xMax - xMin + 1, height: yMax - yMin + 1 } as const;
  if (xMax < xMin || yMax < yMin)
    throw refuse(
      file,
      box,
      `"${category}" has its corners in the wrong order`,
      "Write the upper left one as xmin, ymin.",
    );
  if (xMax === xMin && yMax === yMin) {
    left.push(`box without extent (${file}:${box.line})`);
    return [];
  }
  const attributes = attributesOf(object);
  const isIgnored = isTrue(child(object, "difficult")?.text);
  return [{ category, shape, ...(isIgnored && { isIgnored }), attributes }];
}

/** Texts of the elements that are neither name nor place; those of actions are told apart by a prefix. */
function attributesOf(object: XmlElement): Record<string, string> {
  const plain = object.children.filter(({ name, children, text }) => name !== "name" && children.length === 0 && text);
  const actions = child(object, "actions")?.children ?? [];
  return Object.fromEntries([
    ...plain.map(({ name, text }) => [name, text]),
    ...actions.map(({ name, text }) => [`action.${name}`, text]),
  ]);
}

function isTrue(text: string | undefined): boolean {
  return text === "1" || text?.toLowerCase() === "true";
}

function numberIn(parent: XmlElement, name: string, file: string): number {
  const found = child(parent, name);
  const value = toCoordinate(found?.text ?? "");
  if (Number.isFinite(value)) return value;
  const what = found ? `<${name}> is ${JSON.stringify(found.text)}` : `<${parent.name}> has no <${name}>`;
  throw refuse(file, found ?? parent, what, "Write a number.");
}

function refuse(file: string, { line }: XmlElement, what: string, cure: string): DatasetError {
  return new DatasetError(`${file}:${line}: ${what}.`, { cure, file, line });
}
