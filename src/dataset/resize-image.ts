/**
 * Resizes an image to the model's input, RGB of eight bits. Masks are resized in `resize-raster.ts`; training resizes
 * small images in its graph, in `train/crop-in-graph.ts`.
 */

import type { Sharp } from "sharp";
import type { Crop } from "../core/augmented-view.js";
import { ImageError } from "../core/errors.js";
import { firstLine } from "../core/message-text.js";
import { withinBudget } from "./decoding-budget.js";

/**
 * Catmull-Rom over the footprint of each output pixel, used for training and explaining alike; its name is written into
 * bundles.
 */
export const RESIZE_KERNEL = "cubic";

/** How an image becomes the square that a model sees. */
export interface RenderOptions {
  /** Side of the square, pixels. */
  readonly size: number;
  /** Part of the upright original that is rendered; by default all of it. */
  readonly crop?: Crop;
  /** Mirror left and right, after the crop. */
  readonly flip?: boolean;
}

/** A file whose header has been read. */
export interface DecodableImage {
  readonly name: string;
  /** Peak memory of its decoder, bytes. */
  readonly costBytes: number;
  readonly is16Bit: boolean;
  /** A decoder that has not been started. */
  readonly open: () => Sharp;
}

/**
 * A function that resizes one upright image, from its file or from its pixels.
 *
 * @param options.onLargest gets the largest colour value of an image of 16 bits.
 * @returns `[size, size, 3]` RGB 0..255. @throws ImageError where the pixels cannot be decoded whole.
 */
export function resizer(
  source: DecodableImage,
  { onLargest }: { onLargest?: (value: number) => void } = {},
): (options: RenderOptions) => Promise<Uint8Array> {
  return async ({ size, crop, flip = false }) => {
    // Decoders shrink to no less than twice the size, so that the kernel does the last step.
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
    return flip ? mirror(data, size) : new Uint8Array(data);
  };
}

/** @throws ImageError where the file is cut off or damaged. */
export async function decoded({ name, costBytes }: DecodableImage, work: () => Promise<Buffer>): Promise<Buffer> {
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

/** A copy of a square image, mirrored left to right. */
function mirror(data: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const from = (y * size + x) * 3;
      const to = (y * size + size - 1 - x) * 3;
      for (let k = 0; k < 3; k++) out[to + k] = data[from + k];
    }
  }
  return out;
}

/**
 * Converts 16 bits to 8 and puts alpha over white. libvips would drop the low byte and use 65,280 as white.
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
