/** The files of one explained image: JSON, overlay and masks, side by side under one stem. */

import { explanationFile, overlayFile } from "../core/output-names.js";
import { openResultFolder, type ResultFolder } from "../core/result-folder.js";
import type { Explained } from "../explain/explanation.js";
import { maskFiles } from "./mask-png.js";
import { renderOverlay } from "./overlay.js";
import type { Picture } from "./painting.js";

export interface WriteExplanationOptions {
  readonly folder: string | ResultFolder;
  /** As it was given to `explain`. */
  readonly stem: string;
  /** Width and height of the original, where the picture was squeezed into another shape. */
  readonly shape?: { readonly width: number; readonly height: number };
  /** `image`: masks have the original's width and height; `model`: they are square, at the model's input size. */
  readonly maskSize?: "image" | "model";
}

/**
 * Writes `<stem>.json`, `<stem>.overlay.png` and the mask files that the JSON names; all or none, the JSON last, so that it
 * vouches for the others. They replace what was written before under that stem; a file that this function did not make, or that was changed
 * since, is never written over.
 *
 * @param picture the upright image, best with sides of 400 pixels or more.
 * @returns paths of the files, the JSON first.
 * @throws InputError where a file is another's, or the folder cannot be written to.
 */
export async function writeExplanation(
  explained: Explained,
  picture: Picture,
  { folder, stem, shape = picture, maskSize = "image" }: WriteExplanationOptions,
): Promise<string[]> {
  const files = {
    [overlayFile(stem)]: await renderOverlay(explained, picture, { shape }),
    ...(await maskFiles(explained, maskSize === "image" ? { shape } : {})),
    [explanationFile(stem)]: `${JSON.stringify(explained.explanation, null, 2)}\n`,
  };
  const results = typeof folder === "string" ? await openResultFolder(folder) : folder;
  const paths = await results.write(stem, files);
  return [...paths.slice(-1), ...paths.slice(0, -1)];
}
