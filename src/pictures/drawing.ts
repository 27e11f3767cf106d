/** A drawing: images, rounded rectangles above them, and lines of text above those. */

import sharp from "sharp";
import { type RgbImage, rawOf, toBuffer } from "./painting.js";
import type { Rectangle } from "./place-labels.js";
import type { TextLook } from "./render-text.js";
import { takeBytes } from "./reused-memory.js";
import { paintRectangle, type RoundedRectangle } from "./rounded-rectangle.js";
import { type TextLine, textLine } from "./text-line.js";

/** A line of text and the position of its upper left corner. */
export interface PlacedLine extends TextLine {
  readonly left: number;
  readonly top: number;
}

/** Shapes and texts; the texts lie above all shapes. */
export type Drawing = readonly (RoundedRectangle | PlacedLine)[];

export interface PlacedImage {
  readonly image: RgbImage;
  readonly left: number;
  readonly top: number;
}

/** What is drawn, and on how large a sheet. */
export interface Sheet {
  readonly width: number;
  readonly height: number;
  readonly images: readonly PlacedImage[];
  /** Shapes under the images. */
  readonly ground?: readonly RoundedRectangle[];
}

/** @param options.x position of the line's left end, middle or right end, by `anchor`; `y` is the baseline. */
export async function writeText(
  text: string,
  { x, y, anchor = "start", ...look }: TextLook & { x: number; y: number; anchor?: "start" | "middle" | "end" },
): Promise<PlacedLine> {
  const line = await textLine(text, look);
  const left = x - line.width * { start: 0, middle: 0.5, end: 1 }[anchor];
  return { ...line, left: Math.round(left), top: Math.round(y) - line.ascent };
}

/** A drawing moved into a rectangle, its shapes clipped at the edges. */
export function inset(drawing: Drawing, clip: Rectangle): Drawing {
  const { x, y } = clip;
  return drawing.map((part) =>
    isLine(part)
      ? { ...part, left: part.left + x, top: part.top + y }
      : { ...part, x: part.x + x, y: part.y + y, clip },
  );
}

/** Paints a drawing on white. */
export function paintDrawing(drawing: Drawing, { width, height, images, ground = [] }: Sheet): RgbImage {
  const sheet = { width, height, pixels: takeBytes(3 * width * height).fill(255) };
  for (const shape of ground) paintRectangle(sheet, shape);
  for (const image of images) layImage(sheet, image);
  for (const part of drawing) if (!isLine(part)) paintRectangle(sheet, part);
  for (const part of drawing) if (isLine(part)) layLine(sheet, part);
  return sheet;
}

/** @returns the bytes of a PNG. */
export async function renderPng(drawing: Drawing, sheet: Sheet): Promise<Uint8Array> {
  const image = paintDrawing(drawing, sheet);
  return new Uint8Array(
    await sharp(toBuffer(image), { raw: rawOf(image) })
      .png({ compressionLevel: 6 })
      .toBuffer(),
  );
}

/** Qualities of a JPEG: the first at which it is small enough counts, which nearly always is the first of all. */
const QUALITIES = [90, 85, 75, 60, 40];
const MOST_JPEG_BYTES = 250_000;

/**
 * A JPEG of at most 250,000 bytes, unless the image is so noisy that it is larger at the lowest quality. It keeps
 * every pixel's colour, for thin coloured lines and small letters, and is coded in a quarter of the time that PNG or WebP
 * takes: `bench/results/pictures.json`.
 */
export async function toJpeg(image: RgbImage): Promise<Uint8Array> {
  let jpeg = new Uint8Array();
  for (const quality of QUALITIES) {
    const options = { quality, chromaSubsampling: "4:4:4", optimiseCoding: false };
    jpeg = new Uint8Array(
      await sharp(toBuffer(image), { raw: rawOf(image) })
        .jpeg(options)
        .toBuffer(),
    );
    if (jpeg.length <= MOST_JPEG_BYTES) break;
  }
  return jpeg;
}

function isLine(part: RoundedRectangle | PlacedLine): part is PlacedLine {
  return "pixels" in part;
}

/** The image must lie inside the sheet. */
function layImage(sheet: RgbImage, { image, left, top }: PlacedImage): void {
  for (let y = 0; y < image.height; y++) {
    const row = image.pixels.subarray(3 * y * image.width, 3 * (y + 1) * image.width);
    sheet.pixels.set(row, 3 * ((top + y) * sheet.width + left));
  }
}

/** Draws a line of text on an image, in place; parts beyond the edges are clipped. */
function layLine(image: RgbImage, { width, height, pixels, left, top }: PlacedLine): void {
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(width, image.width - left); x++) {
      const from = 4 * (y * width + x);
      const to = 3 * ((top + y) * image.width + left + x);
      const opacity = pixels[from + 3] / 255;
      if (opacity === 0) continue;
      for (let k = 0; k < 3; k++) image.pixels[to + k] += opacity * (pixels[from + k] - image.pixels[to + k]);
    }
  }
}
