/** Decoded pixels of small files, kept between epochs so that each is read and decoded once. */

import { type OpenImage, openImage } from "./open-image.js";
import { type Raster, readRaster } from "./raster.js";

export interface PixelCache {
  image(path: string): Promise<OpenImage>;
  raster(path: string): Promise<Raster>;
}

/**
 * Pixels from the cache equal those from the file bit for bit (`OpenImage.keepDecoded`); images that cannot be kept so,
 * or do not fit into the cache, are read again each time.
 *
 * @param options.bytes size of the cache.
 * @param options.inputSize side to which images will be rendered, pixels.
 */
export function createPixelCache({ bytes, inputSize }: { bytes: number; inputSize: number }): PixelCache {
  const images = new Map<string, OpenImage>();
  const rasters = new Map<string, Raster>();
  let free = bytes;
  const keep = <Item>(kept: Map<string, Item>, path: string, item: Item, size: number): Item => {
    if (size <= free && !kept.has(path)) {
      free -= size;
      kept.set(path, item);
    }
    return item;
  };
  return {
    image: async (path) => {
      const known = images.get(path);
      if (known) return known;
      const image = await openImage(path);
      if (3 * image.width * image.height > free) return image;
      const decoded = await image.keepDecoded({ size: inputSize });
      return decoded ? keep(images, path, decoded, 3 * image.width * image.height) : image;
    },
    raster: async (path) => {
      const known = rasters.get(path);
      if (known) return known;
      const raster = await readRaster(path);
      return keep(rasters, path, raster, raster.values.byteLength);
    },
  };
}
