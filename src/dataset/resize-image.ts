/**
 * Resizes an image to the model's input, RGB of eight bits. Masks are resized in `resize-raster.ts`.
 */

import sharp, { type OutputInfo, type Sharp } from "sharp";
import { type Crop, placesIn, type Symmetry, turnedSize } from "../core/augmented-view.js";
import { ImageError } from "../core/errors.js";
import { firstLine } from "../core/message-text.js";
import { isSameSize, type Sides, type Size, sidesOf } from "../core/size.js";
import { withinBudget } from "./decoding-budget.js";

/**
 * Catmull-Rom over the footprint of each output pixel, used for training and explaining alike; its name is written into
 * bundles.
 */
export const RESIZE_KERNEL = "cubic";

/** How an image becomes what a model sees. */
export interface RenderOptions extends Partial<Symmetry> {
  /** What the model sees, pixels: the side of a square, or height and width. */
  readonly size: Size;
  /** Width and height instead, of the whole image, for people; no symmetry changes it. */
  readonly shape?: { readonly width: number; readonly height: number };
  /** Part of the upright original that is rendered, or more than it; by default all of it. */
  readonly crop?: Crop;
  /** Standard deviation of a Gaussian blur, pixels of the result, 0.3 and more; none by default. */
  readonly blur?: number;
}

/** A file whose header has been read. */
export interface DecodableImage {
  readonly name: string;
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
  /** The part of the file's upright image that this one is, where it is not all of it. */
  readonly part?: Crop;
  /** Peak memory of its decoder, bytes. */
  readonly costBytes: number;
  readonly is16Bit: boolean;
  /** A decoder that has not been started. */
  readonly open: () => Sharp;
}

/**
 * A function that resizes one upright image, from its file or from its pixels.
 *
 * @returns `[height, width, 3]` RGB 0..255. @throws ImageError where the pixels cannot be decoded whole.
 */
export function resizer(
  source: DecodableImage,
  options: ResizeOptions = {},
): (options: RenderOptions) => Promise<Uint8Array> {
  return async ({ size, shape, crop, blur, flip = false, isUpsideDown = false, isTransposed = false }) => {
    const upright = sidesOf(turnedSize(size, { isTransposed }));
    const { part: cut, inner, margins } = placed(source, { size: upright, shape, crop });
    const { part: own } = source;
    const part = own && cut ? { ...cut, left: own.left + cut.left, top: own.top + cut.top } : (cut ?? own);
    const data = await resized(source, {
      ...options,
      open: () => (part ? source.open().extract(part) : source.open()),
      resize: (image) => {
        const seen = image.resize(inner.width, inner.height, RESIZING);
        const framed = margins ? seen.extend({ ...margins, extendWith: "copy" }) : seen;
        return blur ? framed.blur(blur) : framed;
      },
    });
    if (!flip && !isUpsideDown && !isTransposed) return data;
    return changed(data, upright, { flip, isUpsideDown, isTransposed });
  };
}

/**
 * An image at another size, where its file is not there.
 *
 * @param pixels of the size `from`, RGB 0..255.
 * @returns of the size `to`, the same array where both sizes are.
 */
export async function resizePixels(pixels: Uint8Array, { from, to }: { from: Size; to: Size }): Promise<Uint8Array> {
  if (isSameSize(from, to)) return pixels;
  const image = sharp(pixels, { raw: { ...sidesOf(from), channels: 3 } });
  const { height, width } = sidesOf(to);
  const data = await image.resize(width, height, RESIZING).raw().toBuffer();
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

interface ResizeOptions {
  /** Gets the largest colour value of an image of 16 bits. */
  readonly onLargest?: (value: number) => void;
}

/** Decoders shrink to no less than twice the size, so that the kernel does the last step. */
const RESIZING = { fit: "fill", kernel: RESIZE_KERNEL, fastShrinkOnLoad: false } as const;

async function resized(
  source: DecodableImage,
  { open, resize, onLargest }: ResizeOptions & { open: () => Sharp; resize: (image: Sharp) => Sharp },
): Promise<Uint8Array> {
  if (source.is16Bit) {
    const wide = () => resize(open()).toColourspace("rgb16").raw({ depth: "ushort" });
    return toEightBits(await decoded(source, () => wide().toBuffer({ resolveWithObject: true })), { onLargest });
  }
  const plain = () =>
    resize(open().flatten({ background: "#ffffff" }))
      .toColourspace("srgb")
      .raw({ depth: "uchar" });
  const data = await decoded(source, () => plain().toBuffer());
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

/** What of the image is seen, and where it lies in what the model sees, in whole pixels of that. */
function placed(
  { width, height }: Pick<DecodableImage, "width" | "height">,
  { size, shape = size, crop }: Pick<RenderOptions, "shape" | "crop"> & { size: Sides },
): {
  part?: Crop;
  inner: { width: number; height: number };
  margins?: { top: number; bottom: number; left: number; right: number };
} {
  if (!crop) return { inner: shape };
  const along = (start: number, length: number, whole: number, side: number) => {
    const [first, last] = [Math.max(0, start), Math.min(whole, start + length)];
    const toSeen = (at: number) => Math.round(((at - start) / length) * side);
    const before = Math.min(side - 1, toSeen(first));
    const inner = Math.max(1, toSeen(last) - before);
    return { first, length: last - first, before, inner, after: side - before - inner };
  };
  const across = along(crop.left, crop.width, width, size.width);
  const down = along(crop.top, crop.height, height, size.height);
  const margins = { top: down.before, bottom: down.after, left: across.before, right: across.after };
  return {
    part: { left: across.first, top: down.first, width: across.length, height: down.length },
    inner: { width: across.inner, height: down.inner },
    ...(Object.values(margins).some((margin) => margin > 0) && { margins }),
  };
}

/** @throws ImageError where the file is cut off or damaged. */
export async function decoded<Pixels>(
  { name, costBytes }: Pick<DecodableImage, "name" | "costBytes">,
  work: () => Promise<Pixels>,
): Promise<Pixels> {
  try {
    return await withinBudget(costBytes, work);
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw new ImageError(`${name}: cannot be decoded whole (${firstLine(cause)}).`, {
      cure: "Fetch it or save it again.",
      cause,
    });
  }
}

/** A copy of an image under a symmetry. @param size of the image itself. */
function changed(data: Uint8Array, size: Sides, symmetry: Symmetry): Uint8Array {
  const out = new Uint8Array(data.length);
  const { first, down, across } = placesIn(size, symmetry);
  for (let row = 0, from = 0; row < size.height; row++) {
    for (let column = 0, to = 3 * (first + row * down); column < size.width; column++, from += 3, to += 3 * across) {
      out[to] = data[from];
      out[to + 1] = data[from + 1];
      out[to + 2] = data[from + 2];
    }
  }
  return out;
}

/**
 * Converts 16 bits to 8 and puts alpha over white. libvips would drop the low byte and use 65,280 as white.
 *
 * @param given.data 16-bit samples, 3 or 4 a pixel.
 * @returns `[pixels, 3]` RGB 0..255.
 */
function toEightBits(
  { data, info: { width, height, channels } }: { data: Buffer; info: OutputInfo },
  { onLargest }: ResizeOptions,
): Uint8Array {
  const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const pixelCount = width * height;
  const out = new Uint8Array(pixelCount * 3);
  let largest = 0;
  for (let pixel = 0, from = 0, to = 0; to < out.length; pixel++, from = pixel * channels, to += 3) {
    const alpha = channels === 4 ? values[from + 3] / 65535 : 1;
    for (let k = 0; k < 3; k++) largest = Math.max(largest, values[from + k]);
    for (let k = 0; k < 3; k++) out[to + k] = Math.round((values[from + k] * alpha + 65535 * (1 - alpha)) / 257);
  }
  onLargest?.(largest);
  return out;
}
