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

/** One of the eight symmetries of a square, in this order: mirrored left and right, top and bottom, rows as columns. */
export interface Symmetry {
  readonly flip: boolean;
  readonly isUpsideDown?: boolean;
  readonly isTransposed?: boolean;
}

/** Where a pixel of a square goes. @param index row by row. */
export function placeIn(size: number, { flip, isUpsideDown, isTransposed }: Symmetry): (index: number) => number {
  return (index) => {
    const [row, column] = [Math.floor(index / size), index % size];
    const y = isUpsideDown ? size - 1 - row : row;
    const x = flip ? size - 1 - column : column;
    return isTransposed ? x * size + y : y * size + x;
  };
}

/** The crop is made a square, and its symmetry applied to that. */
export interface View extends Symmetry {
  readonly crop: Crop;
  readonly jitter?: ColourJitter;
}

/** A whole image, and the view of it that the model shall see. */
export interface Picture {
  /** `[height, width, 3]` RGB 0..255. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly view: View;
}
