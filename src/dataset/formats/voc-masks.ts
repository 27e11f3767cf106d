/** VOC's segmentations: a mask of classes, and where there is one, a mask of objects. */

import { join } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import type { AnnotatedObject } from "./annotated-set.js";
import { colourNumber, readMaskPixels } from "./colours.js";
import { readText } from "./read-text.js";

const VOC_CLASSES =
  "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person " +
  "pottedplant sheep sofa train tvmonitor";
/** Between objects, and what is hard to tell: neither in nor out. */
const VOID = 255;

export interface VocMasks {
  /** Images with a mask. */
  readonly images: readonly string[];
  /** @throws DatasetError, ImageError naming the mask. */
  objectsOf(image: string): Promise<readonly AnnotatedObject[]>;
}

export async function findVocMasks(folder: string): Promise<VocMasks> {
  const [classes, objects] = await Promise.all([
    masksIn(folder, "SegmentationClass"),
    masksIn(folder, "SegmentationObject"),
  ]);
  const names = await labelNames(folder);
  const objectsOf = async (image: string) => {
    const path = classes.get(image);
    if (path === undefined) return [];
    const mask = await readMaskPixels(path);
    const byObject = objects.get(image);
    const own = byObject === undefined ? undefined : await readMaskPixels(byObject);
    if (own && (own.width !== mask.width || own.height !== mask.height))
      throw new DatasetError(`${byObject}: is not of the size of ${path}.`, { cure: "Export it again." });
    const votes = countVotes(mask.values, own?.values);
    const ignore = names.ignored;
    return [...votes].flatMap(([value, counts]) => {
      const [found] = [...counts].sort(([, a], [, b]) => b - a)[0];
      const category = names.names.get(found);
      if (category === undefined && !ignore.includes(found) && found !== 0)
        throw new DatasetError(`${path}: holds the value ${found}, which no class has.`, {
          cure: "List it in labelmap.txt beside the folder, as name:red,green,blue::.",
          file: path,
        });
      if (category === undefined || category === "background") return [];
      return { category, shape: { kind: "mask-file" as const, path: byObject ?? path, values: [value], ignore } };
    });
  };
  return { images: [...classes.keys()], objectsOf };
}

/** By value of the mask of objects (or else of classes), how often each class occurs in it. */
function countVotes(
  classes: ArrayLike<number>,
  objects: ArrayLike<number> = classes,
): Map<number, Map<number, number>> {
  const votes = new Map<number, Map<number, number>>();
  for (let at = 0; at < classes.length; at++) {
    const counts = votes.get(objects[at]) ?? new Map<number, number>();
    counts.set(classes[at], (counts.get(classes[at]) ?? 0) + 1);
    votes.set(objects[at], counts);
  }
  return votes;
}

async function masksIn(folder: string, name: string): Promise<Map<string, string>> {
  const files = await glob(`**/${name}/**/*.png`, { cwd: folder, onlyFiles: true, caseSensitiveMatch: false });
  const image = (file: string) => file.replace(new RegExp(`^.*?${name}/`, "i"), "").replace(/\.png$/i, "");
  return new Map(files.sort().map((file) => [image(file), join(folder, file)]));
}

/** Names by palette index and by colour: those of `labelmap.txt`, else the twenty of VOC. */
async function labelNames(folder: string): Promise<{ names: ReadonlyMap<number, string>; ignored: readonly number[] }> {
  const palette = vocPalette();
  const ignored = [VOID, colourNumber(palette[VOID])];
  const [file] = await glob("**/labelmap.txt", { cwd: folder, onlyFiles: true });
  const names = new Map<number, string>();
  if (file === undefined) {
    for (const [index, name] of VOC_CLASSES.split(" ").entries())
      names.set(index, name).set(colourNumber(palette[index]), name);
    return { names, ignored };
  }
  const path = join(folder, file);
  const lines = (await readText(path)).split("\n");
  let index = 0;
  for (const [at, line] of lines.entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [name, colour = ""] = line.split(":");
    const rgb = colour === "" ? palette[index] : colour.split(",").map(Number);
    if (
      name.trim() === "" ||
      rgb?.length !== 3 ||
      !rgb.every((part) => Number.isInteger(part) && part >= 0 && part < 256)
    )
      throw new DatasetError(`${path}:${at + 1}: ${JSON.stringify(line)} is no class with its colour.`, {
        cure: "Write name:red,green,blue::.",
        file: path,
        line: at + 1,
      });
    names.set(index++, name.trim()).set(colourNumber(rgb), name.trim());
  }
  return { names, ignored };
}

/** The colours of VOC's indices: bits of the index, spread over the channels from the highest down. */
function vocPalette(): number[][] {
  return Array.from({ length: 256 }, (_, index) => {
    const rgb = [0, 0, 0];
    for (let bit = 0, rest = index; bit < 8; bit++, rest >>= 3)
      for (const channel of [0, 1, 2]) rgb[channel] |= ((rest >> channel) & 1) << (7 - bit);
    return rgb;
  });
}
