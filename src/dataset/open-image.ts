/** Opens an image file of any format: upright, over white, eight bits per channel. Pixels are decoded on demand. */

import sharp from "sharp";
import type { Crop } from "../core/augmented-view.js";
import { type CenterCrop, centerCropOf } from "../core/center-crop.js";
import { inFile } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { pixelCount, type Sides, type Size, shapeOf, sidesOf } from "../core/size.js";
import { MOST_MARGIN } from "./augment.js";
import { readBitmap } from "./bmp.js";
import { imageFormat } from "./image-format.js";
import { checkPixelCount, readHeader } from "./image-header.js";
import { readImageFile } from "./read-image-file.js";
import { type DecodableImage, decoded, type RenderOptions, resizer } from "./resize-image.js";

/** From this reduction on, JPEG and WebP may be shrunk while they are decoded (sharp's `fastShrinkOnLoad: false`). */
const SHRINK_ON_LOAD = 4 / (1 + MOST_MARGIN);

/** Largest value of 12 bits, with some overshoot from resizing. */
const DARK = 4096 * 1.25;

/** A readable image whose pixels are not decoded yet. */
export interface OpenImage {
  /** Of the upright original, or of its middle, pixels. */
  readonly width: number;
  readonly height: number;
  /** Where that lies in the original, and the original's size. */
  readonly part?: Crop;
  readonly whole?: Sides;
  /** `[height, width, 3]` RGB 0..255. @throws ImageError where the pixels cannot be decoded whole. */
  render(options: RenderOptions): Promise<Uint8Array>;
  /**
   * The same image with decoded pixels, for repeated rendering. `null` if that would not give the same bytes: alpha, 16
   * bits, profiles, other colours than sRGB, a rotation, or an image so large that decoders shrink it on loading.
   *
   * @param options.size to which it will be rendered.
   */
  keepDecoded(options: { readonly size: Size }): Promise<Pick<OpenImage, "render"> | null>;
  /**
   * The same image from pixels of this size, for repeated rendering. All of it, rendered at this size, has the very
   * bytes that the file gives; parts are resized twice.
   */
  keepSeen(options: { readonly size: Size }): Promise<SeenImage>;
  /** A warning about the pixels rendered so far, as a sentence without the file's name. */
  remark(): string | undefined;
}

export interface SeenImage extends Pick<OpenImage, "width" | "height" | "part" | "whole" | "render"> {
  readonly byteCount: number;
}

/** An image decoded to what a model sees, as an explainer's `explain`, `renderOverlay` and `writeExplanation` take it. */
export interface DecodedImage {
  /** The path, or the `name` that was given; `image` for bytes without one. */
  readonly name: string;
  /** Of the pixels: the side of a square, or height and width. */
  readonly size: Size;
  /** `[height, width, 3]` RGB 0..255, row-major. */
  readonly pixels: Uint8Array;
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes an image: EXIF orientation applied, alpha over white, 16 bits scaled by 1/257, grey repeated, CMYK and colour
 * profiles converted to sRGB, the first frame of several. The same bytes each time.
 *
 * @param source a path, or the bytes of a file.
 * @param options.centerCrop its middle alone; all of it by default.
 * @throws ImageError in one line that names the file and the cure.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: RenderOptions & { readonly name?: string; readonly centerCrop?: CenterCrop },
): Promise<DecodedImage> {
  const { size, name = nameOf(source) } = options;
  const image = await openImage(source, options);
  return { name, size, pixels: await image.render(options), width: image.width, height: image.height };
}

interface OpenOptions {
  /** Name of the image in messages; by default its path. */
  readonly name?: string;
  /** Whether the path may be a pipe, which is read to its end. */
  readonly allowPipe?: boolean;
  readonly signal?: AbortSignal;
  /** Its middle is the image; by default all of it. */
  readonly centerCrop?: CenterCrop;
}

/** Reads the header, and refuses an image that cannot be decoded. @throws ImageError */
export async function openImage(source: string | Uint8Array, options: OpenOptions = {}): Promise<OpenImage> {
  if (typeof source !== "string") return openUnplaced(source, options);
  const place = { file: source };
  const image = await inFile(place, () => openUnplaced(source, options));
  return {
    ...image,
    render: (options) => inFile(place, () => image.render(options)),
    keepDecoded: (options) => inFile(place, () => image.keepDecoded(options)),
    keepSeen: (options) => inFile(place, () => image.keepSeen(options)),
  };
}

function nameOf(source: string | Uint8Array): string {
  return typeof source === "string" ? source : "image";
}

async function openUnplaced(
  source: string | Uint8Array,
  { name = nameOf(source), allowPipe, signal, centerCrop }: OpenOptions,
): Promise<OpenImage> {
  const bytes = typeof source === "string" ? await readImageFile(source, { name, allowPipe, signal }) : source;
  const whole = await openFile(bytes, name);
  const part = centerCrop === undefined ? undefined : centerCropOf(whole, centerCrop);
  const file = { ...whole, ...(part && { part, width: part.width, height: part.height }) };
  const middle = part && { part, whole: { width: whole.width, height: whole.height } };
  const { width, height, isPlain, open } = file;
  const keepDecoded: OpenImage["keepDecoded"] = async ({ size }) => {
    if (!isPlain || Math.max(whole.width, whole.height) >= SHRINK_ON_LOAD * Math.min(...shapeOf(size))) return null;
    const data = await decoded(file, () => open().toColourspace("srgb").raw({ depth: "uchar" }).toBuffer());
    if (data.length !== 3 * whole.width * whole.height) return null;
    const { open: kept } = pixels({ name, width: whole.width, height: whole.height }, data);
    return { render: resizer({ ...file, costBytes: 0, is16Bit: false, open: kept }) };
  };
  let largest = 0;
  const onLargest = (value: number) => {
    largest = Math.max(largest, value);
  };
  const remark = () =>
    largest > 0 && largest < DARK
      ? `its values end at ${largest} of 65535, so that it is almost black: ` +
        `12 bits in a file of 16? Scale them to the whole range.`
      : undefined;
  const keepSeen: OpenImage["keepSeen"] = async ({ size }) => {
    const seen = sidesOf(size);
    const render = resizer(pixels({ name, ...seen }, await resizer(file, { onLargest })({ size })));
    return {
      ...{ width, height, ...middle, byteCount: 3 * pixelCount(size) },
      render: ({ crop, ...options }) => render({ ...options, ...(crop && { crop: scaled(crop, file, seen) }) }),
    };
  };
  return { width, height, ...middle, render: resizer(file, { onLargest }), keepDecoded, keepSeen, remark };
}

function pixels({ name, width, height }: Sides & { name: string }, data: Uint8Array): DecodableImage {
  const open = () => sharp(data, { raw: { width, height, channels: 3 } });
  return { name, width, height, costBytes: 0, is16Bit: false, open };
}

/** The same part of an image of another size, in whole pixels. */
function scaled({ left, top, width, height }: Crop, from: Sides, to: Sides): Crop {
  const along = (start: number, length: number, scale: number) => {
    const first = Math.round(start * scale);
    return { first, length: Math.max(1, Math.round((start + length) * scale) - first) };
  };
  const across = along(left, width, to.width / from.width);
  const down = along(top, height, to.height / from.height);
  return { left: across.first, top: down.first, width: across.length, height: down.length };
}

/** @throws ImageError */
async function openFile(
  bytes: Uint8Array,
  name: string,
): Promise<DecodableImage & { readonly width: number; readonly height: number; readonly isPlain: boolean }> {
  const format = imageFormat(bytes, name);
  if (format !== "bmp") {
    const header = await readHeader(bytes, { name, format });
    // Truncated and damaged files fail here instead of being decoded half grey.
    const open = () => sharp(bytes, { failOn: "error", limitInputPixels: LIMITS.imagePixels });
    return { ...header, name, open: header.isPlain ? open : () => open().autoOrient() };
  }
  const { width, height, channels, decode } = readBitmap(bytes, name);
  checkPixelCount(width, height, name);
  const costBytes = width * height * channels;
  const open = () => sharp(decode(), { raw: { width, height, channels }, limitInputPixels: LIMITS.imagePixels });
  return { width, height, isPlain: channels === 3, is16Bit: false, costBytes, name, open };
}
