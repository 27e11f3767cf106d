/** Enlarges a map of few cells as a smooth field. */

import type { CellMap } from "../core/enlarge-region.js";
import { reused } from "./reused-memory.js";

/** A map with one number per cell. */
export interface Grid extends CellMap {
  /** Offset of the cells to the right and down from a uniform grid, as a share of the height; cells are square. */
  readonly offset?: number;
}

const [wideMemory, enlargedMemory] = [0, 1].map(() => reused((length) => new Float32Array(length)));

/**
 * Cubic B-spline, which shows the few cells of a late layer as a smooth field; never negative if the cells are not.
 * Border values are repeated. @returns `[height * width]`, to be read before the next call.
 */
export function enlargeSmoothly(grid: Grid, { width, height }: { width: number; height: number }): Float32Array {
  const columns = splines(width, grid.width, ((grid.offset ?? 0) * grid.height) / grid.width);
  const wide = wideMemory(grid.height * width);
  for (let y = 0; y < grid.height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 4 * x; k < 4 * x + 4; k++) sum += columns.shares[k] * grid.values[y * grid.width + columns.cells[k]];
      wide[y * width + x] = sum;
    }
  }
  const rows = splines(height, grid.height, grid.offset);
  const enlarged = enlargedMemory(width * height);
  for (let y = 0; y < height; y++) {
    const [first, second, third, fourth] = rows.shares.subarray(4 * y, 4 * y + 4);
    const [a, b, c, d] = Array.from(rows.cells.subarray(4 * y, 4 * y + 4), (cell) => cell * width);
    for (let x = 0, at = y * width; x < width; x++, at++)
      enlarged[at] = first * wide[a + x] + second * wide[b + x] + third * wide[c + x] + fourth * wide[d + x];
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
