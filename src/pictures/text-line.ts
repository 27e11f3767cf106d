/**
 * One line of text as pixels. Pango, which comes with sharp, shapes every script in its own direction. The font of this
 * package has Latin, Greek and Cyrillic; other scripts are drawn in the fonts of the system.
 */

import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { visible } from "../core/terminal.js";

const FONTS = new URL("../../fonts/", import.meta.url);
const FAMILY = "Aspectlens Sans";
/** Height of its capitals as a share of its size. */
const CAPITAL_HEIGHT = 0.714;
/** Of accents piled up, what reaches further above or below the baseline is cut off; in heights of a capital. */
const HIGHEST = 1.9;
const DEEPEST = 0.9;
/** No line is longer, characters. */
const LONGEST = 300;
/** Lines that are kept, since most are drawn again in the next picture. */
const MOST_KEPT = 1000;

export interface TextLook {
  /** Height of a capital, pixels. */
  readonly size: number;
  /** `#rrggbb`; coloured emoji keep theirs. */
  readonly colour?: string;
  readonly isBold?: boolean;
}

/** The smallest rectangle around what is inked. */
export interface TextLine {
  readonly width: number;
  readonly height: number;
  /** From the upper edge down to the baseline, pixels. */
  readonly ascent: number;
  /** `[height * width * 4]`: red, green, blue, opacity, 0..255; not to be changed. */
  readonly pixels: Uint8Array;
}

const kept = new Map<string, Promise<TextLine>>();

/** Control characters and marks of direction are written as their escapes; a text without ink has no width. */
export function textLine(text: string, { size, colour = "#000000", isBold = false }: TextLook): Promise<TextLine> {
  const key = `${size} ${colour} ${isBold} ${text}`;
  const known = kept.get(key);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const line = drawLine(text, { size, colour, isBold });
  kept.set(key, line);
  return line;
}

/** Width in pixels of what is inked. */
export async function textWidth(text: string, look: TextLook): Promise<number> {
  return (await textLine(text, look)).width;
}

/** Shortens to at most `width` pixels, with an ellipsis where something was left out. */
export async function fitText(text: string, { width, ...look }: TextLook & { width: number }): Promise<string> {
  if (text.length <= LONGEST && (await textWidth(text, look)) <= width) return text;
  // Letters with their accents, which belong together.
  const letters = Array.from(new Intl.Segmenter().segment(text.slice(0, 2 * LONGEST)), ({ segment }) => segment);
  const shortened = (count: number) => `${letters.slice(0, count).join("").trimEnd()}…`;
  let [fits, tooLong] = [0, Math.min(letters.length, LONGEST)];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if ((await textWidth(shortened(middle), look)) <= width) fits = middle;
    else tooLong = middle;
  }
  return shortened(fits);
}

/**
 * sharp gives the inked rectangle without saying where the baseline is. So an H stands before the text, at a distance:
 * its foot is on the baseline, and it is cut off again. The text is isolated, so that it is read from right to left where
 * it begins so, and the H stays on the left.
 */
async function drawLine(text: string, { size, colour, isBold }: Required<TextLook>): Promise<TextLine> {
  const shown = visible(text.slice(0, LONGEST)).normalize("NFC");
  const { data, width, height } = await renderText(`\u200eH\u2003\u2068${shown}\u2069`, { size, colour, isBold });
  const isInked = (x: number) => {
    for (let y = 0; y < height; y++) if (data[4 * (y * width + x) + 3] > 0) return true;
    return false;
  };
  let gap = 0;
  while (gap < width && isInked(gap)) gap++;
  let left = gap;
  while (left < width && !isInked(left)) left++;
  let baseline = height;
  while (data[4 * (baseline - 1) * width + 3] === 0) baseline--;
  const top = Math.max(0, baseline - Math.round(HIGHEST * size));
  const bottom = Math.min(height, baseline + Math.round(DEEPEST * size));
  const pixels = new Uint8Array(4 * (width - left) * (bottom - top));
  for (let y = top; y < bottom; y++) {
    const row = data.subarray(4 * (y * width + left), 4 * (y + 1) * width);
    pixels.set(row, 4 * (y - top) * (width - left));
  }
  return { width: width - left, height: bottom - top, ascent: baseline - top, pixels };
}

/** The inked rectangle of a text, red, green, blue and opacity. @throws Error where nothing is inked. */
export async function renderText(
  text: string,
  { size, colour = "#000000", isBold = false }: TextLook,
): Promise<{ data: Uint8Array; width: number; height: number }> {
  const escaped = wellFormed(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${colour}">${escaped}</span>`,
      font: `${FAMILY} ${isBold ? "Bold " : ""}${(size / CAPITAL_HEIGHT).toFixed(2)}`,
      fontfile: fileURLToPath(new URL(`AspectlensSans-${isBold ? "Bold" : "Regular"}.ttf`, FONTS)),
      // A size is then one of pixels.
      dpi: 72,
      rgba: true,
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** A half of a surrogate pair, which Pango does not take, becomes U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
