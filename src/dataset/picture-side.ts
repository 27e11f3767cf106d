/** Whether images are small enough to be kept in memory whole and cropped in the training step's graph. */

import { ImageError } from "../core/errors.js";
import { type Dataset, readRecord, splitSize } from "./dataset.js";
import { mapAhead } from "./map-ahead.js";
import { locate } from "./paths.js";
import type { PixelCache } from "./pixel-cache.js";
import type { Split } from "./record.js";

/** Sides are multiples of this, pixels. */
const GRAIN = 8;

/**
 * Side of a square that every image of a split fits into. `null` if one is larger than `limit`, if its pixels cannot be
 * kept unchanged (`OpenImage.keepDecoded`), or if one cannot be read, which training then reports.
 *
 * @param options.cache gets the pixels that are decoded on the way.
 */
export async function pictureSide(
  dataset: Dataset,
  { split, limit, cache, signal }: { split: Split; limit: number; cache: PixelCache; signal?: AbortSignal },
): Promise<number | null> {
  const sideOf = async (index: number) => {
    const { image: file } = await readRecord(dataset, split, index);
    const image = await cache.image(locate(dataset, file));
    const side = Math.max(image.width, image.height);
    return side <= limit && (await image.keepDecoded({ size: limit })) ? side : null;
  };
  let largest = 0;
  try {
    const places = Array.from({ length: splitSize(dataset, split) }, (_, index) => index);
    for await (const side of mapAhead(places, sideOf, { ahead: 16, concurrency: 4 })) {
      signal?.throwIfAborted();
      if (side === null) return null;
      largest = Math.max(largest, side);
    }
  } catch (error) {
    if (error instanceof ImageError) return null;
    throw error;
  }
  return Math.ceil(largest / GRAIN) * GRAIN;
}
