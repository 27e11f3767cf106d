/** Any image file to the model's RGB square: upright, over white, eight bits, one resizing kernel. */

import { readFile } from "node:fs/promises";
import sharp, { type Metadata, type Sharp } from "sharp";
import { ImageError } from "../core/errors.js";
import { LIMITS } from "../core/limits.js";
import type { Crop } from "../core/view.js";

/** Catmull-Rom over the footprint of each output pixel; the same in training and explaining, and named in the bundle. */
export const RESIZE_KERNEL = "cubic";
/** Reduction from which JPEG and WebP are shrunk while they are decoded (sharp's `fastShrinkOnLoad: false`). */
const SHRINK_ON_LOAD = 4;

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
 * @throws ImageError
 */
export async function openImage(source: string | Uint8Array, { name }: { name?: string } = {}): Promise<OpenImage> {
  const label = name ?? (typeof source === "string" ? source : "image");
  const bytes = typeof source === "string" ? await readImageFile(source, label) : source;
  const { width, height, depth, isPlain } = await readHeader(bytes, label);
  // Truncated and damaged files fail here instead of coming out half grey.
  const input = { failOn: "error", limitInputPixels: LIMITS.imagePixels } as const;
  const pixels = async (): Promise<Sharp> => {
    if (depth !== "ushort") return sharp(bytes, input).autoOrient();
    const data = await decode16Bit(sharp(bytes, input).autoOrient());
    return sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: LIMITS.imagePixels });
  };
  const keepDecoded: OpenImage["keepDecoded"] = async ({ size }) => {
    if (!isPlain || Math.max(width, height) >= SHRINK_ON_LOAD * size) return null;
    const data = await decoded(label, () =>
      sharp(bytes, input).toColourspace("srgb").raw({ depth: "uchar" }).toBuffer(),
    );
    if (data.length !== 3 * width * height) return null;
    const raw = () => sharp(data, { raw: { width, height, channels: 3 } });
    const kept: KeptImage = {
      pixels: data,
      width,
      height,
      render: renderer(label, async () => raw()),
      keepDecoded: async () => kept,
    };
    return kept;
  };
  return { width, height, render: renderer(label, pixels), keepDecoded };
}

/** Rendering of an upright image, from a file or from its pixels. */
function renderer(label: string, pixels: () => Promise<Sharp>): OpenImage["render"] {
  return async ({ size, crop, flip = false }) => {
    const data = await decoded(label, async () => {
      const upright = await pixels();
      const part = crop ? upright.extract(crop) : upright;
      return (
        part
          .flatten({ background: "#ffffff" })
          // Shrinking on load no further than to twice the size leaves the last step to the kernel.
          .resize(size, size, { fit: "fill", kernel: RESIZE_KERNEL, fastShrinkOnLoad: false })
          .toColourspace("srgb")
          .raw({ depth: "uchar" })
          .toBuffer()
      );
    });
    return flip ? mirror(data, { size, channels: 3 }) : new Uint8Array(data);
  };
}

async function decoded(label: string, work: () => Promise<Buffer>): Promise<Buffer> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ImageError) throw cause;
    throw new ImageError(`${label}: cannot be decoded whole (${firstLine(cause)}). Fetch it or save it again.`, {
      cause,
    });
  }
}

/** @throws ImageError where it is absent, a folder, or empty. */
export async function readImageFile(path: string, label = path): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT") throw new ImageError(`${label}: no such file. Check the path.`, { cause });
    if (code === "EISDIR") throw new ImageError(`${label}: is a folder. Name the images in it.`, { cause });
    throw new ImageError(`${label}: cannot be read (${firstLine(cause)}). Check its permissions.`, { cause });
  }
  if (bytes.length === 0) throw new ImageError(`${label}: is empty (0 bytes). Fetch it or save it again.`);
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
  label: string,
): Promise<{ width: number; height: number; depth: Metadata["depth"]; isPlain: boolean }> {
  let header: Metadata;
  try {
    header = await sharp(bytes, { failOn: "error", limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new ImageError(
      `${label}: not an image that can be read (${firstLine(cause)}). Convert it to PNG, JPEG, WebP, TIFF or GIF.`,
      { cause },
    );
  }
  if (header.format === "svg" || header.format === "pdf") {
    throw new ImageError(
      `${label}: ${header.format.toUpperCase()} is a drawing, not a raster image. Export it as PNG.`,
    );
  }
  if (header.depth !== "uchar" && header.depth !== "ushort") {
    throw new ImageError(`${label}: its samples are of type ${header.depth}. Convert it to 8 or 16 bits a channel.`);
  }
  const { width, height } = header.autoOrient;
  checkPixelCount(width, height, label);
  const { depth, space, channels, hasAlpha, hasProfile, orientation = 1 } = header;
  const hasPlainColours = (space === "srgb" && channels === 3) || (space === "b-w" && channels === 1);
  const isPlain = depth === "uchar" && hasPlainColours && !hasAlpha && !hasProfile && orientation === 1;
  return { width, height, depth, isPlain };
}

/**
 * libvips cuts 16 bits to 8 by dropping the low byte, and flattens them over 65,280 instead of white, so both are done here.
 *
 * @returns `[height, width, 3]` RGB 0..255.
 */
async function decode16Bit(image: Sharp): Promise<Uint8Array> {
  const { data, info } = await image
    .toColourspace("rgb16")
    .raw({ depth: "ushort" })
    .toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2); // [height, width, 3 or 4]
  const { channels } = info;
  const out = new Uint8Array((values.length / channels) * 3);
  for (let pixel = 0, from = 0, to = 0; to < out.length; pixel++, from = pixel * channels, to += 3) {
    const alpha = channels === 4 ? values[from + 3] / 65535 : 1;
    for (let k = 0; k < 3; k++) out[to + k] = Math.round((values[from + k] * alpha + 65535 * (1 - alpha)) / 257);
  }
  return out;
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].trim();
}
