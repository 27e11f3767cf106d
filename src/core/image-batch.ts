/** Images of samples as one array for an engine. */

import type { Sample } from "./annotation.js";
import { type NdArray, ndArray } from "./nd-array.js";
import { pixelCount, type Size, shapeOf } from "./size.js";

/**
 * The images of samples as one array for an engine.
 *
 * `[batchSize, height, width, 3]` RGB 0..255; rows past the samples are zeros.
 */
export function imageBatch(
  samples: readonly Sample[],
  { size, batchSize }: { size: Size; batchSize: number },
): NdArray {
  const images = ndArray([batchSize, ...shapeOf(size), 3]);
  for (const [row, { image }] of samples.entries()) images.data.set(image, row * pixelCount(size) * 3);
  return images;
}
