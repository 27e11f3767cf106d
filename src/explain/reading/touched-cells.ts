/** Which cells of a layer's grid a region touches; their neighbours too where a head's evidence is: it reads past the edge. */

import { type Size, sidesOf } from "../../core/size.js";
import { cellsUnder, type Region } from "./regions.js";

export interface GridSize {
  readonly height: number;
  readonly width: number;
}

/**
 * The cells that a region touches, widened by one cell in all eight directions: a head's receptive field reaches past
 * its pixels.
 *
 * @param size height and width of the image whose pixels the region has; where it has none its boxes are taken.
 * @returns `[height * width]` of 0 and 1.
 */
export function touchedCells(region: Region, { grid, size }: { grid: GridSize; size: Size }): Uint8Array {
  return widened(cellsIn(region, { grid, size }), grid);
}

/** The cells alone, `[height * width]` of 0 and 1. Parameters as above. */
export function cellsIn(region: Region, { grid, size }: { grid: GridSize; size: Size }): Uint8Array {
  const touched = new Uint8Array(grid.height * grid.width);
  if (!region.pixels) {
    for (const box of region.boxes) {
      const [top, left, bottom, right] = cellsUnder(box, grid);
      for (let y = top; y < bottom; y++) touched.fill(1, y * grid.width + left, y * grid.width + right);
    }
    return touched;
  }
  const { height, width } = sidesOf(size);
  for (const pixel of region.pixels) {
    const y = Math.floor((Math.floor(pixel / width) * grid.height) / height);
    const x = Math.floor(((pixel % width) * grid.width) / width);
    touched[y * grid.width + x] = 1;
  }
  return touched;
}

function widened(cells: Uint8Array, { height, width }: GridSize): Uint8Array {
  const wide = new Uint8Array(cells.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (cells[y * width + x] === 0) continue;
      for (let yy = Math.max(0, y - 1); yy <= Math.min(height - 1, y + 1); yy++) {
        wide.fill(1, yy * width + Math.max(0, x - 1), yy * width + Math.min(width, x + 2));
      }
    }
  }
  return wide;
}
