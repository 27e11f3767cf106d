/** The files of one explained image: JSON, overlay and masks, side by side under one stem. */

import { basename, extname, join } from "node:path";
import { writeFileAtomic, writeJson } from "../core/files.js";
import { decodeImage } from "../dataset/image.js";
import type { Explained } from "../explain/explanation.js";
import { maskFiles } from "./mask-png.js";
import { renderOverlay } from "./overlay.js";

/** Enough for a panel of 400 pixels on either side. */
const PICTURE_SIZE = 512;

/**
 * Writes `<stem>.json`, `<stem>.overlay.png` and the mask files that the JSON names; each file whole or not at all, the
 * JSON last, so that it vouches for the others.
 *
 * @param image path of the image that was explained.
 * @param options.stem as it was given to `explain`; by default the image's name without its ending.
 * @returns paths of the files, the JSON first.
 * @throws ImageError where the image cannot be read any more.
 */
export async function writeExplanation(
  explained: Explained,
  { image, folder, stem = basename(image, extname(image)) }: { image: string; folder: string; stem?: string },
): Promise<string[]> {
  const { image: pixels, width, height } = await decodeImage(image, { size: PICTURE_SIZE });
  const picture = { width: PICTURE_SIZE, height: PICTURE_SIZE, pixels };
  const files = {
    [`${stem}.overlay.png`]: await renderOverlay(explained, picture, { shape: { width, height } }),
    ...(await maskFiles(explained)),
  };
  const names = Object.keys(files);
  for (const name of names) await writeFileAtomic(join(folder, name), files[name]);
  const json = join(folder, `${stem}.json`);
  await writeJson(json, explained.explanation);
  return [json, ...names.map((name) => join(folder, name))];
}
