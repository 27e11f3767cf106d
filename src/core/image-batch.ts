/** Images of samples as one array for an engine. */

import type { Sample } from "./annotation.js";
import { type NdArray, ndArray } from "./nd-array.js";

/**
 * The images of samples as one array for an engine.
 *
 * `[batchSize, size, size, 3]` RGB 0..255; rows past the samples are zeros.
 */
export function imageBatch(
  samples: readonly Sample[],
  { size, batchSize }: { size: number; batchSize: number },
): NdArray {
  const images = ndArray([batchSize, size, size, 3]);
  for (const [row, { image }] of samples.entries()) images.data.set(image, row * size * size * 3);
  return images;
}
