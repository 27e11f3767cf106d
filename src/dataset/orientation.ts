/** Whether images have an up and a down: tested on their brightness, their edges, and the places of things in them. */

import type { Box } from "../core/box.js";
import { luma } from "../core/luma.js";

/** Side of the thumbnails that are compared, pixels. */
export const THUMBNAIL = 32;

/** Largest differences over all images, in standard errors of their mean (Student's t); 0 where there is none. */
export interface Orientation {
  readonly images: number;
  /** Between the upper and the lower half. */
  readonly upDown: number;
  /** Between edges along rows and along columns. */
  readonly rowsColumns: number;
}

/** Gathers images and boxes. */
export function orientationTest(): {
  /** @param pixels `[THUMBNAIL, THUMBNAIL, 3]` RGB. */
  addImage(pixels: Uint8Array): void;
  addBoxes(boxes: readonly Box[]): void;
  result(): Orientation;
} {
  const brightness: number[] = [];
  const edges: number[] = [];
  const directions: number[] = [];
  const heights: number[] = [];
  const shapes: number[] = [];
  return {
    addImage(pixels) {
      const grey = Float64Array.from({ length: THUMBNAIL ** 2 }, (_, i) =>
        luma(pixels[3 * i], pixels[3 * i + 1], pixels[3 * i + 2]),
      );
      const half = grey.length / 2;
      const at = (y: number, x: number) => grey[y * THUMBNAIL + x];
      let [upper, lower, along, across] = [0, 0, 0, 0];
      for (let y = 0; y + 1 < THUMBNAIL; y++) {
        for (let x = 0; x + 1 < THUMBNAIL; x++) {
          const [dx, dy] = [Math.abs(at(y, x + 1) - at(y, x)), Math.abs(at(y + 1, x) - at(y, x))];
          along += dx;
          across += dy;
          if (y + 1 < THUMBNAIL / 2) upper += dx + dy;
          else if (y + 1 > THUMBNAIL / 2) lower += dx + dy;
        }
      }
      brightness.push(mean(grey.subarray(0, half)) - mean(grey.subarray(half)));
      edges.push((upper - lower) / (upper + lower + 1));
      directions.push((along - across) / (along + across + 1));
    },
    addBoxes(boxes) {
      if (boxes.length === 0) return;
      heights.push(mean(boxes.map(([yMin, , yMax]) => (yMin + yMax) / 2 - 0.5)));
      shapes.push(mean(boxes.map(([yMin, xMin, yMax, xMax]) => yMax - yMin - (xMax - xMin))));
    },
    result: () => ({
      images: brightness.length,
      upDown: Math.max(...[brightness, edges, heights].map(studentT)),
      rowsColumns: Math.max(...[directions, shapes].map(studentT)),
    }),
  };
}

/** Distance of the mean from 0 in standard errors. */
function studentT(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  const variance = values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1);
  return variance === 0 ? 0 : Math.abs(centre) / Math.sqrt(variance / values.length);
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
