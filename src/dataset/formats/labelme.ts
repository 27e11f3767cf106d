/** Reads LabelMe: a JSON file an image beside it, or the XML of the old web tool in `Annotations`, `Images`, `Masks`. */

import { basename, dirname, join, posix, resolve } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import type { AnnotatedImage, AnnotationReader } from "./annotated-set.js";
import { beginning } from "./beginning.js";
import { checkLabelMe, labelMeObjects } from "./labelme-json.js";
import { labelMeXmlObjects } from "./labelme-xml.js";
import { findPlaces, type ImagePlaces, placeBelow, splitIn, stem, toName } from "./places.js";
import { readJsonFile } from "./read-json-file.js";
import { child, readXml } from "./xml.js";

const TOOL = "labelme";
/** Of the old tool: what it draws lies in folders beside that of the images. */
const DRAWN = ["**/Masks/**", "**/Scribbles/**"];

export const LABELME: AnnotationReader = {
  tool: TOOL,
  recognizes: async (source) => {
    const [first] = await filesOf(source);
    if (first === undefined) return false;
    const start = await beginning(first);
    if (/\.json$/i.test(first)) return /^\s*\{/.test(start.replace(/^\uFEFF/, "")) && start.includes('"shapes"');
    return /<annotation[\s>]/.test(start) && /<(polygon|segm|imagesize|sourceImage)[\s>]/.test(start);
  },
  read: async (source, { images: given }) => {
    const isOne = !(await isFolder(source));
    const files = await filesOf(source);
    if (files.length === 0)
      throw new DatasetError(`${source}: holds neither .json nor .xml of LabelMe.`, { cure: "Name their folder." });
    const folder = given ?? (isOne ? aboveAnnotations(source) : source);
    const places = await findPlaces(folder, undefined, { without: DRAWN });
    const byStem = new Map<string, string[]>();
    for (const path of places.files) byStem.set(stem(path), [...(byStem.get(stem(path)) ?? []), path]);
    const annotated: AnnotatedImage[] = [];
    for (const file of files)
      annotated.push(await (/\.json$/i.test(file) ? jsonImage : xmlImage)(file, { folder, places, byStem }));
    checkDistinct(annotated, files);
    const seen = new Set(annotated.map(({ path }) => path));
    const others = isOne ? [] : places.files.filter((path) => !seen.has(path));
    const images = [...annotated, ...others.map((path) => bare(path, folder))];
    return { tool: TOOL, source, categories: [], images, left: [] };
  },
};

interface Context {
  readonly folder: string;
  readonly places: ImagePlaces;
  /** Images by their path without ending. */
  readonly byStem: ReadonlyMap<string, readonly string[]>;
}

async function jsonImage(file: string, { folder, places, byStem }: Context): Promise<AnnotatedImage> {
  // LabelMe names the two alike; only where that does not tell is the file read, whose copy of the image is large.
  const alike = byStem.get(stem(resolve(file))) ?? [];
  const path = alike.length === 1 ? alike[0] : await namedImage(file, { folder, places });
  return {
    ...bare(path, folder),
    isAnnotated: true,
    annotations: async () => labelMeObjects(await readJsonFile(file), file),
  };
}

async function namedImage(file: string, { folder, places }: Pick<Context, "folder" | "places">): Promise<string> {
  const { imagePath, imageData } = checkLabelMe(await readJsonFile(file), file);
  if (typeof imagePath !== "string" || imagePath === "")
    throw new DatasetError(`${file}: names no image ("imagePath").`, { cure: "Save it again in LabelMe.", file });
  const path = places.find(imagePath, { near: dirname(file), where: file });
  if (path !== undefined) return path;
  if (typeof imageData === "string")
    throw new DatasetError(`${file}: its image "${imagePath}" is absent; a copy is in "imageData".`, {
      cure: "Write it out, as labelme_export_json does, or name the folder of the images with --images.",
      file,
    });
  return resolve(folder, posix.basename(imagePath.replaceAll("\\", "/")));
}

async function xmlImage(file: string, { folder, places }: Context): Promise<AnnotatedImage> {
  const root = await readXml(file);
  if (root.name !== "annotation")
    throw new DatasetError(`${file}:${root.line}: its root is <${root.name}>, LabelMe's is <annotation>.`, {
      cure: "Take it out of the folder.",
      file,
    });
  const name = child(root, "filename")?.text || `${stem(basename(file))}.jpg`;
  const top = aboveAnnotations(file);
  const below = toName(join(top, "Annotations"), dirname(resolve(file)));
  const path = places.find(posix.join(below, name), { where: file }) ?? placeBelow(folder, "Images", below, name);
  const masks = join(top, "Masks", below);
  return {
    ...bare(path, folder),
    isAnnotated: true,
    annotations: () => labelMeXmlObjects(root, { file, masks }),
  };
}

/** The folder in which the old tool's `Annotations` lies, where a file is below one. */
function aboveAnnotations(file: string): string {
  const folder = dirname(resolve(file));
  return /^(.*)[\\/]Annotations([\\/].*)?$/.exec(folder)?.[1] || folder;
}

/** An image without annotations. */
function bare(path: string, folder: string): AnnotatedImage {
  const name = toName(folder, path);
  const split = splitIn(dirname(name))?.word;
  return {
    path,
    name,
    ...(split === undefined ? {} : { split }),
    isAnnotated: false,
    annotations: async () => ({ objects: [] }),
  };
}

async function filesOf(source: string): Promise<string[]> {
  if (!(await isFolder(source))) return /\.(json|xml)$/i.test(source) ? [source] : [];
  const search = { cwd: source, onlyFiles: true, caseSensitiveMatch: false };
  const json = await glob("**/*.json", search);
  const found = json.length > 0 ? json : await glob("**/*.xml", search);
  return found.sort().map((name) => join(source, name));
}

function checkDistinct(images: readonly AnnotatedImage[], files: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const [index, { path }] of images.entries()) {
    const other = seen.get(path);
    if (other !== undefined)
      throw new DatasetError(`${files[index]}: is of the same image as ${other}, ${path}.`, { cure: "Remove one." });
    seen.set(path, files[index]);
  }
}
