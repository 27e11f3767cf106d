/** Pixels of images and masks, kept between epochs so that each file is read and decoded once. */

import type { CenterCrop } from "../core/center-crop.js";
import { type Sides, type Size, sidesOf, sizeFrom } from "../core/size.js";
import { openImage, type SeenImage } from "./open-image.js";
import { type Raster, readRaster } from "./raster.js";

export interface PixelCache {
  /**
   * An image as it is kept: whole, so that it has the very bytes that the file gives at the model's size; else so large
   * that no part is enlarged, but no larger than twice the model's size, or its own where that is more.
   */
  image(path: string, options: { isWhole: boolean }): Promise<SeenImage>;
  raster(path: string): Promise<Raster>;
}

/**
 * What does not fit is read again each time, and gives the same pixels.
 *
 * @param options.bytes size of the cache.
 * @param options.inputSize to which images will be rendered, pixels.
 * @param options.centerCrop as `openImage` takes it.
 * @param options.crop 0 to below 1, the largest share of a side that is cut away from parts.
 */
export function createPixelCache({
  bytes,
  inputSize,
  crop = 0,
  centerCrop,
}: {
  bytes: number;
  inputSize: Size;
  crop?: number;
  centerCrop?: CenterCrop;
}): PixelCache {
  const images = new Map<string, SeenImage>();
  const rasters = new Map<string, Raster>();
  let free = bytes;
  const keep = <Item>(kept: Map<string, Item>, key: string, item: Item, size: number): Item => {
    if (size <= free && !kept.has(key)) {
      free -= size;
      kept.set(key, item);
    }
    return item;
  };
  return {
    image: async (path, { isWhole }) => {
      const key = `${isWhole ? "whole" : "parts"} ${path}`;
      const known = images.get(key);
      if (known) return known;
      const opened = await openImage(path, { centerCrop });
      const size = isWhole ? inputSize : largeEnough(inputSize, opened, crop);
      const image = await opened.keepSeen({ size });
      return keep(images, key, image, image.byteCount);
    },
    raster: async (path) => {
      const known = rasters.get(path);
      if (known) return known;
      const raster = await readRaster(path);
      return keep(rasters, path, raster, raster.values.byteLength);
    },
  };
}

/** So that no part is enlarged, but for images that are small themselves. */
function largeEnough(size: Size, { width, height }: Sides, crop: number): Size {
  const sides = sidesOf(size);
  const most = Math.max(2 * sides.height, 2 * sides.width, width, height);
  const side = (length: number) => Math.min(Math.ceil(length / (1 - crop)), most);
  return sizeFrom(side(sides.height), side(sides.width));
}
