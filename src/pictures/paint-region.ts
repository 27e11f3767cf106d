/** Paints where an aspect is: a fill and a contour. */

import { type CellMap, enlargeInside } from "../core/enlarge-region.js";
import type { RgbImage } from "./painting.js";
import type { Colour } from "./palette.js";
import { reused } from "./reused-memory.js";

const insideMemory = reused((length) => new Uint8Array(length));

/**
 * Paints a region on an image, in place: a fill, and a contour inside its edge with a thin line of another colour
 * around it, so that it can be seen on any background. A region that is cut by the frame has no contour there.
 *
 * @param region values of one half and above belong to the region.
 * @param options.opacity of the fill, 0..1; `contour` in pixels.
 */
export function paintRegion(
  { width, height, pixels }: RgbImage,
  region: CellMap,
  { colour, opacity, contour, around }: { colour: Colour; opacity: number; contour: number; around: Colour },
): void {
  const margin = Math.max(1, contour);
  const inside = enlargeInside(region, { width, height, margin, memory: insideMemory });
  const stride = width + 2 * margin;
  const lay = (at: number, over: Colour, share: number) => {
    pixels[at] += share * (over[0] - pixels[at]);
    pixels[at + 1] += share * (over[1] - pixels[at + 1]);
    pixels[at + 2] += share * (over[2] - pixels[at + 2]);
  };
  const [reach, nearest] = [ring(contour, stride), ring(1, stride)];
  const { top, bottom, left, right } = bounds(inside, stride);
  const [firstY, endY] = [Math.max(0, top - 1 - margin), Math.min(height, bottom + 2 - margin)];
  const [firstX, endX] = [Math.max(0, left - 1 - margin), Math.min(width, right + 2 - margin)];
  for (let y = firstY; y < endY; y++) {
    for (let x = firstX; x < endX; x++) {
      const cell = (y + margin) * stride + x + margin;
      const at = 3 * (y * width + x);
      if (inside[cell] === 0) {
        if (insideAround(inside, cell, nearest) > 0) lay(at, around, 0.8);
      } else if (insideAround(inside, cell, reach) < 8) lay(at, colour, 1);
      else if (opacity > 0) lay(at, colour, opacity);
    }
  }
}

type Ring = Readonly<Record<"right" | "down" | "slant" | "back", number>>;

/** Steps of one length right, down, and aslant downwards; the opposite four are their negatives. */
function ring(length: number, stride: number): Ring {
  const slant = Math.round(length * Math.SQRT1_2);
  return { right: length, down: length * stride, slant: slant * (stride + 1), back: slant * (stride - 1) };
}

/** How many of the eight cells at these steps are inside. */
function insideAround(inside: Uint8Array, cell: number, { right, down, slant, back }: Ring): number {
  return (
    inside[cell + right] +
    inside[cell - right] +
    inside[cell + down] +
    inside[cell - down] +
    inside[cell + slant] +
    inside[cell - slant] +
    inside[cell + back] +
    inside[cell - back]
  );
}

/** The rows and columns in which a region begins and ends; an empty one ends before it begins. */
function bounds(inside: Uint8Array, stride: number): Record<"top" | "bottom" | "left" | "right", number> {
  const first = inside.indexOf(1);
  const [top, bottom] = first < 0 ? [0, -2] : [first, inside.lastIndexOf(1)].map((cell) => Math.floor(cell / stride));
  let [left, right] = [stride, -1];
  for (let y = top; y <= bottom; y++) {
    const row = inside.subarray(y * stride, (y + 1) * stride);
    const start = row.indexOf(1);
    if (start >= 0) [left, right] = [Math.min(left, start), Math.max(right, row.lastIndexOf(1))];
  }
  return { top, bottom, left, right };
}
