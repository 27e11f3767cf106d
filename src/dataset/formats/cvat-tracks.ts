/** CVAT's video tracks as objects of single frames: what is not listed is interpolated as CVAT does it. */

import { DatasetError } from "../../core/errors.js";
import type { AnnotatedObject } from "./annotated-set.js";
import { CVAT_MARKS, cvatMark, numberOf, pointsOf } from "./cvat-marks.js";
import type { XmlElement } from "./xml.js";

/** What the tracks of one video say of a frame. */
export interface FrameMarks {
  readonly objects: readonly AnnotatedObject[];
  readonly left: readonly string[];
  /** Why the frame cannot be told: its objects lie between two shapes that cannot be interpolated. */
  readonly unknown?: string;
}

/** Numbers that change evenly between two shapes of a track, by element. */
const EVEN: Readonly<Record<string, readonly string[]>> = {
  box: ["xtl", "ytl", "xbr", "ybr"],
  ellipse: ["cx", "cy", "rx", "ry"],
};

/** @param tracks `<track>` elements. @returns a function that tells what is in a frame. @throws DatasetError */
export function readTracks(
  tracks: readonly XmlElement[],
  { file }: { file: string },
): { at: (frame: number) => FrameMarks } {
  const all = tracks.map((track) => ({ label: track.attributes.label ?? "", shapes: shapesOf(track, file) }));
  return {
    at: (frame) => {
      const objects: AnnotatedObject[] = [];
      const left: string[] = [];
      let unknown: string | undefined;
      for (const { label, shapes } of all) {
        const element = elementAt(shapes, frame, file);
        if (typeof element === "string") unknown ??= element;
        if (element === undefined || typeof element === "string") continue;
        const found = cvatMark(element, { file, label });
        if ("object" in found) objects.push(found.object);
        else left.push(found.left);
      }
      return { objects, left, ...(unknown === undefined ? {} : { unknown }) };
    },
  };
}

interface TrackShape {
  readonly frame: number;
  readonly isOutside: boolean;
  readonly element: XmlElement;
}

/** By frame, ascending. */
function shapesOf(track: XmlElement, file: string): TrackShape[] {
  const shapes = track.children
    .filter((element) => (CVAT_MARKS as readonly string[]).includes(element.name))
    .map((element) => {
      const where = `${file}:${element.line}: ${element.name}`;
      const frame = numberOf(element, "frame", { where });
      if (!Number.isSafeInteger(frame) || frame < 0)
        throw new DatasetError(`${where}: its frame is ${frame}.`, { cure: "Export the file again." });
      return { frame, isOutside: element.attributes.outside === "1", element };
    })
    .sort((a, b) => a.frame - b.frame);
  const repeated = shapes.find(({ frame }, index) => shapes[index + 1]?.frame === frame);
  if (repeated === undefined) return shapes;
  throw new DatasetError(`${file}:${track.line}: track: frame ${repeated.frame} is listed twice.`, {
    cure: "Export the file again.",
  });
}

/** The last shape stays until the end unless it is outside. @returns a reason where it cannot be told. */
function elementAt(shapes: readonly TrackShape[], frame: number, file: string): XmlElement | string | undefined {
  const next = shapes.findIndex((shape) => shape.frame > frame);
  const before = shapes[(next < 0 ? shapes.length : next) - 1];
  if (before === undefined || before.isOutside) return undefined;
  const after = shapes[next];
  if (before.frame === frame || after === undefined || after.isOutside) return before.element;
  const share = (frame - before.frame) / (after.frame - before.frame);
  const between = interpolated(before.element, after.element, { share, file });
  return (
    between ??
    `${before.element.name} of track between the frames ${before.frame} and ${after.frame}, of which it is not known`
  );
}

function interpolated(
  before: XmlElement,
  after: XmlElement,
  { share, file }: { share: number; file: string },
): XmlElement | undefined {
  if (before.name !== after.name) return undefined;
  const mix = (a: number, b: number) => a + (b - a) * share;
  const at = (element: XmlElement, name: string, fallback?: number) =>
    numberOf(element, name, { where: `${file}:${element.line}: ${element.name}`, fallback });
  if (before.name === "polygon") {
    const [from, to] = [before, after].map((one) => pointsOf(one, `${file}:${one.line}: polygon`));
    if (from.length !== to.length) return undefined;
    const points = from.map(([x, y], k) => `${mix(x, to[k][0])},${mix(y, to[k][1])}`).join(";");
    return { ...before, attributes: { ...before.attributes, points } };
  }
  if (!Object.hasOwn(EVEN, before.name)) return undefined;
  const numbers = EVEN[before.name].map((name) => [name, String(mix(at(before, name), at(after, name)))]);
  // The shorter way round.
  const [from, to] = [at(before, "rotation", 0), at(after, "rotation", 0)];
  const turn = ((((to - from + 180) % 360) + 360) % 360) - 180;
  const rotation = String(from + turn * share);
  return { ...before, attributes: { ...before.attributes, ...Object.fromEntries(numbers), rotation } };
}
