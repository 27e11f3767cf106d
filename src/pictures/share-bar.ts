/** A share as a bar: filled from the left, the whole track is 1. */

import type { Drawing } from "./drawing.js";
import { TRACK } from "./palette.js";

/** @param options.x left end of the track; it is 8 pixels high from `y` on, and as long as a share of 1. */
export function shareBar(
  share: number | null,
  { x, y, width, colour }: { x: number; y: number; width: number; colour: string },
): Drawing {
  const bar = (length: number, fill: string) => ({ x, y, width: length, height: 8, radius: 4, fill });
  const length = Math.min(1, Math.max(0, share ?? 0)) * width;
  return [bar(width, TRACK), ...(length >= 0.5 ? [bar(Math.max(8, length), colour)] : [])];
}
