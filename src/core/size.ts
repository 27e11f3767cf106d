/** Height and width of images, masks and layers: one number where both are the same, as they mostly are. */

/** Pixels, or cells of a layer: the side of a square, or `[height, width]`. */
export type Size = number | readonly [height: number, width: number];

/** The same as two numbers with names. */
export interface Sides {
  readonly height: number;
  readonly width: number;
}

export function sidesOf(size: Size): Sides {
  return typeof size === "number" ? { height: size, width: size } : { height: size[0], width: size[1] };
}

/** One number where both are the same, so that squares are written as ever. */
export function sizeFrom(height: number, width: number): Size {
  return height === width ? height : [height, width];
}

/** `[height, width]`, as shapes of tensors have it. */
export function shapeOf(size: Size): [height: number, width: number] {
  const { height, width } = sidesOf(size);
  return [height, width];
}

export function pixelCount(size: Size): number {
  const { height, width } = sidesOf(size);
  return height * width;
}

/** Of a square. @throws Error of anything else: trunks of our own see squares alone. */
export function sideOf(size: Size): number {
  if (typeof size === "number") return size;
  throw new Error(`expected a square, got ${sizeText(size)}`);
}

/** Of a square its side: the side of a square of the same area. */
export function meanSide(size: Size): number {
  return typeof size === "number" ? size : Math.sqrt(pixelCount(size));
}

export function isSameSize(one: Size, other: Size): boolean {
  return sizeKey(one) === sizeKey(other);
}

/** As options and keys have it: "224", or "224x320", height first. */
export function sizeKey(size: Size): string {
  const { height, width } = sidesOf(size);
  return height === width ? String(height) : `${height}x${width}`;
}

/** "224 x 224", or "224 high x 320 wide". */
export function sizeText(size: Size): string {
  const { height, width } = sidesOf(size);
  return height === width ? `${height} x ${width}` : `${height} high x ${width} wide`;
}

/** Whether a value of parsed JSON is one, of whole pixels. */
export function isSize(value: unknown): value is Size {
  const isSide = (side: unknown) => Number.isSafeInteger(side) && (side as number) > 0;
  return isSide(value) || (Array.isArray(value) && value.length === 2 && value.every(isSide) && value[0] !== value[1]);
}
