/** The middle of an image, as networks of photographs often see it: a square, or a rectangle of their shape. */

import type { Crop } from "./augmented-view.js";
import { type Size, sidesOf } from "./size.js";

/**
 * How much of an image is seen, above 0 to 1: a share of the shorter side, of which a square is made; of another shape, a
 * share of the largest such rectangle in the image.
 */
export type CenterCrop = number | { readonly share: number; readonly shape: Size };

/** @param size of the network's input, which the middle has the shape of. */
export function centerCropFor(size: Size, share: number): CenterCrop {
  return typeof size === "number" ? share : { share, shape: size };
}

/** @param size width and height, pixels. */
export function centerCropOf({ width, height }: { width: number; height: number }, crop: CenterCrop): Crop {
  const { share, shape } = typeof crop === "number" ? { share: crop, shape: 1 } : crop;
  const wanted = sidesOf(shape);
  const scale = share * Math.min(width / wanted.width, height / wanted.height);
  const side = (length: number, whole: number) => Math.min(whole, Math.max(1, Math.round(scale * length)));
  const [across, down] = [side(wanted.width, width), side(wanted.height, height)];
  return {
    left: Math.floor((width - across) / 2),
    top: Math.floor((height - down) / 2),
    ...{ width: across, height: down },
  };
}
