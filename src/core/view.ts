/** One way of looking at a picture: which part is seen, mirrored or not, in what light. */

/** Whole pixels of the upright original. */
export interface Crop {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Factors; 1 changes nothing. */
export interface Light {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

export interface View {
  readonly crop: Crop;
  /** Mirrored left and right, after the crop. */
  readonly flip: boolean;
  readonly light?: Light;
}

/** A picture that is still whole, and the view of it that the model shall see. */
export interface Picture {
  /** `[height, width, 3]` RGB 0..255. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly view: View;
}
