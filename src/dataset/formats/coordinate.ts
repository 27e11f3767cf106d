/** Numbers of places in images, as tools write them. */

/** No image is as wide; beyond it, squares and sums of coordinates would be infinite. */
const LARGEST = 1e9;

/** True for a number that may be a coordinate or a size. */
export function isCoordinate(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= LARGEST;
}

/** Of a text in plain decimals, as `3`, `-0.5` or `1e-3`; `NaN` of any other, and of one that is no coordinate. */
export function toCoordinate(text: string): number {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
  return isCoordinate(value) ? value : Number.NaN;
}
