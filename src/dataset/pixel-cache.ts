/** Pixels of images and masks, kept between epochs so that each file is read and decoded once. */

import { openImage, type SquareImage } from "./open-image.js";
import { type Raster, readRaster } from "./raster.js";

export interface PixelCache {
  /**
   * An image as it is kept: whole, so that it has the very bytes that the file gives at the model's size; else so large
   * that no part is enlarged, but no larger than twice the model's size, or its own where that is more.
   */
  image(path: string, options: { isWhole: boolean }): Promise<SquareImage>;
  raster(path: string): Promise<Raster>;
}

/**
 * What does not fit is read again each time, and gives the same pixels.
 *
 * @param options.bytes size of the cache.
 * @param options.inputSize side to which images will be rendered, pixels.
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
  inputSize: number;
  crop?: number;
  centerCrop?: number;
}): PixelCache {
  const images = new Map<string, SquareImage>();
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
      const most = Math.max(2 * inputSize, opened.width, opened.height);
      const side = isWhole ? inputSize : Math.min(Math.ceil(inputSize / (1 - crop)), most);
      const image = await opened.keepSquare({ side });
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
