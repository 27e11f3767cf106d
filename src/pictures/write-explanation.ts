/** The files of one explained image: JSON, overlay and masks, side by side under one stem. */

import { stemOf } from "../core/result-file-names.js";
import { openResultFolder, type ResultFolder } from "../core/result-folder.js";
import type { Explained } from "../explain/explanation.js";
import { drawFiles } from "./explanation-files.js";
import type { PictureSource, Shape } from "./shown-image.js";

/** What `writeExplanation` draws on, and where it writes. */
export interface WriteExplanationOptions {
  /** The image that was explained: its path, or the upright pixels, best with sides of 400 pixels or more. */
  readonly image: PictureSource;
  /**
   * The output folder, created with the first files: its path or, for many images, the result of `openResultFolder`.
   */
  readonly folder: string | ResultFolder;
  /** As given to `explain`; by default the image's file name without its ending, as there. */
  readonly stem?: string;
  /** Width and height of the original, if the pixels were resized to another aspect ratio. */
  readonly shape?: Shape;
  /** `image`: masks have the original's width and height; `model`: they are square, at the model's input size. */
  readonly maskSize?: "image" | "model";
}

/**
 * Writes `<stem>.json`, `<stem>.overlay.jpg` and the mask files that the JSON names; all or none, the JSON last, so
 * that if it exists the others do. They replace earlier files of that stem; a file that this function did not make, or
 * that was changed since, is never overwritten.
 *
 * @returns paths of the files, the JSON first.
 * @throws InputError if a file was made by something else, or the folder cannot be written to.
 * @throws ImageError where the image cannot be read; InputError where pixels are not as many as their sides say.
 */
export async function writeExplanation(
  explained: Explained,
  {
    image,
    folder,
    stem = explained.stem ?? stemOf(explained.explanation.image),
    shape,
    maskSize,
  }: WriteExplanationOptions,
): Promise<string[]> {
  const files = await drawFiles(explained, { image, stem, shape, maskSize });
  const results = typeof folder === "string" ? await openResultFolder(folder) : folder;
  const paths = await results.write(stem, files);
  return [...paths.slice(-1), ...paths.slice(0, -1)];
}
