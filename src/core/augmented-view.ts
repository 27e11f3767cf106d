/** How one image is augmented: which part is seen, mirrored or not, its colours jittered or not. */

/** Whole pixels of the upright original. */
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

export interface View {
  readonly crop: Crop;
  /** Mirrored left and right, after the crop. */
  readonly flip: boolean;
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
