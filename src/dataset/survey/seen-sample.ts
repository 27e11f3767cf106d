/** One sample as a check has just seen it, before its pixels are forgotten. */

import type { SampleRecord } from "../record.js";

/** Side of `pixels`. */
export const GLANCE = 64;

export interface SeenSample {
  /** Masks without a pixel of their aspect are `null`. */
  readonly record: SampleRecord;
  /** Of the samples file, from 1. */
  readonly line: number;
  /** An earlier image has the same bytes. */
  readonly isCopy: boolean;
  /** Absent where the image was not, or could not be decoded. */
  readonly image?: {
    readonly width: number;
    readonly height: number;
    /** `[64, 64, 3]` RGB 0..255, whatever the image's aspect ratio. */
    readonly pixels: Uint8Array;
  };
  /** By aspect, `[size * size]` shares 0..1 at the model's input size. */
  readonly masks: ReadonlyMap<string, Float32Array>;
}

/** A part of the survey: it looks at one sample after the other, and keeps numbers alone. */
export interface SurveyPart<Found> {
  add(sample: SeenSample): void;
  result(): Found;
}
