/** Images as callers give them: a path, read and decoded once for all that is made of it, or decoded pixels. */

import type { Crop } from "../core/augmented-view.js";
import type { CenterCrop } from "../core/center-crop.js";
import { type Size, shapeOf, sidesOf, sizeKey } from "../core/size.js";
import { openImage } from "../dataset/open-image.js";
import { resizePixels } from "../dataset/resize-image.js";
import { checkImage } from "./check-request.js";

/**
 * A path, the bytes of an image file, or pixels that are already at the model's input size: what `decodeImage` returns
 * for that size.
 */
export type ImageSource =
  | string
  | {
      /** As it shall stand in the explanation. */
      readonly name: string;
      /** A whole file of any format that is read. */
      readonly bytes: Uint8Array;
    }
  | {
      /** As it shall stand in the explanation. */
      readonly name: string;
      /** `[height, width, 3]` RGB 0..255, decoded as the bundle's `preprocessing` says. */
      readonly pixels: Uint8Array;
      /** Of the original, for pictures; as the pixels by default. */
      readonly width?: number;
      readonly height?: number;
    };

/** A picture for people, upright and in its own proportions. */
export interface Picture {
  /** The longer of both is `pictureSize`. */
  readonly width: number;
  readonly height: number;
  /** `[height, width, 3]` RGB 0..255. */
  readonly pixels: Uint8Array;
}

export interface LoadedImage {
  readonly name: string;
  /** `[height, width, 3]` RGB 0..255. */
  readonly pixels: Uint8Array;
  /** The same image at other sizes, by size. */
  readonly otherSizes: Readonly<Record<string, Uint8Array>>;
  /** Of the upright original, or of its middle, pixels. */
  readonly width: number;
  readonly height: number;
  /** Where that lies in the original. */
  readonly crop?: Crop;
  /** Where it was asked for and the source is a file. */
  readonly picture?: Picture;
  /** What is odd about it, with its name. */
  readonly note?: string;
}

/**
 * Reads a file once, so that a pipe will do, and decodes it once where that gives the same pixels
 * (`OpenImage.keepDecoded`).
 *
 * @param options.size of the model's input.
 * @param options.otherSizes of what networks of their own see, pixels; made of the pixels where they are given.
 * @param options.centerCrop the middle that is seen; absent, all is.
 * @param options.pictureSize longer side of a picture for people, pixels.
 * @param options.signal ends the waiting for a pipe; its reason is thrown then.
 * @throws ImageError where it cannot be read; InputError where it is neither a path nor pixels of the right size.
 */
export async function loadImage(
  image: ImageSource,
  {
    size,
    otherSizes = [],
    centerCrop,
    pictureSize,
    signal,
  }: {
    size: Size;
    otherSizes?: readonly Size[];
    centerCrop?: CenterCrop;
    pictureSize?: number;
    signal?: AbortSignal;
  },
): Promise<LoadedImage> {
  checkImage(image, size);
  const bySize = async (render: (size: Size) => Promise<Uint8Array>) => {
    const found: Record<string, Uint8Array> = {};
    for (const other of otherSizes) found[sizeKey(other)] = await render(other);
    return found;
  };
  const isPath = typeof image === "string";
  if (!isPath && "pixels" in image) {
    const seen = sidesOf(size);
    const { name, pixels, width = seen.width, height = seen.height } = image;
    return { name, pixels, otherSizes: await bySize((to) => resizePixels(pixels, { from: size, to })), width, height };
  }
  const name = isPath ? image : image.name;
  const opened = isPath
    ? await openImage(image, { allowPipe: true, signal, centerCrop })
    : await openImage(image.bytes, { name, centerCrop });
  const { width, height, part } = opened;
  const whole = async (source: Pick<typeof opened, "render">, pictureOf?: () => Promise<Picture>) => {
    const pixels = await source.render({ size });
    const others = await bySize((other) => source.render({ size: other }));
    const picture = await pictureOf?.();
    const remark = opened.remark();
    const note = remark && { note: `${name}: ${remark}` };
    return {
      name,
      pixels,
      otherSizes: others,
      width,
      height,
      ...(part && { crop: part }),
      ...(picture && { picture }),
      ...note,
    };
  };
  if (pictureSize === undefined && otherSizes.length === 0) return whole(opened);
  const sizes = [size, ...otherSizes, ...(pictureSize === undefined ? [] : [pictureSize])];
  const source = (await opened.keepDecoded({ size: Math.min(...sizes.flatMap(shapeOf)) })) ?? opened;
  if (pictureSize === undefined) return whole(source);
  const shape = withLongerSide(opened, pictureSize);
  return whole(source, async () => ({ ...shape, pixels: await source.render({ size: pictureSize, shape }) }));
}

function withLongerSide({ width, height }: { width: number; height: number }, side: number) {
  const scaled = (length: number) => Math.max(1, Math.round((length * side) / Math.max(width, height)));
  return { width: scaled(width), height: scaled(height) };
}
