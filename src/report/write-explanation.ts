/** The files of one explained image: JSON, overlay and masks, side by side under one stem. */

import { join } from "node:path";
import { writeFileAtomic, writeJson } from "../core/files.js";
import { overlayFile } from "../core/output-names.js";
import type { Explained } from "../explain/explanation.js";
import { maskFiles } from "./mask-png.js";
import { renderOverlay } from "./overlay.js";
import type { Picture } from "./raster.js";

/**
 * Writes `<stem>.json`, `<stem>.overlay.png` and the mask files that the JSON names; each file whole or not at all, the
 * JSON last, so that it vouches for the others.
 *
 * @param picture the upright image, best with sides of 400 pixels or more.
 * @param options.shape width and height of the original, where `picture` was squeezed into another shape.
 * @param options.stem as it was given to `explain`.
 * @returns paths of the files, the JSON first.
 */
export async function writeExplanation(
  explained: Explained,
  picture: Picture,
  {
    folder,
    stem,
    shape,
  }: { folder: string; stem: string; shape?: { readonly width: number; readonly height: number } },
): Promise<string[]> {
  const files = {
    [overlayFile(stem)]: await renderOverlay(explained, picture, { shape }),
    ...(await maskFiles(explained)),
  };
  const names = Object.keys(files);
  for (const name of names) await writeFileAtomic(join(folder, name), files[name]);
  const json = join(folder, `${stem}.json`);
  await writeJson(json, explained.explanation);
  return [json, ...names.map((name) => join(folder, name))];
}
