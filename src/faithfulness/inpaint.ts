/** Fills a hole in an image smoothly from its surroundings, as if what was there were not. */

import { pixelCount, type Sides, type Size, sidesOf } from "../core/size.js";

/** Of one level of the pyramid: `colours` `[height, width, 3]`, `known` `[height, width]` 0..1. */
interface Level extends Sides {
  readonly colours: Float32Array;
  readonly known: Float32Array;
}

/**
 * Push-pull (Gortler et al., "The lumigraph", SIGGRAPH 1996): means of the known pixels are pulled up a pyramid of
 * halved images, and pushed down again, bilinearly, to the unknown ones. Unlike a grey patch, it has hardly an edge.
 *
 * @param pixels `[height, width, 3]` RGB.
 * @param hole `[height, width]`, 0 where the image stays.
 * @returns `[height, width, 3]`, a copy; the same pixels outside the hole. A hole without surroundings stays as it was.
 */
export function inpaint(pixels: Uint8Array, { size, hole }: { size: Size; hole: Uint8Array }): Uint8Array {
  const sides = sidesOf(size);
  const known = Float32Array.from({ length: pixelCount(size) }, (_, at) => (hole[at] ? 0 : 1));
  const filled = Uint8Array.from(pixels);
  if (!known.includes(1)) return filled;
  const levels: Level[] = [{ ...sides, colours: Float32Array.from(pixels), known }];
  while (Math.max(levels[0].height, levels[0].width) > 1) levels.unshift(pulled(levels[0]));
  let coarse = levels[0];
  for (const fine of levels.slice(1)) coarse = pushed(coarse, fine);
  for (let at = 0; at < known.length; at++) {
    if (hole[at]) for (let k = 0; k < 3; k++) filled[3 * at + k] = Math.round(coarse.colours[3 * at + k]);
  }
  return filled;
}

/**
 * Half the size, rounded up: of each two by two pixels the mean of what is known; known as far as they are, up to 1.
 */
function pulled({ height, width, colours, known }: Level): Level {
  const half = { height: Math.ceil(height / 2), width: Math.ceil(width / 2) };
  const count = half.height * half.width;
  const level = { ...half, colours: new Float32Array(3 * count), known: new Float32Array(count) };
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = row * width + column;
      const to = (row >> 1) * half.width + (column >> 1);
      level.known[to] += known[from];
      for (let k = 0; k < 3; k++) level.colours[3 * to + k] += known[from] * colours[3 * from + k];
    }
  }
  for (let at = 0; at < count; at++) {
    for (let k = 0; k < 3; k++) level.colours[3 * at + k] /= Math.max(level.known[at], 1e-6);
    level.known[at] = Math.min(1, level.known[at]);
  }
  return level;
}

/** The finer level with what it does not know taken from the coarser one. */
function pushed(coarse: Level, { height, width, colours, known }: Level): Level {
  const whole = Float32Array.from(colours);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const at = row * width + column;
      if (known[at] === 1) continue;
      for (let k = 0; k < 3; k++) {
        const below = bilinear(coarse, { y: (row - 0.5) / 2, x: (column - 0.5) / 2, k });
        whole[3 * at + k] = known[at] * colours[3 * at + k] + (1 - known[at]) * below;
      }
    }
  }
  return { height, width, colours: whole, known: new Float32Array(known.length).fill(1) };
}

/** Cell centres at whole numbers; the border goes on outside. */
function bilinear({ height, width, colours }: Level, { y, x, k }: { y: number; x: number; k: number }): number {
  const inside = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const value = (row: number, column: number) => colours[3 * (inside(row, height) * width + inside(column, width)) + k];
  const [down, right] = [y - top, x - left];
  const above = value(top, left) * (1 - right) + value(top, left + 1) * right;
  const under = value(top + 1, left) * (1 - right) + value(top + 1, left + 1) * right;
  return above * (1 - down) + under * down;
}
