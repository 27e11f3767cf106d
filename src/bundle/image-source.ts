/** Images as callers give them: a path, read and decoded once for all that is made of it, or decoded pixels. */

import { openImage } from "../dataset/open-image.js";
import { checkImage } from "./check-request.js";

/** A path, or pixels that are already at the model's input size: what `decodeImage` returns for that size. */
export type ImageSource =
  | string
  | {
      /** As it shall stand in the explanation. */
      readonly name: string;
      /** `[S, S, 3]` RGB 0..255, decoded as the bundle's `preprocessing` says. */
      readonly pixels: Uint8Array;
      /** Of the original, for pictures; square by default. */
      readonly width?: number;
      readonly height?: number;
    };

export interface LoadedImage {
  readonly name: string;
  /** `[S, S, 3]` RGB 0..255. */
  readonly pixels: Uint8Array;
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
  /** `[P, P, 3]` RGB 0..255, where it was asked for and the source is a file. */
  readonly picture?: Uint8Array;
  /** What is odd about it, with its name. */
  readonly note?: string;
}

/**
 * Reads a file once, so that a pipe will do, and decodes it once where that gives the same pixels
 * (`OpenImage.keepDecoded`).
 *
 * @param options.size side of the model's input, S.
 * @param options.pictureSize side P of a second square, for people.
 * @param options.signal ends the waiting for a pipe; its reason is thrown then.
 * @throws ImageError where it cannot be read; InputError where it is neither a path nor pixels of the right size.
 */
export async function loadImage(
  image: ImageSource,
  { size, pictureSize, signal }: { size: number; pictureSize?: number; signal?: AbortSignal },
): Promise<LoadedImage> {
  checkImage(image, size);
  if (typeof image !== "string") {
    const { name, pixels, width = size, height = size } = image;
    return { name, pixels, width, height };
  }
  const opened = await openImage(image, { allowPipe: true, signal });
  const { width, height } = opened;
  const whole = (pixels: Uint8Array, picture?: Uint8Array) => {
    const remark = opened.remark();
    const note = remark && { note: `${image}: ${remark}` };
    return { name: image, pixels, width, height, ...(picture && { picture }), ...note };
  };
  if (pictureSize === undefined) return whole(await opened.render({ size }));
  const source = (await opened.keepDecoded({ size: Math.min(size, pictureSize) })) ?? opened;
  const pixels = await source.render({ size });
  return whole(pixels, await source.render({ size: pictureSize }));
}
