/** The label file of one image as YOLO writes it: a row an object, all numbers shares of the image. */

import { DatasetError } from "../../core/errors.js";
import { clip } from "../../core/terminal.js";
import type { AnnotatedObject, Point } from "./annotated-set.js";
import { toCoordinate } from "./coordinate.js";

interface RowOptions {
  /** Named in messages. */
  readonly file: string;
  /** By number. */
  readonly names: ReadonlyMap<number, string>;
  /** Rows are a box and points after it (`kpt_shape` in data.yaml). */
  readonly hasKeypoints: boolean;
  readonly left: string[];
}

/** What lies outside by more than rounding is no share. */
const SLACK = 0.01;
/** With more columns in any row, all rows of the file are polygons. */
const MOST_OF_BOX = 6;

/** @throws DatasetError with file and line. */
export function yoloObjects(text: string, { file, names, hasKeypoints, left }: RowOptions): AnnotatedObject[] {
  const rows = text
    .split("\n")
    .map((line, index) => ({ line: index + 1, words: line.trim().split(/\s+/).filter(Boolean) }))
    .filter(({ words }) => words.length > 0);
  const arePolygons = !hasKeypoints && rows.some(({ words }) => words.length > MOST_OF_BOX);
  return rows.flatMap(({ line, words }) => {
    const refuse = (what: string, cure: string) => new DatasetError(`${file}:${line}: ${what}.`, { cure, file, line });
    const numbers = words.map(toCoordinate);
    const wrong = words.find((_, at) => !Number.isFinite(numbers[at]));
    if (wrong !== undefined)
      throw refuse(`"${clip(wrong)}" is no number`, "Write class and shares of the image, as in 0 0.5 0.5 0.2 0.1.");
    const [id, ...shares] = numbers;
    const category = names.get(id);
    if (category === undefined) throw refuse(`the class ${id} has no name`, "Name it in data.yaml or obj.names.");
    if (shares.length < 4)
      throw refuse(
        `${words.length} numbers`,
        "Write class, centre x, centre y, width, height, or class and a polygon.",
      );
    const outside = shares.find((share, at) => (share < -SLACK || share > 1 + SLACK) && !(hasKeypoints && at >= 4));
    if (outside !== undefined)
      throw refuse(`${outside} is no share of the image`, "Divide pixels by its width and height.");
    if (arePolygons) return toPolygon(shares, { category, refuse, place: `${file}:${line}`, left });
    if (hasKeypoints && shares.length > 4) left.push("keypoints: points are no area and no box");
    if (!hasKeypoints && shares.length > 4)
      left.push("sixth number of a row, a confidence: its box is a model's prediction, and is taken as a label");
    const [x, y, width, height] = shares;
    if (width > 0 && height > 0)
      return { category, shape: { kind: "box" as const, x: x - width / 2, y: y - height / 2, width, height } };
    left.push(`box without extent (${file}:${line})`);
    return [];
  });
}

function toPolygon(
  shares: readonly number[],
  {
    category,
    refuse,
    place,
    left,
  }: { category: string; refuse: (what: string, cure: string) => DatasetError; place: string; left: string[] },
): AnnotatedObject[] {
  if (shares.length % 2 === 1) throw refuse("a polygon with half a point", "Write x and y of each point.");
  const points = Array.from({ length: shares.length / 2 }, (_, at): Point => [shares[2 * at], shares[2 * at + 1]]);
  if (points.length >= 3) return [{ category, shape: { kind: "polygons", parts: [points] } }];
  left.push(`polygon of fewer than three points, in a file of polygons (${place})`);
  return [];
}
