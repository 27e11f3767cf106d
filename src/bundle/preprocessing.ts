/** Whether this version makes of an image file what a bundle's model was trained on. */

import { BundleError } from "../core/errors.js";
import { RESIZE_KERNEL } from "../dataset/image.js";
import { type BundleDescription, FILES } from "./description.js";

/** @throws BundleError where the bundle wants another size or resizing kernel. */
export function checkPreprocessing({ model, preprocessing: { size, kernel } }: BundleDescription, path: string): void {
  if (kernel === RESIZE_KERNEL && size === model.trunk.inputSize) return;
  throw new BundleError(
    `${path}: ${FILES.description}: wants images of ${size} px by kernel "${kernel}", this version makes ${model.trunk.inputSize} px by "${RESIZE_KERNEL}". Export it again.`,
  );
}
