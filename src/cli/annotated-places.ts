/** Where annotated images go: into a folder of results, with the folders of the originals, or into their own places. */

import { realpath } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";
import { replaceableFile, replaceFile } from "../annotate/replace-file.js";
import { InputError } from "../core/errors.js";
import { isFolder, removeAbandoned } from "../core/files.js";
import { openResultFolder, type ResultFolder } from "../core/result-folder.js";
import { readImageFile } from "../dataset/read-image-file.js";

/** Folder of the images in a folder of results. */
const IMAGES = "images";

export interface AnnotatedPlaces {
  /** Of the files that describe all images, if any. */
  readonly folder?: ResultFolder;
  /** Path of an image as these files have it. */
  nameOf(image: string): string;
  /**
   * Reads an image, and writes what is made of it to its place.
   *
   * @returns false where nothing was to be changed.
   * @throws ImageError, InputError where this image cannot be read or written.
   */
  put(image: string, annotate: (bytes: Uint8Array) => Promise<Uint8Array>): Promise<boolean>;
}

/** Into `OUT/images`. @throws InputError where a file of somebody else would be overwritten. */
export async function copiesIn(
  out: string,
  { source, images, inputs }: { source: string; images: readonly string[]; inputs: readonly string[] },
): Promise<AnnotatedPlaces> {
  const folder = await openResultFolder(out, { inputs: [...inputs, ...images] });
  const root = await rootOf(source);
  const nameOf = (image: string) => join(IMAGES, relative(root, image)).split(sep).join("/");
  await folder.check(images.map(nameOf));
  return {
    folder,
    nameOf,
    put: async (image, annotate) => {
      const bytes = await annotate(await readImageFile(image));
      await folder.write(nameOf(image), { [nameOf(image)]: bytes });
      return true;
    },
  };
}

/** Where they are. @param out of the files that describe all images. */
export async function placesOf(
  source: string,
  { images, out, inputs }: { images: readonly string[]; out?: string; inputs: readonly string[] },
): Promise<AnnotatedPlaces> {
  const root = await rootOf(source);
  // What a killed process has left.
  for (const place of new Set(images.map((image) => dirname(image)))) await removeAbandoned(place);
  return {
    ...(out !== undefined && { folder: await openResultFolder(out, { inputs: [...inputs, ...images] }) }),
    nameOf: (image) => relative(root, image).split(sep).join("/"),
    put: async (image, annotate) => {
      const file = await replaceableFile(image, root);
      const former = await readImageFile(image);
      const bytes = await annotate(former);
      if (Buffer.compare(former, bytes) === 0) return false;
      await replaceFile(file, bytes);
      return true;
    },
  };
}

async function rootOf(source: string): Promise<string> {
  return (await isFolder(source)) ? source : dirname(source);
}

/**
 * Images without those of an earlier run, where its folder lies among them.
 *
 * @throws InputError where the images would be written into the folder that they are in.
 */
export async function withoutOwn(
  images: readonly string[],
  { source, out }: { source: string; out: string },
): Promise<readonly string[]> {
  const target = await realpath(out).catch(() => undefined);
  if (target === undefined) return images;
  const isIn = (place: string, folder: string) => place === folder || place.startsWith(folder + sep);
  if (isIn(await realpath(await rootOf(source)), target))
    throw new InputError(`--out ${out}: is, or holds, the folder of the images.`, {
      cure: "Name another folder, or change the images where they are: --in-place.",
    });
  const kept: string[] = [];
  for (const image of images) {
    const place = await realpath(dirname(image)).catch(() => dirname(image));
    if (!isIn(join(place, basename(image)), target)) kept.push(image);
  }
  return kept;
}
