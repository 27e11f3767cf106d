/** Small pictures inside a page: a file decoded, outlines drawn on it, as JPEG in the page, with a limit in all. */

import sharp from "sharp";
import type { Box } from "../core/box.js";
import { openImage } from "../dataset/open-image.js";
import type { Grid } from "../pictures/enlarge-smoothly.js";
import { paintRegion } from "../pictures/paint-region.js";
import { type RgbImage, rawOf, toBuffer } from "../pictures/painting.js";
import { type Colour, NEAR_BLACK, WHITE } from "../pictures/palette.js";
import { escapeHtml } from "./html-page.js";

/** Where something is, on an image of any size. */
export type Outline = { readonly colour: Colour } & ({ readonly grid: Grid } | { readonly boxes: readonly Box[] });

/** Of the experts' labels and of a head's answers; they can be told apart by those who see few colours. */
export const EXPERT: Colour = [86, 180, 233];
export const HEAD: Colour = [230, 159, 0];

export interface Thumbnails {
  /**
   * @param file path of the image.
   * @returns a figure, or nothing where the file cannot be read or the page is full.
   */
  figure(file: string, options: { caption: string; outlines?: readonly Outline[] }): Promise<string>;
  /** Pictures that found no room. */
  readonly leftOut: number;
}

/** Longer side, pixels: twice the width at which they are shown. */
const SIDE = 264;
const QUALITY = 72;

/** @param options.most pictures, and their bytes, that the page holds in all. */
export function thumbnails({ most = 300, mostBytes = 6e6 }: { most?: number; mostBytes?: number } = {}): Thumbnails {
  let count = 0;
  let bytes = 0;
  let leftOut = 0;
  return {
    async figure(file, { caption, outlines = [] }) {
      if (count >= most || bytes >= mostBytes) {
        leftOut++;
        return "";
      }
      const picture = await read(file).catch(() => null);
      if (!picture) return `<figure><figcaption>${escapeHtml(caption)} (cannot be read)</figcaption></figure>`;
      for (const outline of outlines) paint(picture, outline);
      const jpeg = await sharp(toBuffer(picture), { raw: rawOf(picture) })
        .jpeg({ quality: QUALITY })
        .toBuffer();
      count++;
      bytes += jpeg.length;
      const source = `data:image/jpeg;base64,${jpeg.toString("base64")}`;
      const { width, height } = picture;
      return (
        `<figure><img src="${source}" width="${width}" height="${height}" loading="lazy" alt="">` +
        `<figcaption>${escapeHtml(caption)}</figcaption></figure>`
      );
    },
    get leftOut() {
      return leftOut;
    },
  };
}

/** In its own aspect ratio, small images enlarged; very long ones at a third of their length at least. */
async function read(file: string): Promise<RgbImage> {
  const image = await openImage(file);
  const scale = SIDE / Math.max(image.width, image.height);
  const [width, height] = [image.width, image.height].map((side) => Math.max(SIDE / 3, Math.round(side * scale)));
  const square = Buffer.from(await image.render({ size: SIDE }));
  const raw = { width: SIDE, height: SIDE, channels: 3 } as const;
  const { data, info } = await sharp(square, { raw })
    .resize(width, height, { fit: "fill" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: new Uint8Array(data) };
}

function paint(picture: RgbImage, outline: Outline): void {
  const { colour } = outline;
  const look = { colour, opacity: 0, contour: 2, around: colour === EXPERT ? WHITE : NEAR_BLACK };
  if ("grid" in outline) paintRegion(picture, outline.grid, look);
  else for (const box of outline.boxes) paintBox(picture, box, look);
}

/** A frame two pixels wide with a thin one around it. */
function paintBox(
  { width, height, pixels }: RgbImage,
  [yMin, xMin, yMax, xMax]: Box,
  { colour, around }: { colour: Colour; around: Colour },
): void {
  const [top, bottom] = [yMin, yMax].map((y) => Math.min(height - 1, Math.round(y * height)));
  const [left, right] = [xMin, xMax].map((x) => Math.min(width - 1, Math.round(x * width)));
  const frame = (inset: number, ink: Colour) => {
    const dot = (x: number, y: number) => {
      if (x >= 0 && y >= 0 && x < width && y < height) pixels.set(ink, 3 * (y * width + x));
    };
    for (let x = left + inset; x <= right - inset; x++) for (const y of [top + inset, bottom - inset]) dot(x, y);
    for (let y = top + inset; y <= bottom - inset; y++) for (const x of [left + inset, right - inset]) dot(x, y);
  };
  frame(-1, around);
  frame(0, colour);
  frame(1, colour);
}
