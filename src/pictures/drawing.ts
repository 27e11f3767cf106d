/** A drawing: images, shapes above them, and lines of text above those. Renders it as a PNG. */

import sharp from "sharp";
import { type RgbImage, rawOf, toBuffer } from "./painting.js";
import { type TextLine, type TextLook, textLine } from "./text-line.js";

/** A line of text and the position of its upper left corner. */
export interface PlacedLine extends TextLine {
  readonly left: number;
  readonly top: number;
}

/** SVG elements and texts; the texts lie above all shapes. */
export type Drawing = readonly (string | PlacedLine)[];

export interface PlacedImage {
  readonly image: RgbImage;
  readonly left: number;
  readonly top: number;
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
export function inset(
  drawing: Drawing,
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): Drawing {
  const lines = drawing.filter((part) => typeof part !== "string");
  return [
    `<svg x="${x}" y="${y}" width="${width}" height="${height}">${shapesOf(drawing)}</svg>`,
    ...lines.map((line) => ({ ...line, left: line.left + x, top: line.top + y })),
  ];
}

function shapesOf(drawing: Drawing): string {
  return drawing.filter((part) => typeof part === "string").join("");
}

/** @param options.ground shapes under the images. @returns the bytes of a PNG, on white. */
export async function renderPng(
  drawing: Drawing,
  {
    width,
    height,
    images,
    ground = [],
  }: { width: number; height: number; images: readonly PlacedImage[]; ground?: readonly string[] },
): Promise<Uint8Array> {
  const svg = (shapes: Drawing) => ({
    input: Buffer.from(
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapesOf(shapes)}</svg>`,
    ),
    left: 0,
    top: 0,
  });
  const pixels = await sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite([
      ...(ground.length > 0 ? [svg(ground)] : []),
      ...images.map(({ image, left, top }) => ({ input: toBuffer(image), raw: rawOf(image), left, top })),
      svg(drawing),
    ])
    .removeAlpha()
    .raw()
    .toBuffer();
  const canvas = { width, height, pixels };
  for (const part of drawing) if (typeof part !== "string") layLine(canvas, part);
  const png = sharp(pixels, { raw: rawOf(canvas) }).png({ compressionLevel: 6 });
  return new Uint8Array(await png.toBuffer());
}

/** Draws a line of text on an image, in place; parts beyond the edges are clipped. */
function layLine(image: RgbImage, { width, height, pixels, left, top }: PlacedLine): void {
  for (let y = Math.max(0, -top); y < Math.min(height, image.height - top); y++) {
    for (let x = Math.max(0, -left); x < Math.min(width, image.width - left); x++) {
      const from = 4 * (y * width + x);
      const to = 3 * ((top + y) * image.width + left + x);
      const opacity = pixels[from + 3] / 255;
      for (let k = 0; k < 3; k++) image.pixels[to + k] += opacity * (pixels[from + k] - image.pixels[to + k]);
    }
  }
}
