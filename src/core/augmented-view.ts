/** How one image is augmented: which part is seen, mirrored or not, its colours jittered or not. */

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

/** One of the eight symmetries of a square, in this order: mirrored left and right, top and bottom, rows as columns. */
export interface Symmetry {
  readonly flip: boolean;
  readonly isUpsideDown?: boolean;
  readonly isTransposed?: boolean;
}

/** Where the pixels of a square go: that of a row and column to `first + row * down + column * across`. */
export function placesIn(
  size: number,
  { flip, isUpsideDown, isTransposed }: Symmetry,
): { first: number; down: number; across: number } {
  const [rowStep, columnStep] = isTransposed ? [1, size] : [size, 1];
  const first = (isUpsideDown ? (size - 1) * rowStep : 0) + (flip ? (size - 1) * columnStep : 0);
  return { first, down: isUpsideDown ? -rowStep : rowStep, across: flip ? -columnStep : columnStep };
}

/** The crop is made a square, and its symmetry applied to that. */
export interface View extends Symmetry {
  readonly crop: Crop;
  /** Standard deviation of a Gaussian blur, pixels of what the model sees. */
  readonly blur?: number;
  readonly jitter?: ColourJitter;
  readonly noise?: Noise;
}
