/** Boundary F1: how far the edges of an area that was found and of one that was marked run along each other. */

import { type Size, sidesOf } from "../core/size.js";
import { ratio } from "./weights.js";

/** Pixels on the boundaries of one image, or of many together. */
export interface BoundaryCounts {
  /** On the boundary of what was found, and those of them within the tolerance of the marked one. */
  readonly found: number;
  readonly foundNear: number;
  readonly marked: number;
  readonly markedNear: number;
}

/** Share of the image's diagonal (Perazzi et al. 2016, DAVIS; Csurka et al. 2013 take 0.0075). */
const TOLERANCE = 0.008;

/** Pixels that two boundaries may lie apart in an image of this size, at least 1. */
export function boundaryTolerance(size: Size): number {
  const { height, width } = sidesOf(size);
  return Math.ceil(height === width ? TOLERANCE * Math.SQRT2 * height : TOLERANCE * Math.hypot(height, width));
}

/**
 * Boundary pixels, and how many lie within the tolerance (Euclidean) of the other boundary. A boundary pixel is of the
 * area and has one of its four neighbours outside; the image's own edge is no boundary.
 *
 * @param found @param marked `[height * width]` of 0 and 1, row-major.
 * @param unknown 1 where a pixel is neither: such a neighbour makes no boundary, and boundaries on it or within the
 *   tolerance of it do not count.
 */
export function boundaryCounts(
  found: ArrayLike<number>,
  marked: ArrayLike<number>,
  { size, unknown }: { size: Size; unknown?: ArrayLike<number> },
): BoundaryCounts {
  const radius = boundaryTolerance(size);
  const hidden = unknown && near(pixelsWhere(unknown), { size, radius });
  const edgesOf = (area: ArrayLike<number>) =>
    boundary(area, { size, unknown }).filter((pixel) => !hidden || hidden[pixel] === 0);
  const [ours, theirs] = [edgesOf(found), edgesOf(marked)];
  const [nearOurs, nearTheirs] = [near(ours, { size, radius }), near(theirs, { size, radius })];
  const count = (pixels: readonly number[], near: Uint8Array) => pixels.reduce((sum, pixel) => sum + near[pixel], 0);
  return {
    found: ours.length,
    foundNear: count(ours, nearTheirs),
    marked: theirs.length,
    markedNear: count(theirs, nearOurs),
  };
}

/** Harmonic mean of precision and recall of boundary pixels, 0..1; `null` where neither has a boundary. */
export function boundaryF1({ found, foundNear, marked, markedNear }: BoundaryCounts): number | null {
  if (found === 0 && marked === 0) return null;
  const [precision, recall] = [ratio(foundNear, found) ?? 0, ratio(markedNear, marked) ?? 0];
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

function boundary(area: ArrayLike<number>, { size, unknown }: { size: Size; unknown?: ArrayLike<number> }): number[] {
  const isOutside = (pixel: number) => area[pixel] === 0 && !unknown?.[pixel];
  const { height, width } = sidesOf(size);
  const pixels: number[] = [];
  for (let y = 0, pixel = 0; y < height; y++) {
    for (let x = 0; x < width; x++, pixel++) {
      if (area[pixel] === 0) continue;
      const hasOutside =
        (x > 0 && isOutside(pixel - 1)) ||
        (x + 1 < width && isOutside(pixel + 1)) ||
        (y > 0 && isOutside(pixel - width)) ||
        (y + 1 < height && isOutside(pixel + width));
      if (hasOutside) pixels.push(pixel);
    }
  }
  return pixels;
}

function pixelsWhere(area: ArrayLike<number>): number[] {
  const pixels: number[] = [];
  for (let pixel = 0; pixel < area.length; pixel++) if (area[pixel]) pixels.push(pixel);
  return pixels;
}

/** 1 for every pixel within the radius of one of these. */
function near(pixels: readonly number[], { size, radius }: { size: Size; radius: number }): Uint8Array {
  const { height, width } = sidesOf(size);
  const reached = new Uint8Array(height * width);
  // Half the width of the disc, by row.
  const halves = Array.from({ length: 2 * radius + 1 }, (_, row) =>
    Math.floor(Math.sqrt(radius ** 2 - (row - radius) ** 2)),
  );
  for (const pixel of pixels) {
    const x = pixel % width;
    const y = (pixel - x) / width;
    for (let row = Math.max(0, y - radius); row <= Math.min(height - 1, y + radius); row++) {
      const half = halves[row - y + radius];
      reached.fill(1, row * width + Math.max(0, x - half), row * width + Math.min(width, x + half + 1));
    }
  }
  return reached;
}
