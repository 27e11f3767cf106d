/** Reads the XML that CVAT exports ("CVAT for images 1.1", "CVAT for video 1.1"). */

import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import { aloneIn } from "./alone-in.js";
import type { AnnotatedImage, AnnotatedSet, AnnotationReader, ReadOptions } from "./annotated-set.js";
import { beginning } from "./beginning.js";
import { CVAT_MARKS, cvatMark, numberOf } from "./cvat-marks.js";
import { readTracks } from "./cvat-tracks.js";
import { findPlaces, type ImagePlaces, placeBelow, splitIn, stem, toName } from "./places.js";
import { child, childrenOf, readXml, type XmlElement } from "./xml.js";

const TOOL = "cvat";

export const CVAT: AnnotationReader = {
  tool: TOOL,
  recognizes: async (source) => (await exportsIn(source)).length > 0,
  read,
};

async function read(source: string, { images }: ReadOptions): Promise<AnnotatedSet> {
  const isOne = !(await isFolder(source));
  const likely = isOne ? [source] : await exportsIn(source);
  // A single file that does not look like an export has something wrong, which reading will tell.
  const files = likely.length > 0 ? likely : await aloneIn(source, /\.xml$/i);
  if (files.length === 0)
    throw new DatasetError(`${source}: holds no .xml with <annotations>, as CVAT writes it.`, {
      cure: "Name the file, or the folder of an unpacked export.",
    });
  const folder = images ?? (isOne ? dirname(source) : source);
  const places = await findPlaces(folder);
  const categories = new Set<string>();
  const found: AnnotatedImage[] = [];
  const left: string[] = [];
  for (const file of files) {
    const root = await readXml(file);
    if (root.name !== "annotations")
      throw new DatasetError(`${file}:${root.line}: its root is <${root.name}>, CVAT's is <annotations>.`, {
        cure: 'Export it as "CVAT for images 1.1" or "CVAT for video 1.1".',
        file,
      });
    for (const name of declaredLabels(root)) categories.add(name);
    const context = { file, places, folder };
    const tracks = childrenOf(root, "track");
    const [still] = tracks.length > 0 ? childrenOf(root, "image") : [];
    if (still)
      throw new DatasetError(`${file}:${still.line}: an image beside the tracks of a video.`, {
        cure: 'Export it as "CVAT for images 1.1", or as "CVAT for video 1.1".',
        file,
      });
    if (tracks.length === 0) found.push(...stillImages(root, context));
    else found.push(...videoFrames(root, { ...context, tracks, left }));
  }
  checkDistinct(found, source);
  return { tool: TOOL, source, categories: [...categories], images: found, left };
}

interface Context {
  readonly file: string;
  readonly places: ImagePlaces;
  readonly folder: string;
}

function stillImages(root: XmlElement, { file, places, folder }: Context): AnnotatedImage[] {
  const task = metaTask(root);
  // A task's own file is often called after its subset.
  const ofTask = (task && child(task, "subset")?.text) || splitIn(stem(basename(file)))?.word;
  return childrenOf(root, "image").map((image) => {
    const where = `${file}:${image.line}: image`;
    const { name, subset = ofTask } = image.attributes;
    if (!name) throw new DatasetError(`${where}: it has no name.`, { cure: "Export the file again." });
    const wanted = !subset ? name : `${subset}/${name}`;
    const path = places.find(wanted, { split: subset, where }) ?? placeBelow(folder, "images", wanted);
    const size = sizeOf(image, where);
    return {
      path,
      name: toName(folder, path),
      ...(subset && { split: subset }),
      isAnnotated: true,
      annotations: async () => {
        const marks = image.children
          .filter((element) => (CVAT_MARKS as readonly string[]).includes(element.name))
          .map((element) => cvatMark(element, { file }));
        return {
          ...size,
          objects: marks.flatMap((mark) => ("object" in mark ? [mark.object] : [])),
          left: marks.flatMap((mark) => ("left" in mark ? [mark.left] : [])),
        };
      },
    };
  });
}

function videoFrames(
  root: XmlElement,
  { file, places, folder, tracks, left }: Context & { tracks: readonly XmlElement[]; left: string[] },
): AnnotatedImage[] {
  const tasks = new Set(tracks.map((track) => track.attributes.task_id));
  if (tasks.size > 1)
    throw new DatasetError(`${file}: holds the tracks of ${tasks.size} videos, whose frames have the same numbers.`, {
      cure: "Export each task on its own.",
      file,
    });
  const task = metaTask(root);
  const video = (task && child(task, "name")?.text) || stem(basename(file));
  const original = task && child(task, "original_size");
  const size = original && sizeOfTexts(original, file);
  const marks = readTracks(tracks, { file });
  const frames = frameFiles(places, Number((task && child(task, "size")?.text) ?? Number.NaN));
  if (frames.size === 0)
    throw new DatasetError(`${file}: holds the tracks of a video, and no image of a frame lies below ${folder}.`, {
      cure: 'Export it with "Save images", or run: ffmpeg -i VIDEO -start_number 0 frame_%06d.png',
      file,
    });
  return [...frames].flatMap(([frame, path]) => {
    const { objects, left: notRead, unknown } = marks.at(frame);
    if (unknown !== undefined) {
      left.push(`${unknown}; these frames are left out`);
      return [];
    }
    return {
      path,
      name: toName(folder, path),
      // Frames of a video are alike, so that they belong in one split.
      groups: { video },
      isAnnotated: true,
      annotations: async () => ({ ...size, objects, left: notRead }),
    };
  });
}

/** By number, as CVAT names them, else in the order of their names where there are as many as frames. */
function frameFiles({ files }: ImagePlaces, count: number): ReadonlyMap<number, string> {
  const numbered = files.flatMap((file) => {
    const number = /^frame_(\d+)\.[^.]+$/i.exec(basename(file))?.[1];
    return number === undefined ? [] : [[Number(number), file] as const];
  });
  for (const [at, [number, file]] of numbered.sort(([a], [b]) => a - b).entries())
    if (numbered[at + 1]?.[0] === number)
      throw new DatasetError(`${file}: is frame ${number}, and so is ${numbered[at + 1][1]}.`, {
        cure: "Remove one.",
        file,
      });
  if (numbered.length > 0) return new Map(numbered);
  return new Map(files.length === count ? files.map((file, index) => [index, file] as const) : []);
}

function declaredLabels(root: XmlElement): string[] {
  const meta = child(root, "meta");
  const holders = meta?.children.flatMap((holder) => childrenOf(holder, "labels")) ?? [];
  return holders
    .flatMap((labels) => childrenOf(labels, "label"))
    .flatMap((label) => child(label, "name")?.text || [])
    .map(String);
}

function metaTask(root: XmlElement): XmlElement | undefined {
  const meta = child(root, "meta");
  return meta?.children.find(({ name }) => name === "task" || name === "job");
}

function sizeOf(image: XmlElement, where: string): { width: number; height: number } {
  const [width, height] = ["width", "height"].map((name) => numberOf(image, name, { where }));
  if (width > 0 && height > 0) return { width, height };
  throw new DatasetError(`${where}: its size is ${width} x ${height}.`, { cure: "Export the file again." });
}

function sizeOfTexts(original: XmlElement, file: string): { width: number; height: number } {
  const attributes = Object.fromEntries(original.children.map(({ name, text }) => [name, text]));
  return sizeOf({ ...original, attributes }, `${file}:${original.line}: original_size`);
}

function checkDistinct(images: readonly AnnotatedImage[], source: string): void {
  const seen = new Set<string>();
  for (const { path } of images) {
    if (seen.has(path))
      throw new DatasetError(`${source}: two images of the export are the same file, ${path}.`, {
        cure: "Export with images, so that each lies in the folder of its subset, or import the tasks one by one.",
      });
    seen.add(path);
  }
}

/** Files whose root is CVAT's. */
async function exportsIn(source: string): Promise<string[]> {
  const files = (await isFolder(source))
    ? (await readdir(source)).filter((name) => /\.xml$/i.test(name)).map((name) => join(source, name))
    : [source];
  const found: string[] = [];
  for (const file of files.sort()) if (/<annotations[\s>]/.test(await beginning(file))) found.push(file);
  return found;
}
