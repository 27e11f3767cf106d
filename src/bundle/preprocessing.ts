/** Whether this version makes of an image file what a bundle's model was trained on. */

import { BundleError } from "../core/errors.js";
import { shown } from "../core/shown.js";
import { RESIZE_KERNEL } from "../dataset/image.js";
import { type BundleDescription, FILES } from "./description.js";

/** How this version reads images, and older ones did; a description may leave these out. */
const FIXED = { fit: "stretch", channels: "rgb", range: [0, 255], orientation: "exif", background: "#ffffff" } as const;

/** @throws BundleError where the bundle wants another size, resizing kernel, or way of reading. */
export function checkPreprocessing({ model, preprocessing }: BundleDescription, path: string): void {
  const { size, kernel } = preprocessing;
  const other = Object.entries(FIXED).find(([key, value]) => {
    const wanted = preprocessing[key as keyof typeof FIXED];
    return wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(value);
  });
  if (other !== undefined) {
    throw new BundleError(
      `${path}: ${FILES.description}: preprocessing.${other[0]}: this version does ${JSON.stringify(other[1])} alone. Export it again.`,
    );
  }
  if (kernel === RESIZE_KERNEL && size === model.trunk.inputSize) return;
  throw new BundleError(
    `${path}: ${FILES.description}: wants images of ${size} px by kernel ${shown(kernel)}, this version makes ${model.trunk.inputSize} px by "${RESIZE_KERNEL}". Export it again.`,
  );
}
