/** Where the images of an export lie: each tool, and each version of one, puts them somewhere else. */

import { basename, dirname, posix, relative, resolve, sep } from "node:path";
import { glob } from "tinyglobby";
import { DatasetError } from "../../core/errors.js";
import { IMAGE_ENDINGS } from "../image-format.js";

/** The image files below some folders. */
export interface ImagePlaces {
  /** Absolute paths. */
  readonly files: readonly string[];
  /**
   * Finds the file that an export means.
   *
   * @param name as the export writes it: a path, perhaps of another machine, or a name, perhaps without ending.
   * @param options.near folder whose files are preferred, as the one of the annotation.
   * @param options.split preferred where a folder of the path is called so.
   * @param options.within where the export writes the name, for messages.
   * @returns its absolute path, or nothing.
   * @throws DatasetError where several files fit equally.
   */
  find(name: string, options?: { near?: string; split?: string; where?: string; within?: string }): string | undefined;
}

const SEARCH = { onlyFiles: true, dot: false, caseSensitiveMatch: false, expandDirectories: false };

/**
 * Searches a folder, and a second one, for images. Hidden files are left out.
 *
 * @param options.without patterns of files that are no images of the set, such as masks.
 */
export async function findPlaces(
  folder: string,
  more?: string,
  { without = [] }: { without?: string[] } = {},
): Promise<ImagePlaces> {
  const files: string[] = [];
  for (const root of more === undefined ? [folder] : [more, folder]) {
    const pattern = `**/*.{${IMAGE_ENDINGS.join(",")}}`;
    const found = await glob(pattern, { ...SEARCH, cwd: root, ignore: without });
    files.push(...found.sort().map((file) => resolve(root, file)));
  }
  const byBase = new Map<string, string[]>();
  const distinct = [...new Set(files)];
  for (const file of distinct) {
    for (const key of new Set([keyOf(basename(file)), keyOf(stem(basename(file)))]))
      byBase.set(key, [...(byBase.get(key) ?? []), file]);
  }
  return {
    files: distinct,
    find: (name, { near, split, where = folder, within = "the export" } = {}) => {
      const parts = posix.normalize(name.replaceAll("\\", "/")).split("/");
      const base = parts[parts.length - 1];
      let fitting = preferring(byBase.get(keyOf(base)) ?? [], (file) => basename(file) === base);
      // As many folders of the path as fit, from the last on.
      for (let count = 2; count <= parts.length && fitting.length > 1; count++) {
        const ending = `/${parts.slice(-count).join("/")}`;
        fitting = preferring(fitting, (file) => slashed(file).endsWith(ending));
      }
      if (more !== undefined) fitting = preferring(fitting, (file) => isIn(file, more));
      if (near !== undefined) fitting = preferring(fitting, (file) => isIn(file, near));
      if (split !== undefined)
        fitting = preferring(fitting, (file) => slashed(relative(folder, file)).split("/").includes(split));
      if (fitting.length < 2) return fitting[0];
      throw new DatasetError(`${where}: ${JSON.stringify(name)} may be ${fitting[0]} or ${fitting[1]}.`, {
        cure:
          `Write the folder before the name in ${within}, as in ${JSON.stringify(toName(folder, fitting[0]))}; ` +
          "or where all images lie in one folder, name that with --images.",
      });
    },
  };
}

/** Where a file that an export names should be: below a folder, whatever its name says, so that nothing else is read. */
export function placeBelow(folder: string, ...names: readonly string[]): string {
  const parts = names.flatMap((name) => name.replaceAll("\\", "/").split("/"));
  const plain = parts.filter((part) => !["", ".", ".."].includes(part) && !/^[A-Za-z]:$/.test(part));
  return resolve(folder, ...plain);
}

/** A path relative to a folder, with `/` between folders and nothing that leads out of it. */
export function toName(folder: string, file: string): string {
  const parts = slashed(relative(folder, file)).split("/");
  return parts.filter((part) => part !== ".." && part !== "").join("/");
}

/** A file's name without its ending. */
export function stem(name: string): string {
  return name.replace(/\.[^./]*$/, "");
}

const SPLIT_WORDS: Readonly<Record<string, string>> = {
  train: "train",
  training: "train",
  trainval: "train",
  val: "validation",
  valid: "validation",
  validation: "validation",
  dev: "validation",
  test: "test",
  testing: "test",
};

/** The split that a word of a file's or folder's name means, such as `val` in `instances_val2017.json`. */
export function splitIn(text: string): { word: string; split: string } | undefined {
  for (const word of text.split(/[^\p{L}\p{N}]+/u).reverse()) {
    const known = word.replace(/\d+$/, "").toLowerCase();
    if (Object.hasOwn(SPLIT_WORDS, known)) return { word, split: SPLIT_WORDS[known] };
  }
  return undefined;
}

function preferring(files: readonly string[], fits: (file: string) => boolean): string[] {
  const preferred = files.filter(fits);
  return preferred.length > 0 ? preferred : [...files];
}

function isIn(file: string, folder: string): boolean {
  const root = resolve(folder);
  return file.startsWith(root.endsWith(sep) ? root : root + sep) || dirname(file) === root;
}

function slashed(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}

/** Some tools write capitals and accented letters in another form than the file system has them. */
function keyOf(name: string): string {
  return name.normalize().toLowerCase();
}
