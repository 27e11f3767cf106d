/** Boxes as the grids that the boxes head learns from. */

import type { Annotation } from "../core/annotation.js";
import type { Box } from "../core/box.js";
import { type Sides, type Size, shapeOf, sidesOf } from "../core/size.js";
import { encodeLabels, type LabelRows } from "./encode-labels.js";
import type { Label } from "./head.js";

/** Below a thousandth of the image a side has no meaningful logarithm. */
const SMALLEST_SIDE = 1e-3;
/** Deviations from a centre beyond which its heat counts as 0: it is below 0.0004. */
const FARTHEST = 4;

export function boxShapes(size: Size): Record<string, readonly number[]> {
  const cells = [...shapeOf(size), 1];
  return { centre: cells, away: cells, near: cells, geometry: [...shapeOf(size), 4], labelled: [] };
}

/**
 * What the loss reads: `centre` 1 in the cell of each centre; `away` `(1 - heat)^4`, the weight of everything that is
 * no centre, where heat falls off as an elliptic Gaussian around each centre cell; `near` 1 in the 3x3 cells around it;
 * `geometry` there: log height, log width (shares of the image), the centre's y, x from the cell's corner in cells; and
 * `labelled`. Two centres in one cell count as one instance, the smaller; `boxes: []` is labelled as empty.
 *
 * Every cell that an ignored region touches may hold the centre of something in it, so it is no negative: `away` is 0.
 * A box that is marked nonetheless is learned there.
 */
export function encodeBoxes(labels: readonly Label[], { size }: { size: Size }): Record<string, Float32Array> {
  const grid = sidesOf(size);
  return encodeLabels(labels, boxShapes(size), (label, rows) => {
    const { boxes, ignoredBoxes = [] } = label as Annotation; // aspect heads are given annotations
    if (!boxes) return false;
    drawHeat(boxes, rows, grid);
    for (const region of ignoredBoxes) clearCells(region, rows.away, grid);
    drawGeometry(boxes, rows, grid);
    return true;
  });
}

/** Deviations follow the box's sides, `(0.54 side + 1) / 6` cells (TTFNet, Liu et al. 2019, arXiv:1909.00700). */
function drawHeat(boxes: readonly Box[], { centre, away }: LabelRows, grid: Sides): void {
  away.fill(1);
  for (const box of boxes) {
    const { row, column, height, width } = cellOf(box, grid);
    const deviations = [0.54 * height * grid.height, 0.54 * width * grid.width].map((side) => (side + 1) / 6);
    const [reachY, reachX] = deviations.map((deviation) => Math.ceil(FARTHEST * deviation));
    for (let y = Math.max(0, row - reachY); y <= Math.min(grid.height - 1, row + reachY); y++) {
      for (let x = Math.max(0, column - reachX); x <= Math.min(grid.width - 1, column + reachX); x++) {
        const distance = ((y - row) / deviations[0]) ** 2 + ((x - column) / deviations[1]) ** 2;
        const heat = Math.exp(-distance / 2);
        away[y * grid.width + x] = Math.min(away[y * grid.width + x], (1 - heat) ** 4);
      }
    }
    centre[row * grid.width + column] = 1;
  }
}

function clearCells([yMin, xMin, yMax, xMax]: Box, away: Float32Array, { height, width }: Sides): void {
  for (let row = Math.floor(yMin * height); row < Math.ceil(yMax * height); row++)
    away.fill(0, row * width + Math.floor(xMin * width), row * width + Math.ceil(xMax * width));
}

/** Large boxes first, then small ones over them; centre cells last, since each belongs to its own box. */
function drawGeometry(boxes: readonly Box[], { near, geometry }: LabelRows, grid: Sides): void {
  const cells = boxes.map((box) => cellOf(box, grid)).sort((a, b) => b.height * b.width - a.height * a.width);
  for (const reach of [1, 0]) {
    for (const { row, column, y, x, height, width } of cells) {
      for (let r = Math.max(0, row - reach); r <= Math.min(grid.height - 1, row + reach); r++) {
        for (let c = Math.max(0, column - reach); c <= Math.min(grid.width - 1, column + reach); c++) {
          near[r * grid.width + c] = 1;
          geometry.set([Math.log(height), Math.log(width), y - r, x - c], 4 * (r * grid.width + c));
        }
      }
    }
  }
}

/** A box's centre in cells (y, x), the cell that holds it, and its sides as shares of the image. */
function cellOf([yMin, xMin, yMax, xMax]: Box, grid: Sides) {
  const y = ((yMin + yMax) / 2) * grid.height;
  const x = ((xMin + xMax) / 2) * grid.width;
  const within = (value: number, count: number) => Math.min(count - 1, Math.max(0, Math.floor(value)));
  return {
    y,
    x,
    row: within(y, grid.height),
    column: within(x, grid.width),
    height: Math.max(SMALLEST_SIDE, yMax - yMin),
    width: Math.max(SMALLEST_SIDE, xMax - xMin),
  };
}
