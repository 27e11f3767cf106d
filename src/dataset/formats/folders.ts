/** Reads a folder of images for each class, as ImageNet has them, perhaps below `train`, `val` and `test`. */

import { readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { isFolder } from "../../core/files.js";
import type { AnnotatedImage, AnnotationReader } from "./annotated-set.js";
import { findPlaces, splitIn, toName } from "./places.js";

const TOOL = "folders";
/** Where there is one of these, another tool has written down more than the folders say. */
const ANNOTATIONS = "**/*.{json,xml,csv,tsv,yaml,yml,data,names}";
/** Folders that are no classes, but hold the images or the masks of a set. */
const PARTS = /^(images?|imgs?|jpegimages|photos?|masks?|labels?|annotations?|segmentations?|trimaps?)$/i;

export const FOLDERS: AnnotationReader = {
  tool: TOOL,
  recognizes: async (source) => {
    if (!(await isFolder(source))) return false;
    const search = { cwd: source, onlyFiles: true, caseSensitiveMatch: false, deep: 4 };
    if ((await glob(ANNOTATIONS, search)).length > 0) return false;
    const { names, hasSplits } = await classPaths(source);
    const classes = new Set(names.flatMap((name) => classOf(name, hasSplits) ?? []));
    return classes.size > 1 && ![...classes].some((name) => PARTS.test(name));
  },
  read: async (source, { images: folder = source }) => {
    if (!(await isFolder(folder)))
      throw new DatasetError(`${folder}: is no folder.`, {
        cure: "Name the folder in which the classes' folders lie.",
      });
    await refuseLineBreaks(folder);
    const { names, hasSplits } = await classPaths(folder);
    const classes = new Set(names.flatMap((name) => classOf(name, hasSplits) ?? []));
    if (classes.size === 0)
      throw new DatasetError(`${folder}: holds no folder with images.`, {
        cure: "Put the images of each class into a folder of its name.",
      });
    const notes = names.some((name) => name.split("/").length > (hasSplits ? 3 : 2))
      ? ["there are folders in the folders of classes; their images belong to those classes"]
      : [];
    const images = names.map((name): AnnotatedImage => {
      const category = classOf(name, hasSplits);
      return {
        path: resolve(folder, name),
        name,
        ...(hasSplits && { split: name.split("/")[0] }),
        isAnnotated: category !== undefined,
        annotations: async () => ({
          objects: category === undefined ? [] : [{ category, shape: { kind: "image" } }],
        }),
      };
    });
    return { tool: TOOL, source, categories: [...classes].sort(), images, left: [], notes };
  },
};

/** No search finds names with one, so that their images would be missing and nobody would say so. */
async function refuseLineBreaks(folder: string): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  const broken = names.find((name) => /[\n\r\u2028\u2029]/.test(name));
  if (broken !== undefined)
    throw new DatasetError(`${folder}: the name ${JSON.stringify(broken)} has a line break in it.`, {
      cure: "Rename it.",
      file: folder,
    });
}

/** Paths of the images, and whether their first folders are all called like splits. */
async function classPaths(folder: string): Promise<{ names: string[]; hasSplits: boolean }> {
  const { files } = await findPlaces(folder);
  const names = files.map((file) => toName(folder, file));
  const first = new Set(names.filter((name) => name.includes("/")).map((name) => name.split("/")[0]));
  const hasSplits = first.size > 0 && [...first].every((name) => splitIn(name)?.word === name);
  return { names, hasSplits };
}

/** `train/cat/1.png` or `cat/1.png`; an image outside of them has no class. */
function classOf(name: string, hasSplits: boolean): string | undefined {
  const folders = name.split("/").slice(hasSplits ? 1 : 0, -1);
  return folders[0];
}
