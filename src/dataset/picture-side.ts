/** Whether pictures are small enough to be kept whole and cut by the model. */

import { ImageError } from "../core/errors.js";
import { type Dataset, readRecord, splitSize } from "./dataset.js";
import { mapAhead } from "./map-ahead.js";
import { locate } from "./paths.js";
import type { PixelCache } from "./pixel-cache.js";
import type { Split } from "./record.js";

/** Sides are multiples of this, pixels. */
const GRAIN = 8;

/**
 * Side of a square that holds each picture of a split; `null` where one is larger than `limit`, where its pixels would
 * not come out as they are (`OpenImage.keepDecoded`), or where one cannot be read, which training then says at its
 * place.
 *
 * @param options.cache gets what is decoded for it.
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
