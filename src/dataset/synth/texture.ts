/** The background between the cells: pink with clouds and fibres, and the noise of the camera. */

import { type Random, random } from "../../core/random.js";

export type RgbColour = readonly [red: number, green: number, blue: number];

/** `[size, size, 3]` 0..255, not rounded. */
export function ground(size: number, stream: Random): Float32Array {
  const rgb = new Float32Array(size * size * 3);
  const base: RgbColour = [stream.uniform(228, 242), stream.uniform(182, 204), stream.uniform(206, 224)];
  const coarse = valueNoise(size / 3, stream);
  const fine = valueNoise(size / 9, stream);
  const fibre = valueNoise(size / 24, stream, { side: 64 });
  const angle = stream.uniform(0, Math.PI);
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const cloud = 9 * coarse(x, y) + 5 * fine(x, y);
      // Stretched five times along its direction.
      const streak = 7 * fibre((x * cos + y * sin) / 5 + size, y * cos - x * sin + size);
      const at = (y * size + x) * 3;
      rgb[at] = base[0] + 0.5 * cloud + 0.3 * streak;
      rgb[at + 1] = base[1] + cloud + streak;
      rgb[at + 2] = base[2] + 0.6 * cloud + 0.7 * streak;
    }
  }
  return rgb;
}

/** Adds normal noise and rounds. @param deviation as a share of 255. @returns `[..., 3]` 0..255. */
export function expose(rgb: Float32Array, deviation: number, stream: Random): Uint8Array {
  const out = new Uint8Array(rgb.length);
  const scale = 255 * deviation;
  for (let i = 0; i < rgb.length; i++) {
    const value = scale > 0 ? rgb[i] + scale * stream.normal() : rgb[i];
    out[i] = value < 0 ? 0 : value > 255 ? 255 : Math.round(value);
  }
  return out;
}

/**
 * Value noise: random values in -1..1 on a grid of `cell` pixels, smoothly interpolated.
 *
 * @param side number of number of cells after which it repeats; a power of two.
 */
export function valueNoise(cell: number, stream: Random, { side = 16 } = {}): (x: number, y: number) => number {
  const grid = new Float32Array(side * side);
  for (let i = 0; i < grid.length; i++) grid[i] = stream.uniform(-1, 1);
  const at = (i: number, j: number) => grid[(i & (side - 1)) * side + (j & (side - 1))];
  const smooth = (t: number) => t * t * (3 - 2 * t);
  return (x, y) => {
    const i = Math.floor(y / cell);
    const j = Math.floor(x / cell);
    const v = smooth(y / cell - i);
    const u = smooth(x / cell - j);
    const upper = at(i, j) * (1 - u) + at(i, j + 1) * u;
    const lower = at(i + 1, j) * (1 - u) + at(i + 1, j + 1) * u;
    return upper * (1 - v) + lower * v;
  };
}

/** Random numbers of one image, independent of all others, so that image 5 is the same in a set of 10 and of 10,000. */
export function imageStream(seed: number, index: number, part: string): Random {
  return random(seed, "tissue", index, part);
}
