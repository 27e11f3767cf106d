/** Finds the images that the arguments name: each is a file, a folder that is searched, or a quoted glob pattern. */

import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { ImageError, type InputError } from "../core/errors.js";
import { listedFiles } from "../core/result-folder.js";
import { IMAGE_ENDINGS } from "./image-format.js";

/** Links to folders are followed once; hidden files are left out. */
const SEARCH = { expandDirectories: false, onlyFiles: true, dot: false } as const;

/**
 * Images are returned in the order of the arguments, those of a folder or pattern sorted by path, each once. A folder
 * is searched recursively for file names with the ending of an image; results of `explain` in it are left out.
 *
 * @returns the images, and an error for each argument that names none.
 */
export async function findImages(
  words: readonly string[],
): Promise<{ images: readonly string[]; failures: readonly InputError[] }> {
  const images = new Set<string>();
  const failures: InputError[] = [];
  for (const word of words) {
    const found = await stat(word).catch(() => undefined);
    const isPattern = !found && /[*?[{]/.test(word);
    if (!found?.isDirectory() && !isPattern) {
      images.add(word); // reading it will say if it is absent or no image
      continue;
    }
    const files = found ? await searchFolder(word) : await searchPattern(word);
    for (const file of files) images.add(file);
    const nothing = found ? `is a folder without images (${IMAGE_ENDINGS.join(", ")})` : "no file matches";
    if (files.length === 0) failures.push(new ImageError(`${word}: ${nothing}.`, { cure: "Check the path." }));
  }
  return { images: [...images], failures };
}

async function searchFolder(folder: string): Promise<string[]> {
  const pattern = `**/*.{${IMAGE_ENDINGS.join(",")}}`;
  const { glob } = await import("tinyglobby");
  const names = await glob(pattern, { ...SEARCH, cwd: folder, caseSensitiveMatch: false });
  const own = new Map<string, ReadonlySet<string>>();
  const images: string[] = [];
  for (const file of await withoutDetours(names.map((name) => join(folder, name)))) {
    const place = dirname(file);
    const listed = own.get(place) ?? (await listedFiles(place));
    own.set(place, listed);
    if (!listed.has(basename(file))) images.push(file);
  }
  return images;
}

async function searchPattern(pattern: string): Promise<string[]> {
  const { glob } = await import("tinyglobby");
  return withoutDetours(await glob(pattern, { ...SEARCH, absolute: isAbsolute(pattern) }));
}

/** Sorted; a file that is reached several times through links is listed once. */
async function withoutDetours(files: readonly string[]): Promise<string[]> {
  const places = new Map<string, string>();
  const seen = new Set<string>();
  const kept: string[] = [];
  for (const file of [...files].sort()) {
    const folder = dirname(file);
    const place = places.get(folder) ?? (await realpath(folder).catch(() => folder));
    places.set(folder, place);
    const key = join(place, basename(file));
    if (!seen.has(key)) kept.push(file);
    seen.add(key);
  }
  return kept;
}
