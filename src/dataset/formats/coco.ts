/** COCO: JSON files, one for each split and kind of annotation, with images beside them or elsewhere. */

import { basename, dirname, join, resolve } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import { shown } from "../../core/message-text.js";
import type { AnnotatedImage, AnnotatedObject, AnnotationReader } from "./annotated-set.js";
import { beginning } from "./beginning.js";
import { type CocoFile, type CocoImage, readCocoFile } from "./coco-file.js";
import { findPlaces, placeBelow, splitIn, stem, toName } from "./places.js";

const KEYS = /^\W*\{\s*"(info|licenses|images|annotations|categories)"\s*:\s*[[{]/;

export const COCO: AnnotationReader = {
  tool: "coco",
  recognizes: async (source) => (await cocoFiles(source)).length > 0,
  read: async (source, { images: folder }) => {
    const isOne = !(await isFolder(source));
    const likely = await cocoFiles(source);
    // Files that are of COCO and do not look like it have something wrong, which reading will tell.
    const files = (likely.length > 0 ? likely : isOne ? [source] : await jsonFiles(source)).map(readCocoFile);
    if (files.length === 0)
      throw new DatasetError(`${source}: holds no COCO file.`, { cure: 'Name a folder with JSON that has "images".' });
    checkCarried(files);
    const root = isOne ? await rootOf(source) : source;
    const places = await findPlaces(root, folder, { without: ["**/panoptic_*/**"] });
    const byPath = new Map<string, { name: string; split?: string; entries: { image: CocoImage; file: CocoFile }[] }>();
    for (const file of files) {
      const near = dirname(resolve(file.file));
      const split = (splitIn(stem(basename(file.file))) ?? splitIn(basename(near)))?.word;
      for (const image of file.images) {
        const own = split ?? splitIn(dirname(image.name))?.word;
        const found = places.find(image.name, { near, split: own, where: image.where });
        const path = found ?? placeBelow(folder ?? root, image.name);
        // Where each split has a folder, files of two splits may have one name.
        const isBelow =
          own !== undefined &&
          toName(folder ?? root, path)
            .split("/")
            .includes(own);
        const known = byPath.get(path);
        if (known) known.entries.push({ image, file });
        else
          byPath.set(path, {
            name: nameOf(image.name, found === undefined || isBelow ? own : undefined),
            ...(own !== undefined && { split: own }),
            entries: [{ image, file }],
          });
      }
    }
    const images = distinct(
      [...byPath].map(([path, { name, split, entries }]) => toImage({ path, name, split, entries })),
    );
    const licence = [...new Set(files.flatMap(({ licences }) => licences))].join(", ");
    const categories = [...new Set(files.flatMap((file) => file.categories))];
    return { tool: "coco", source, categories, images, left: [], ...(licence !== "" && { licence }) };
  },
};

function toImage({
  entries,
  ...image
}: {
  path: string;
  name: string;
  split?: string;
  entries: readonly { image: CocoImage; file: CocoFile }[];
}): AnnotatedImage {
  const sized = entries.find((entry) => entry.image.width !== undefined)?.image;
  for (const { image: other } of entries)
    if (sized && other.width !== undefined && (other.width !== sized.width || other.height !== sized.height))
      throw new DatasetError(
        `${other.where}: ${shown(other.name)} has ${other.width} x ${other.height} pixels, but ` +
          `${sized.width} x ${sized.height} at ${sized.where}.`,
        { cure: "Correct one of them." },
      );
  const groups = entries.find((entry) => entry.image.groups !== undefined)?.image.groups;
  return {
    ...image,
    ...(groups && { groups }),
    // A file without annotations or categories, as of test images, says nothing about its images.
    isAnnotated: entries.some(({ file }) => file.annotationCount > 0 && file.categories.length > 0),
    annotations: async () => {
      const left: string[] = [];
      const objects: AnnotatedObject[] = [];
      const seen = new Set<string>();
      for (const entry of entries) {
        const own = entry.image.objects(left);
        // Files of keypoints repeat the boxes of those of instances.
        objects.push(...own.filter(({ key }) => !seen.has(key)).map(({ object }) => object));
        for (const { key } of own) seen.add(key);
      }
      const absent = [...new Set(entries.flatMap(({ image }) => image.absent))];
      // Runs tell the size of the image that they were made at.
      const runs = objects.find(({ shape }) => shape.kind === "runs")?.shape;
      const size = sized ?? (runs?.kind === "runs" ? runs : undefined);
      return {
        ...(size && { width: size.width, height: size.height }),
        ...{ objects, left },
        ...(absent.length > 0 && { absent }),
      };
    },
  };
}

/** @throws DatasetError where there are annotations, and none of a form that we carry. */
function checkCarried(files: readonly CocoFile[]): void {
  const left: string[] = [];
  let count = 0;
  for (const { images } of files)
    for (const image of images) {
      if (image.annotationCount === 0) continue;
      count += image.annotationCount;
      if (image.objects(left).length > 0) return;
    }
  if (count === 0) return;
  const what = [...new Set(left)].join("; ");
  throw new DatasetError(`${files.map(({ file }) => file).join(", ")}: nothing that can be carried (${what}).`, {
    cure: "Export instances: boxes, polygons or masks with categories.",
  });
}

/** Instances first, so that what others repeat is left out there. */
async function cocoFiles(source: string): Promise<string[]> {
  const files = (await isFolder(source)) ? await jsonFiles(source) : [source];
  const found: string[] = [];
  for (const file of files) if (/\.json$/i.test(file) && KEYS.test(await beginning(file))) found.push(file);
  const rank = (file: string) => (/instances/i.test(basename(file)) ? 0 : /keypoints/i.test(basename(file)) ? 2 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

async function jsonFiles(folder: string): Promise<string[]> {
  const names = await glob("**/*.json", { cwd: folder, onlyFiles: true, caseSensitiveMatch: false });
  return names.sort().map((name) => join(folder, name));
}

/** `annotations/x.json` lies beside the folder of the images. */
async function rootOf(file: string): Promise<string> {
  const folder = dirname(resolve(file));
  if (/^(annotations?|labels?)$/i.test(basename(folder))) return dirname(folder);
  return folder;
}

/** A name without anything that leads out of a folder; of split `train` below a folder of that name. */
function nameOf(name: string, split: string | undefined): string {
  const parts = name.replaceAll("\\", "/").split("/");
  const plain = parts.filter((part) => part !== "" && part !== "." && part !== ".." && !/^[A-Za-z]:$/.test(part));
  return split === undefined || plain.includes(split) ? plain.join("/") : [split, ...plain].join("/");
}

/** Two files of one name get numbers. */
function distinct(images: readonly AnnotatedImage[]): AnnotatedImage[] {
  const seen = new Set<string>();
  return images.map((image) => {
    let name = image.name;
    for (let count = 2; seen.has(name); count++) name = image.name.replace(/(\.[^./]*)?$/, `-${count}$1`);
    seen.add(name);
    return name === image.name ? image : { ...image, name };
  });
}
