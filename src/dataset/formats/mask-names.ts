/** Which mask belongs to which image: both lie in folders of their own, under the same name. */

import { DatasetError } from "../../core/errors.js";
import { stem } from "./places.js";

const IMAGE_FOLDER = /^(images?|imgs?|jpegimages|inputs?|photos?|pictures?)$/i;
const MASK_FOLDER = /^(masks?|labels?|annotations?|segmentations?|segmentationclass|ground_?truths?|gt|trimaps?)$/i;

export interface MaskOf {
  /** Of the image, among those that were given. */
  readonly image: string;
  readonly mask: string;
  /** The folder or the end of the name that tells what the mask shows: `masks/nucleus/1.png`, `masks/1_nucleus.png`. */
  readonly aspect?: string;
}

/** True for a path with a folder that is called so. */
export function isMaskPath(name: string): boolean {
  return name
    .split("/")
    .slice(0, -1)
    .some((folder) => MASK_FOLDER.test(folder));
}

/** Folders that are called like those of images; where there is none, a set of masks is hardly one. */
export function isImagePath(name: string): boolean {
  return name
    .split("/")
    .slice(0, -1)
    .some((folder) => IMAGE_FOLDER.test(folder));
}

/**
 * @param images, masks paths relative to a folder, `/` between folders.
 * @returns the pairs, and the masks without an image.
 * @throws DatasetError where a mask may be of two images.
 */
export function pairMasks(
  images: readonly string[],
  masks: readonly string[],
): { pairs: readonly MaskOf[]; alone: readonly string[] } {
  const byKey = new Map<string, string>();
  const twice = new Map<string, string>();
  for (const image of images) {
    const key = keyOf(image).join("/");
    const other = byKey.get(key);
    if (other !== undefined) twice.set(other, image);
    else byKey.set(key, image);
  }
  const pairs: MaskOf[] = [];
  const alone: string[] = [];
  for (const mask of masks) {
    const found = imageOf(keyOf(mask), byKey);
    const other = found && twice.get(found.image);
    if (other !== undefined)
      throw new DatasetError(`${mask}: may be of ${found?.image} or ${other}.`, { cure: "Rename one with its mask." });
    if (found) pairs.push({ mask, ...found });
    else alone.push(mask);
  }
  return { pairs, alone };
}

function imageOf(
  key: readonly string[],
  byKey: ReadonlyMap<string, string>,
): { image: string; aspect?: string } | undefined {
  const same = byKey.get(key.join("/"));
  if (same !== undefined) return { image: same };
  const name = key[key.length - 1];
  for (const [at, aspect] of key.slice(0, -1).entries()) {
    const image = byKey.get(key.toSpliced(at, 1).join("/"));
    if (image !== undefined) return { image, aspect };
  }
  for (let at = name.length - 1; at > 0; at--) {
    if (!/[_.-]/.test(name[at])) continue;
    const image = byKey.get([...key.slice(0, -1), name.slice(0, at)].join("/"));
    const end = name.slice(at + 1);
    if (image !== undefined) return MASK_FOLDER.test(end) ? { image } : { image, aspect: end };
  }
  return undefined;
}

/** The path without its ending and without the folders that only say what lies in them. */
function keyOf(path: string): string[] {
  const parts = stem(path).split("/");
  const folders = parts.slice(0, -1).filter((part) => !IMAGE_FOLDER.test(part) && !MASK_FOLDER.test(part));
  return [...folders, parts[parts.length - 1]];
}
