/** The middle square of an image, as networks of photographs often see it. */

import type { Crop } from "./augmented-view.js";

/**
 * @param size width and height, pixels.
 * @param share of the shorter side, above 0 to 1.
 */
export function centerCropOf({ width, height }: { width: number; height: number }, share: number): Crop {
  const side = Math.max(1, Math.round(share * Math.min(width, height)));
  return { left: Math.floor((width - side) / 2), top: Math.floor((height - side) / 2), width: side, height: side };
}
