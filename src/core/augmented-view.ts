/** How one image is augmented: which part is seen, mirrored or not, its colours jittered or not. */

import { type Sides, type Size, sidesOf, sizeFrom } from "./size.js";
/** Whole pixels of the upright original. It may reach beyond the image, whose edge is repeated there. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Factors; 1 changes nothing. */
export interface ColourJitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** Of every colour of every pixel alike. */
export interface Noise {
  /** Standard deviation, share of full scale. */
  readonly deviation: number;
  readonly seed: number;
}

/** One of the eight symmetries of a square, or what makes them of a rectangle, in this order: mirrored left and right, top and bottom, rows as columns. */
export interface Symmetry {
  readonly flip: boolean;
  readonly isUpsideDown?: boolean;
  readonly isTransposed?: boolean;
}

/** Of what is seen, after the symmetry: rows and columns change places where they do. */
export function turnedSize(size: Size, { isTransposed }: Partial<Symmetry>): Size {
  const { height, width } = sidesOf(size);
  return isTransposed ? sizeFrom(width, height) : size;
}

/** Where the pixels of an image go: that of a row and column to `first + row * down + column * across`. */
export function placesIn(
  { height, width }: Sides,
  { flip, isUpsideDown, isTransposed }: Symmetry,
): { first: number; down: number; across: number } {
  const [rowStep, columnStep] = isTransposed ? [1, height] : [width, 1];
  const first = (isUpsideDown ? (height - 1) * rowStep : 0) + (flip ? (width - 1) * columnStep : 0);
  return { first, down: isUpsideDown ? -rowStep : rowStep, across: flip ? -columnStep : columnStep };
}

/** The crop is made the size that the model sees, and its symmetry applied to that. */
export interface View extends Symmetry {
  readonly crop: Crop;
  /** Standard deviation of a Gaussian blur, pixels of what the model sees. */
  readonly blur?: number;
  readonly jitter?: ColourJitter;
  readonly noise?: Noise;
}
