/** Paints rounded rectangles, of which all shapes of our pictures are made: bars, dots, ticks, labels and boxes. */

import type { RgbImage } from "./painting.js";
import { type Colour, toColour } from "./palette.js";
import type { Rectangle } from "./place-labels.js";

/** A rectangle in pixels, on fractions of them too, with a fill, an outline, or both. */
export interface RoundedRectangle extends Rectangle {
  /** Of the corners, pixels; at most half of a side counts. */
  readonly radius?: number;
  /** `#rrggbb`, or several of them from left to right. */
  readonly fill?: string | readonly string[];
  readonly fillOpacity?: number;
  /** The outline is drawn along the edge, half inside, half outside. */
  readonly stroke?: string;
  readonly strokeWidth?: number;
  readonly strokeOpacity?: number;
  /** Dashes of the outline, in equal angles around its centre; without gaps by default. */
  readonly dashCount?: number;
  /** Nothing is painted outside it. */
  readonly clip?: Rectangle;
}

/** A dot around a centre. */
export function dot(x: number, y: number, { radius, fill }: { radius: number; fill: string }): RoundedRectangle {
  return { x: x - radius, y: y - radius, width: 2 * radius, height: 2 * radius, radius, fill };
}

/**
 * Paints it on an image, in place, with smooth edges: how far a pixel's centre is inside the edge is taken for the
 * share of the pixel that is covered.
 */
export function paintRectangle(image: RgbImage, shape: RoundedRectangle): void {
  const { x, y, width, height, fill, fillOpacity = 1, clip = { x: 0, y: 0, ...image } } = shape;
  const { stroke, strokeWidth = stroke ? 1 : 0, strokeOpacity = 1, dashCount } = shape;
  const radius = Math.min(shape.radius ?? 0, width / 2, height / 2);
  const [middleX, middleY, reach] = [x + width / 2, y + height / 2, strokeWidth / 2 + 1];
  const [coreX, coreY] = [width / 2 - radius, height / 2 - radius];
  const line = stroke ? toColour(stroke) : undefined;
  const fillAt = fill === undefined ? undefined : gradient(fill, shape);
  const first = (start: number, clipped: number) => Math.max(0, Math.ceil(clipped), Math.floor(start - reach));
  const last = (end: number, clipped: number, side: number) =>
    Math.min(side, Math.floor(clipped), Math.ceil(end + reach));
  const [left, right] = [first(x, clip.x), last(x + width, clip.x + clip.width, image.width)];
  for (let row = first(y, clip.y); row < last(y + height, clip.y + clip.height, image.height); row++) {
    const acrossY = Math.abs(row + 0.5 - middleY) - coreY;
    for (let column = left; column < right; column++) {
      const acrossX = Math.abs(column + 0.5 - middleX) - coreX;
      const corner = acrossX > 0 && acrossY > 0 ? Math.hypot(acrossX, acrossY) : Math.max(acrossX, acrossY);
      const outside = corner - radius; // distance from the edge, negative inside
      if (outside > reach || (!fillAt && outside < -reach)) continue;
      const at = 3 * (row * image.width + column);
      if (fillAt) lay(image.pixels, at, fillAt(column + 0.5), fillOpacity * share(0.5 - outside));
      if (!line) continue;
      const isGap = dashCount !== undefined && isBetweenDashes(column + 0.5 - middleX, row + 0.5 - middleY, dashCount);
      if (!isGap) lay(image.pixels, at, line, strokeOpacity * share(0.5 + strokeWidth / 2 - Math.abs(outside)));
    }
  }
}

/** The colour at a horizontal place. */
function gradient(fill: string | readonly string[], { x, width }: Rectangle): (place: number) => Colour {
  const stops = (typeof fill === "string" ? [fill] : fill).map(toColour);
  return (place) => {
    const exact = share((place - x) / width) * (stops.length - 1);
    const low = Math.floor(exact);
    if (low === exact) return stops[low];
    const mixed = (part: 0 | 1 | 2) => stops[low][part] + (exact - low) * (stops[low + 1][part] - stops[low][part]);
    return [mixed(0), mixed(1), mixed(2)];
  };
}

function isBetweenDashes(x: number, y: number, dashCount: number): boolean {
  const turns = (Math.atan2(y, x) / (2 * Math.PI) + 1) * dashCount;
  return turns % 1 >= 0.5;
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function lay(pixels: Uint8Array, at: number, colour: Colour, opacity: number): void {
  if (opacity <= 0) return;
  for (let part = 0; part < 3; part++)
    pixels[at + part] = pixels[at + part] + opacity * (colour[part] - pixels[at + part]) + 0.5;
}
