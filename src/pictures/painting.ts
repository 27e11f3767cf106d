/** Enlarges maps, and paints saliency and regions over an image, on plain arrays. */

import { luma } from "../core/luma.js";
import { type Colour, heatColour } from "./palette.js";

/** RGB rows from the top. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `[height * width * 3]`, 0..255. */
  readonly pixels: Uint8Array;
}

/** A map with one number per cell. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  readonly values: ArrayLike<number>;
  /** Offset of the cells to the right and down from a uniform grid, as a share of the side. */
  readonly offset?: number;
}

/** Bilinear, with half-pixel centres and repeated border values. @returns `[height * width]`. */
export function enlarge(grid: Grid, { width, height }: { width: number; height: number }): Float32Array {
  const enlarged = new Float32Array(width * height);
  const columns = Array.from({ length: width }, (_, x) => between(((x + 0.5) * grid.width) / width, grid.width));
  for (let y = 0; y < height; y++) {
    const row = between(((y + 0.5) * grid.height) / height, grid.height);
    for (let x = 0; x < width; x++) {
      const column = columns[x];
      const at = (r: number, c: number) => grid.values[r * grid.width + c];
      const top = at(row.low, column.low) + column.share * (at(row.low, column.high) - at(row.low, column.low));
      const bottom = at(row.high, column.low) + column.share * (at(row.high, column.high) - at(row.high, column.low));
      enlarged[y * width + x] = top + row.share * (bottom - top);
    }
  }
  return enlarged;
}

/**
 * Cubic B-spline, which shows the few cells of a late layer as a smooth field; never negative if the cells are not.
 * Border values are repeated. @returns `[height * width]`.
 */
export function enlargeSmoothly(grid: Grid, { width, height }: { width: number; height: number }): Float32Array {
  const columns = splines(width, grid.width, grid.offset);
  const wide = new Float32Array(grid.height * width);
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 4 * x; k < 4 * x + 4; k++) sum += columns.shares[k] * grid.values[y * grid.width + columns.cells[k]];
      wide[y * width + x] = sum;
    }
  }
  const rows = splines(height, grid.height, grid.offset);
  const enlarged = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    for (let k = 4 * y; k < 4 * y + 4; k++) {
      const [share, row] = [rows.shares[k], rows.cells[k] * width];
      for (let x = 0; x < width; x++) enlarged[y * width + x] += share * wide[row + x];
    }
  }
  return enlarged;
}

/** Of each of `length` places along `count` cells: the four cells around it, with shares of the cubic B-spline. */
function splines(length: number, count: number, offset = 0): { cells: Int32Array; shares: Float64Array } {
  const cells = new Int32Array(4 * length);
  const shares = new Float64Array(4 * length);
  for (let i = 0; i < length; i++) {
    const place = ((i + 0.5) / length - offset) * count - 0.5;
    const first = Math.floor(place);
    const t = place - first;
    shares.set([(1 - t) ** 3, 3 * t ** 3 - 6 * t ** 2 + 4, -3 * t ** 3 + 3 * t ** 2 + 3 * t + 1, t ** 3], 4 * i);
    for (let k = 0; k < 4; k++) {
      shares[4 * i + k] /= 6;
      cells[4 * i + k] = Math.min(count - 1, Math.max(0, first - 1 + k));
    }
  }
  return { cells, shares };
}

/** The two cells around a place and how far it lies towards the second. */
function between(place: number, count: number): { low: number; high: number; share: number } {
  const centre = Math.min(count - 1, Math.max(0, place - 0.5));
  const low = Math.floor(centre);
  return { low, high: Math.min(count - 1, low + 1), share: centre - low };
}

/** A heat map over a grey image: dimmed where the saliency is zero, in strong colours near its largest value. */
export function paintSaliency(image: RgbImage, saliency: Grid): RgbImage {
  const heat = enlargeSmoothly(saliency, image);
  let largest = 0;
  for (const value of heat) if (value > largest) largest = value;
  const steps = 255;
  const colours = Array.from({ length: steps + 1 }, (_, step) => heatColour(step / steps));
  const pixels = new Uint8Array(image.pixels.length);
  for (let i = 0; i < heat.length; i++) {
    const strength = largest > 0 ? Math.max(0, heat[i]) / largest : 0;
    const opacity = 0.3 + 0.5 * strength;
    const colour = colours[Math.round(steps * strength)];
    const grey = greyOf(image.pixels, 3 * i);
    for (let part = 0; part < 3; part++) pixels[3 * i + part] = grey + opacity * (colour[part] - grey);
  }
  return { ...image, pixels };
}

/**
 * A paler, almost grey image, on which colours mean aspects and nothing else.
 *
 * @param options.white share of white; with more white, grey fills can be told from the image too.
 */
export function fade(image: RgbImage, { white = 0.15 }: { white?: number } = {}): RgbImage {
  const pixels = new Uint8Array(image.pixels.length);
  for (let i = 0; i < pixels.length; i += 3) {
    const grey = greyOf(image.pixels, i);
    for (let part = 0; part < 3; part++) {
      pixels[i + part] = (1 - white) * (grey + 0.35 * (image.pixels[i + part] - grey)) + white * 255;
    }
  }
  return { ...image, pixels };
}

/**
 * Paints a region on an image, in place: a fill, and a contour inside its edge with a thin line of another colour
 * around it, so that it can be seen on any background.
 *
 * @param region values above one half belong to the region.
 * @param options.opacity of the fill, 0..1; `contour` in pixels.
 */
export function paintRegion(
  image: RgbImage,
  region: Grid,
  { colour, opacity, contour, around }: { colour: Colour; opacity: number; contour: number; around: Colour },
): void {
  const { width, height, pixels } = image;
  const values = enlarge(region, image);
  const isInside = (x: number, y: number) => values[y * width + x] >= 0.5;
  // Pixels beyond the frame count as the same side, so that a region cut by the frame has no contour there.
  const crosses = (x: number, y: number, steps: Steps) => {
    const side = isInside(x, y);
    return steps.some(([dx, dy]) => {
      const [nx, ny] = [x + dx, y + dy];
      return nx >= 0 && ny >= 0 && nx < width && ny < height && isInside(nx, ny) !== side;
    });
  };
  const reach = ring(contour);
  const nearest = ring(1);
  const lay = (pixel: number, over: Colour, share: number) => {
    for (let part = 0; part < 3; part++) {
      const index = 3 * pixel + part;
      pixels[index] += share * (over[part] - pixels[index]);
    }
  };
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (isInside(x, y)) lay(y * width + x, colour, crosses(x, y, reach) ? 1 : opacity);
      else if (crosses(x, y, nearest)) lay(y * width + x, around, 0.8);
    }
  }
}

type Steps = readonly (readonly [dx: number, dy: number])[];

/** Offsets of one length in eight directions. */
function ring(length: number): Steps {
  const slant = Math.round(length * Math.SQRT1_2);
  const straight = [
    [length, 0],
    [-length, 0],
    [0, length],
    [0, -length],
  ] as const;
  return [...straight, [slant, slant], [slant, -slant], [-slant, slant], [-slant, -slant]];
}

function greyOf(pixels: Uint8Array, index: number): number {
  return luma(pixels[index], pixels[index + 1], pixels[index + 2]);
}

/** The pixels as a Buffer, for sharp. */
export function toBuffer({ pixels }: RgbImage): Buffer {
  return Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

/** How sharp reads them. */
export function rawOf({ width, height }: RgbImage): { width: number; height: number; channels: 3 } {
  return { width, height, channels: 3 };
}
