/** Any image file to the model's RGB square: upright, over white, eight bits, one resizing kernel. */

import sharp, { type Metadata, type Sharp } from "sharp";
import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import { readWhole } from "../core/read-whole.js";
import type { Crop } from "../core/view.js";
import { readBitmap } from "./bmp.js";
import { withinBudget } from "./decoding-budget.js";
import { type ImageFormat, imageFormat } from "./image-format.js";

// libvips would keep the last hundred decoders for another use, with all that they hold: no image is decoded from the same buffer again.
sharp.cache(false);

/** Catmull-Rom over the footprint of each output pixel; the same in training and explaining, and named in the bundle. */
export const RESIZE_KERNEL = "cubic";
/** Reduction from which JPEG and WebP are shrunk while they are decoded (sharp's `fastShrinkOnLoad: false`). */
const SHRINK_ON_LOAD = 4;

/** Values of 12 bits, with some overshoot from resizing. */
const DARK = 4096 * 1.25;

export interface RenderOptions {
  /** Side of the square, pixels. */
  readonly size: number;
  /** Part of the upright original that fills the square; all of it by default. */
  readonly crop?: Crop;
  /** Mirror left and right, after the crop. */
  readonly flip?: boolean;
}

/** A readable image whose pixels are not decoded yet. */
export interface OpenImage {
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
  /** `[size, size, 3]` RGB 0..255. @throws ImageError where the pixels cannot be decoded whole. */
  render(options: RenderOptions): Promise<Uint8Array>;
  /**
   * The same image with its pixels decoded, for rendering again and again; `null` where that would not give the same bytes:
   * alpha, 16 bits, profiles, other colours than sRGB, a rotation, or so large that decoders shrink on loading.
   *
   * @param options.size side to which it will be rendered.
   */
  keepDecoded(options: { readonly size: number }): Promise<KeptImage | null>;
  /** What is odd about the pixels that were rendered so far, as a sentence without the file's name. */
  remark(): string | undefined;
}

export interface KeptImage extends OpenImage {
  /** `[height, width, 3]` RGB 0..255. */
  readonly pixels: Uint8Array;
}

export interface DecodedImage {
  /** `[size, size, 3]` RGB 0..255, row-major. */
  readonly image: Uint8Array;
  /** Of the upright original, pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * Decodes an image as section 3 of the design says: EXIF orientation applied, alpha over white, 16 bits scaled by 1/257,
 * grey repeated, CMYK and colour profiles converted to sRGB, the first frame of several. The same bytes each time.
 *
 * @param source a path, or the bytes of a file.
 * @throws ImageError in one line that names the file and the cure.
 */
export async function decodeImage(
  source: string | Uint8Array,
  options: RenderOptions & { name?: string },
): Promise<DecodedImage> {
  const image = await openImage(source, options);
  return { image: await image.render(options), width: image.width, height: image.height };
}

/**
 * Reads the header, and refuses what cannot be decoded.
 *
 * @param name how messages call the image; the path where there is one.
 * @param allowPipe reads a pipe, to its end, where the path is one.
 * @throws ImageError
 */
export async function openImage(
  source: string | Uint8Array,
  { name, allowPipe, signal }: { name?: string; allowPipe?: boolean; signal?: AbortSignal } = {},
): Promise<OpenImage> {
  const label = name ?? (typeof source === "string" ? source : "image");
  const bytes = typeof source === "string" ? await readImageFile(source, { label, allowPipe, signal }) : source;
  const file = await openFile(bytes, label);
  const { width, height, isPlain, open } = file;
  const keepDecoded: OpenImage["keepDecoded"] = async ({ size }) => {
    if (!isPlain || Math.max(width, height) >= SHRINK_ON_LOAD * size) return null;
    const data = await decoded(file, () => open().toColourspace("srgb").raw({ depth: "uchar" }).toBuffer());
    if (data.length !== 3 * width * height) return null;
    const raw = () => sharp(data, { raw: { width, height, channels: 3 } });
    const kept: KeptImage = {
      pixels: data,
      width,
      height,
      render: renderer({ label, costBytes: 0, is16Bit: false, open: raw }),
      keepDecoded: async () => kept,
      remark: () => undefined,
    };
    return kept;
  };
  let largest = 0;
  const onLargest = (value: number) => {
    largest = Math.max(largest, value);
  };
  const remark = () =>
    largest > 0 && largest < DARK
      ? `its values end at ${largest} of 65535, so that it is almost black: 12 bits in a file of 16? Scale them to the whole range.`
      : undefined;
  return { width, height, render: renderer(file, { onLargest }), keepDecoded, remark };
}

/** A file whose header has been read. */
interface ImageSource {
  readonly label: string;
  /** What its decoder holds in memory at once. */
  readonly costBytes: number;
  readonly is16Bit: boolean;
  /** A decoder that has not begun. */
  readonly open: () => Sharp;
}

/** @throws ImageError */
async function openFile(
  bytes: Uint8Array,
  label: string,
): Promise<ImageSource & { readonly width: number; readonly height: number; readonly isPlain: boolean }> {
  const format = imageFormat(bytes, label);
  if (format !== "bmp") {
    const header = await readHeader(bytes, { label, format });
    // Truncated and damaged files fail here instead of coming out half grey.
    const open = () => sharp(bytes, { failOn: "error", limitInputPixels: LIMITS.imagePixels });
    return { ...header, label, open: header.isPlain ? open : () => open().autoOrient() };
  }
  const { width, height, channels, decode } = readBitmap(bytes, label);
  checkPixelCount(width, height, label);
  const costBytes = width * height * channels;
  const open = () => sharp(decode(), { raw: { width, height, channels }, limitInputPixels: LIMITS.imagePixels });
  return { width, height, isPlain: channels === 3, is16Bit: false, costBytes, label, open };
}

/** Rendering of an upright image, from a file or from its pixels. */
function renderer(
  source: ImageSource,
  { onLargest }: { onLargest?: (value: number) => void } = {},
): OpenImage["render"] {
  return async ({ size, crop, flip = false }) => {
    // Shrinking on load no further than to twice the size leaves the last step to the kernel.
    const how = { fit: "fill", kernel: RESIZE_KERNEL, fastShrinkOnLoad: false } as const;
    const part = () => (crop ? source.open().extract(crop) : source.open());
    const data = source.is16Bit
      ? toEightBits(
          await decoded(source, () =>
            part().resize(size, size, how).toColourspace("rgb16").raw({ depth: "ushort" }).toBuffer(),
          ),
          { pixelCount: size * size, onLargest },
        )
      : await decoded(source, () =>
          part()
            .flatten({ background: "#ffffff" })
            .resize(size, size, how)
            .toColourspace("srgb")
            .raw({ depth: "uchar" })
            .toBuffer(),
        );
    return flip ? mirror(data, { size, channels: 3 }) : new Uint8Array(data);
  };
}

async function decoded({ label, costBytes }: ImageSource, work: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await withinBudget(costBytes, work);
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw new ImageError(`${label}: cannot be decoded whole (${firstLine(cause)}). Fetch it or save it again.`, {
      cause,
    });
  }
}

/** @throws ImageError where it is absent, no file, empty, too large, or a format that is not read. */
export async function readImageFile(
  path: string,
  { label = path, allowPipe, signal }: { label?: string; allowPipe?: boolean; signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  const bytes = await readWhole(path, {
    label,
    allowPipe,
    signal,
    limit: LIMITS.imageFileBytes,
    ErrorClass: ImageError,
  });
  imageFormat(bytes, label);
  return bytes;
}

/** Rows of a square mirrored left to right; a new array. */
export function mirror(data: Uint8Array, { size, channels }: { size: number; channels: number }): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = (y * size + x) * channels;
      const to = (y * size + size - 1 - x) * channels;
      for (let k = 0; k < channels; k++) out[to + k] = data[from + k];
    }
  }
  return out;
}

/** @throws ImageError where a side product is past the limit; before anything is allocated for it. */
export function checkPixelCount(width: number, height: number, label: string): void {
  if (width * height <= LIMITS.imagePixels) return;
  throw new ImageError(
    `${label}: ${width} x ${height} pixels, the limit is ${LIMITS.imagePixels / 1e6} million (10,000 x 10,000). Cut it into tiles or make it smaller.`,
  );
}

async function readHeader(
  bytes: Uint8Array,
  { label, format }: { label: string; format: ImageFormat },
): Promise<{ width: number; height: number; is16Bit: boolean; isPlain: boolean; costBytes: number }> {
  let header: Metadata;
  try {
    header = await sharp(bytes, { failOn: "error", limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new ImageError(
      `${label}: not an image that can be read (${firstLine(cause)}). Convert it to PNG, JPEG, WebP, TIFF or GIF.`,
      { cause },
    );
  }
  if (header.depth !== "uchar" && header.depth !== "ushort") {
    throw new ImageError(`${label}: its samples are of type ${header.depth}. Convert it to 8 or 16 bits a channel.`);
  }
  const { width, height } = header.autoOrient;
  checkPixelCount(width, height, label);
  const costBytes = decodingCost(header, { label, format });
  const { depth, space, channels, hasAlpha, hasProfile, orientation = 1 } = header;
  const hasPlainColours = (space === "srgb" && channels === 3) || (space === "b-w" && channels === 1);
  const isPlain = depth === "uchar" && hasPlainColours && !hasAlpha && !hasProfile && orientation === 1;
  return { width, height, is16Bit: depth === "ushort", isPlain, costBytes };
}

/** Bytes that its decoder holds at once. @throws ImageError where they are past the limit; before anything is allocated for it. */
export function decodingCost(header: Metadata, { label, format }: { label: string; format: ImageFormat }): number {
  const { width, height } = header.autoOrient;
  const costBytes = width * height * bytesPerPixel(header, format);
  if (costBytes <= LIMITS.decodingBytes) return costBytes;
  throw new ImageError(
    `${label}: ${width} x ${height} pixels as ${format.toUpperCase()} take ${Math.round(costBytes / 1e6)} MB to decode, the limit is ${LIMITS.decodingBytes / 1e6} MB. Make it smaller, or save it as PNG of 8 bits.`,
  );
}

/** What decoders hold of the whole image, measured at 100 million pixels; nothing where rows are decoded one after another. */
function bytesPerPixel({ channels, depth, isProgressive, bitsPerSample = 8 }: Metadata, format: ImageFormat): number {
  const sampleBytes = depth === "ushort" ? 2 : 1;
  switch (format) {
    case "png":
      return isProgressive ? channels * sampleBytes : 0;
    case "jpeg":
      return isProgressive ? 2 * channels : 0;
    case "gif":
      return 5;
    case "webp":
      return 9;
    case "avif":
      return bitsPerSample > 8 || sampleBytes > 1 ? 24 : 18;
    default:
      return channels * sampleBytes;
  }
}

/**
 * libvips cuts 16 bits to 8 by dropping the low byte, and flattens them over 65,280 instead of white, so both are done here.
 *
 * @param data 16-bit samples, 3 or 4 a pixel.
 * @param options.onLargest gets the largest colour value.
 * @returns `[pixelCount, 3]` RGB 0..255.
 */
function toEightBits(
  data: Buffer,
  { pixelCount, onLargest }: { pixelCount: number; onLargest?: (value: number) => void },
): Uint8Array {
  const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const channels = values.length / pixelCount;
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

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].trim();
}
