/**
 * Which files are meant: each argument is a file, a folder that is searched, or a pattern that the shell has left
 * alone.
 */

import { realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { ImageError, type InputError } from "../core/errors.js";
import { listedFiles } from "../core/result-folder.js";
import { IMAGE_ENDINGS } from "../dataset/image-format.js";

/** Without following the folder's own links twice, and without files that are hidden. */
const SEARCH = { expandDirectories: false, onlyFiles: true, dot: false } as const;

/**
 * In the order of the arguments, what a folder or pattern holds sorted by its path; a file that was named already is
 * left out there. A folder is searched with all folders in it for names that end as images do; explanations that are in
 * it are none.
 *
 * @returns the images, and what is wrong with the arguments that name none.
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
      images.add(word); // absent or no image: whoever reads it says so
      continue;
    }
    const files = found ? await searchFolder(word) : await searchPattern(word);
    for (const file of files) images.add(file);
    const nothing = found ? `is a folder without images (${IMAGE_ENDINGS.join(", ")})` : "no file has such a name";
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

/** Sorted; of files that are met in one folder by several ways, through links, the first. */
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
