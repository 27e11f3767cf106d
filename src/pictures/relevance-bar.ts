/** A relevance as a bar, with a tick at the threshold. */

import type { Drawing } from "./drawing.js";
import { barShare } from "./headline.js";
import { INK, TRACK } from "./palette.js";

/** @param options.x left end of the track; it is 8 pixels high from `y` on, and as long as a relevance of 1. */
export function relevanceBar(
  relevance: number | null,
  { x, y, width, colour, threshold }: { x: number; y: number; width: number; colour: string; threshold: number },
): Drawing {
  const rect = (length: number, fill: string) =>
    `<rect x="${x}" y="${y}" width="${length}" height="8" rx="4" fill="${fill}"/>`;
  const length = barShare(relevance) * width;
  const tick = x + threshold * width;
  return [
    rect(width, TRACK),
    length > 0 ? rect(Math.max(8, length), colour) : "",
    `<path d="M${tick} ${y - 3}V${y + 11}" stroke="${INK}" stroke-width="1.6" stroke-linecap="round"/>`,
  ];
}
