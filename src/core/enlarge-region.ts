/** Regions in another size, such as that of the image instead of the model's. */

import { type Sides, type Size, sidesOf } from "./size.js";
/** A map with one number per cell. */
export interface CellMap {
  readonly width: number;
  readonly height: number;
  /** Row-major. */
  readonly values: ArrayLike<number>;
}

interface EnlargeOptions {
  readonly margin?: number;
  readonly value?: number;
  readonly memory?: (length: number) => Uint8Array;
}

const newBytes = (length: number) => new Uint8Array(length);

/**
 * Bilinear between the centres of cells, as in the overlay; one half or more is inside.
 *
 * @param region `[height * width]` of `size`, 0 and 1, row-major.
 * @returns `[height * width]` of 0 and 1.
 */
export function enlargeRegion(region: Uint8Array, { size, shape }: { size: Size; shape: Sides }): Uint8Array {
  return enlargeInside({ ...sidesOf(size), values: region }, shape);
}

/**
 * Where a map is one half or more, bilinear between the centres of its cells, with repeated border values.
 *
 * @param options.margin rows and columns around the result, in which its border values are repeated.
 * @param options.memory gives the array of the result, whatever is in it; a new one by default.
 * @returns `[(height + 2 * margin) * (width + 2 * margin)]` of 0 and `value`, 1 by default.
 */
export function enlargeInside(
  { values, ...from }: CellMap,
  { width, height, margin = 0, value = 1, memory = newBytes }: Sides & EnlargeOptions,
): Uint8Array {
  const stride = width + 2 * margin;
  const inside = memory(stride * (height + 2 * margin)).fill(0);
  const shares = new Float64Array(stride);
  // The columns between the centres of a cell and of the next one begin at `starts` of that cell.
  const starts = new Int32Array(from.width + 1);
  let former = 0;
  for (let x = 0; x < stride; x++) {
    const { low, share } = between(x - margin, { length: width, count: from.width });
    shares[x] = share;
    while (former < low) starts[++former] = x;
  }
  starts.fill(stride, former + 1);
  const row = new Float64Array(from.width + 1);
  for (let y = 0; y < height + 2 * margin; y++) {
    const { low, high, share } = between(y - margin, { length: height, count: from.height });
    const [top, bottom] = [low * from.width, high * from.width];
    for (let cell = 0; cell < from.width; cell++)
      row[cell] = values[top + cell] * (1 - share) + values[bottom + cell] * share;
    row[from.width] = row[from.width - 1];
    for (let cell = 0; cell < from.width; cell++) {
      const left = row[cell];
      const right = row[cell + 1];
      if (left < 0.5 && right < 0.5) continue;
      const isWhole = left >= 0.5 && right >= 0.5;
      for (let x = starts[cell]; x < starts[cell + 1]; x++)
        if (isWhole || left * (1 - shares[x]) + right * shares[x] >= 0.5) inside[y * stride + x] = value;
    }
  }
  return inside;
}

/** Of a pixel, one of `length`, the two of `count` cells around its centre, and how far it lies towards the second. */
function between(
  pixel: number,
  { length, count }: { length: number; count: number },
): { low: number; high: number; share: number } {
  const place = ((Math.min(length - 1, Math.max(0, pixel)) + 0.5) * count) / length - 0.5;
  const centre = Math.min(count - 1, Math.max(0, place));
  const low = Math.floor(centre);
  return { low, high: Math.min(count - 1, low + 1), share: centre - low };
}
