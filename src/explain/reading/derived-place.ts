/**
 * The place of an aspect whose head gives one number for the whole image: where its own evidence lies. The head does not
 * say it, so it is marked as derived.
 */

import { pixelCount, type Size, sidesOf } from "../../core/size.js";
import { SHARE_OF_PEAK } from "../relevance-constants.js";
import type { AspectOverlap } from "./overlap.js";

/**
 * The pixels whose evidence is at least a share of the highest, as a place is found in a class activation map (Zhou et
 * al. 2016, arXiv:1512.04150).
 *
 * @param overlaps the aspect at each layer that its head reads.
 * @param options.size height and width of the model's input, pixels.
 * @returns `[height * width]` of 0 and 1; all 0 where there is no evidence.
 */
export function derivedPlace(overlaps: readonly AspectOverlap[], { size }: { size: Size }): Uint8Array {
  const density = evidenceDensity(overlaps, { size });
  const peak = density.reduce((a, b) => Math.max(a, b), 0);
  return Uint8Array.from(density, (value) => (peak > 0 && value >= SHARE_OF_PEAK * peak ? 1 : 0));
}

/**
 * `|p|` at each pixel, the sum over the layers: of each, bilinear between the centres of its cells, and divided by a
 * cell's area, so that a coarse layer and a fine one count by the evidence that they hold. Cells are taken as equal
 * parts of the image: moved to the centres of their receptive fields (`tapOffset`), as the saliency is drawn, places
 * overlap the true masks less (in bench/results/derived-place.json `iouMoved`).
 *
 * @returns `[height * width]`, zero or more.
 */
export function evidenceDensity(overlaps: readonly AspectOverlap[], { size }: { size: Size }): Float32Array {
  const density = new Float32Array(pixelCount(size));
  const sides = sidesOf(size);
  for (const { overlap } of overlaps) {
    const [, height, width] = overlap.shape;
    const norms = Float32Array.from({ length: height * width }, (_, cell) => Math.sqrt(overlap.data[2 * cell + 1]));
    const rows = between({ length: sides.height, count: height });
    const columns = between({ length: sides.width, count: width });
    for (let y = 0; y < sides.height; y++) {
      const row = rows[y];
      for (let x = 0; x < sides.width; x++) {
        const column = columns[x];
        const along = (cells: number) =>
          norms[cells * width + column.low] * (1 - column.share) + norms[cells * width + column.high] * column.share;
        density[y * sides.width + x] +=
          (along(row.low) * (1 - row.share) + along(row.high) * row.share) * height * width;
      }
    }
  }
  return density;
}

/** Of each pixel, the two cells around it and how far it lies towards the second. */
function between({ length, count }: { length: number; count: number }) {
  return Array.from({ length }, (_, pixel) => {
    const place = ((pixel + 0.5) / length) * count - 0.5;
    const centre = Math.min(count - 1, Math.max(0, place));
    const low = Math.floor(centre);
    return { low, high: Math.min(count - 1, low + 1), share: centre - low };
  });
}
