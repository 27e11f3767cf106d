/**
 * Pixels, and the object that each belongs to. Later objects cover earlier ones, but never so much that one vanishes.
 */

import type { Box } from "../../core/box.js";
import type { DrawnShape } from "./shapes.js";
import type { RgbColour } from "./texture.js";

export interface Canvas {
  readonly size: number;
  /** `[size, size, 3]` 0..255, not rounded. */
  readonly rgb: Float32Array;
  /** `[size * size]`, 0 for the background, else 1 + the index in `things`. */
  readonly owner: Uint16Array;
  readonly things: Thing[];
  /** Least width and height of what is visible of a thing, pixels. */
  readonly smallest: number;
}

interface Thing {
  readonly aspect: string;
  /** Number of pixels that it covered when it was drawn. */
  readonly area: number;
  /** Share of it that must stay visible. */
  readonly leastVisible: number;
  /** Pixels that may belong to it; the maxima are one past the last. */
  readonly region: Region;
}

interface Region {
  readonly yMin: number;
  readonly xMin: number;
  readonly yMax: number;
  readonly xMax: number;
}

export interface Paint {
  readonly aspect: string;
  readonly shape: DrawnShape;
  readonly leastVisible: number;
  /** Colour of a pixel. @param depth pixels from the edge, positive inside. */
  colour(x: number, y: number, depth: number): RgbColour;
}

/** @param options `smallest`: least width and height of anything on the canvas, pixels. */
export function canvas(size: number, rgb: Float32Array, { smallest = 10 }: { smallest?: number } = {}): Canvas {
  return { size, rgb, owner: new Uint16Array(size * size), things: [], smallest };
}

/**
 * Draws an object with smooth edges, unless it would lie outside, be too small, or hide too much of another.
 *
 * @returns whether it was drawn.
 */
export function draw(on: Canvas, paint: Paint): boolean {
  const { size, owner, things, rgb } = on;
  const { left, top, right, bottom } = paint.shape.bounds;
  const region: Region = {
    yMin: Math.max(0, Math.floor(top) - 1),
    xMin: Math.max(0, Math.floor(left) - 1),
    yMax: Math.min(size, Math.ceil(bottom) + 1),
    xMax: Math.min(size, Math.ceil(right) + 1),
  };
  const { pixels, distances } = distancesIn(region, paint.shape, size);
  const covered = pixels.filter((_, i) => distances[i] <= 0);
  const before = covered.map((pixel) => owner[pixel]);
  const mark = things.length + 1;
  things.push({ aspect: paint.aspect, area: covered.length, leastVisible: paint.leastVisible, region });
  for (const pixel of covered) owner[pixel] = mark;
  if (![...new Set(before), mark].every((id) => id === 0 || isVisible(on, id))) {
    things.pop();
    covered.forEach((pixel, i) => {
      owner[pixel] = before[i];
    });
    return false;
  }
  pixels.forEach((pixel, i) => {
    const cover = Math.min(1, 0.5 - distances[i]);
    if (cover <= 0) return;
    const x = pixel % size;
    const colour = paint.colour(x + 0.5, (pixel - x) / size + 0.5, -distances[i]);
    for (let k = 0; k < 3; k++) rgb[3 * pixel + k] += cover * (colour[k] - rgb[3 * pixel + k]);
  });
  return true;
}

/** Pixels of a region, and the distance from the centre of each to the shape's edge. */
function distancesIn({ yMin, xMin, yMax, xMax }: Region, shape: DrawnShape, size: number) {
  const count = Math.max(0, yMax - yMin) * Math.max(0, xMax - xMin);
  const pixels = new Uint32Array(count);
  const distances = new Float32Array(count);
  let i = 0;
  for (let y = yMin; y < yMax; y++) {
    for (let x = xMin; x < xMax; x++) {
      pixels[i] = y * size + x;
      distances[i++] = shape.distance(x + 0.5, y + 0.5);
    }
  }
  return { pixels, distances };
}

/** Number of visible pixels of all objects of an aspect. */
export function visibleArea({ owner, things }: Canvas, aspect: string): number {
  return owner.reduce((sum, id) => sum + (id > 0 && things[id - 1].aspect === aspect ? 1 : 0), 0);
}

/** Tight boxes around the visible part of each object of an aspect, in the order of drawing. */
export function boxesOf(on: Canvas, aspect: string): Box[] {
  const { size, things } = on;
  return things.flatMap((thing, index) => {
    if (thing.aspect !== aspect) return [];
    const { yMin, xMin, yMax, xMax } = extent(on, index + 1);
    return [[yMin / size, xMin / size, yMax / size, xMax / size] as const];
  });
}

function isVisible(on: Canvas, id: number): boolean {
  const { area, leastVisible } = on.things[id - 1];
  const { smallest } = on;
  const { yMin, xMin, yMax, xMax, count } = extent(on, id);
  return count > 0 && count >= leastVisible * area && yMax - yMin >= smallest && xMax - xMin >= smallest;
}

/** Bounding box of an object's visible part, pixels; the maxima are one past the last. */
function extent({ size, owner, things }: Canvas, id: number): Region & { readonly count: number } {
  const { region } = things[id - 1];
  const found = { yMin: size, xMin: size, yMax: 0, xMax: 0, count: 0 };
  for (let y = region.yMin; y < region.yMax; y++) {
    for (let x = region.xMin; x < region.xMax; x++) {
      if (owner[y * size + x] !== id) continue;
      found.count++;
      found.yMin = Math.min(found.yMin, y);
      found.xMin = Math.min(found.xMin, x);
      found.yMax = y + 1;
      found.xMax = Math.max(found.xMax, x + 1);
    }
  }
  return found;
}
