/** A relevance as a bar, with a tick at the threshold. */

import type { Drawing } from "./drawing.js";
import { barShare } from "./headline.js";
import { INK, TRACK } from "./palette.js";

/** @param options.x left end of the track; it is 8 pixels high from `y` on, and as long as a relevance of 1. */
export function relevanceBar(
  relevance: number | null,
  { x, y, width, colour, threshold }: { x: number; y: number; width: number; colour: string; threshold: number },
): Drawing {
  const bar = (length: number, fill: string) => ({ x, y, width: length, height: 8, radius: 4, fill });
  const length = barShare(relevance) * width;
  const tick = { x: x + threshold * width - 0.8, y: y - 3.8, width: 1.6, height: 15.6, radius: 0.8, fill: INK };
  return [bar(width, TRACK), ...(length > 0 ? [bar(Math.max(8, length), colour)] : []), tick];
}
