/** Draws all files of one explained image, to be written as a set. */

import { explanationFile, overlayFile } from "../core/result-file-names.js";
import type { Explained } from "../explain/explanation.js";
import { maskFiles } from "./mask-png.js";
import { renderOverlay } from "./overlay.js";
import { type PictureSource, type Shape, shownImage } from "./shown-image.js";

/** What is drawn on, and how. */
export interface DrawingOptions {
  /** The image that was explained: its path, or the upright pixels. */
  readonly image: PictureSource;
  /** How the names of the files begin. */
  readonly stem: string;
  /** Width and height of the original, if the pixels were resized to another aspect ratio. */
  readonly shape?: Shape;
  readonly maskSize?: "image" | "model";
}

/** Files by name, the JSON last. */
export type ExplanationFiles = Readonly<Record<string, string | Uint8Array>>;

/**
 * The overlay, the masks that the JSON names, and the JSON itself.
 *
 * @throws ImageError where the image cannot be read; InputError where pixels are not as many as their sides say.
 */
export async function drawFiles(
  explained: Explained,
  { image, stem, shape: given, maskSize = "image" }: DrawingOptions,
): Promise<ExplanationFiles> {
  const { picture, shape } = await shownImage(image, { shape: given, crop: explained.explanation.crop });
  return {
    [overlayFile(stem)]: await renderOverlay(explained, picture, { shape }),
    ...maskFiles(explained, maskSize === "image" ? { shape } : {}),
    ...jsonFile(explained, stem),
  };
}

/** The JSON alone. */
export function jsonFile({ explanation }: Pick<Explained, "explanation">, stem: string): ExplanationFiles {
  return { [explanationFile(stem)]: `${JSON.stringify(explanation, null, 2)}\n` };
}
