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
/** Letters are drawn so many times larger and shrunk, since Pango puts each on a whole pixel. */
const FINE = 2;
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

/** Shortens to at most `width` pixels, with an ellipsis where something was left out; "" where that is too wide too. */
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
  return fits > 0 || (await textWidth("…", look)) <= width ? shortened(fits) : "";
}

/**
 * sharp gives the inked rectangle without saying where the baseline is. So an H stands before the text, at a distance:
 * its foot is on the baseline, and it is cut off again. The text is isolated: it runs from right to left where its first
 * letter does, and the H stays on the left.
 */
async function drawLine(text: string, { size, colour, isBold }: Required<TextLook>): Promise<TextLine> {
  const shown = visible(text.slice(0, LONGEST)).normalize("NFC");
  const large = await renderText(`\u200eH\u2003\u2068${shown}\u2069`, { size: FINE * size, colour, isBold });
  const { data, width, height } = large;
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
  const ascent = Math.min(Math.ceil(baseline / FINE), Math.round(HIGHEST * size));
  const descent = Math.min(Math.ceil((height - baseline) / FINE), Math.round(DEEPEST * size));
  const shape = { width: Math.ceil((width - left) / FINE), height: ascent + descent };
  return { ...shape, ascent, pixels: shrink(large, { ...shape, left, top: baseline - FINE * ascent }) };
}

/** Means of squares of `FINE` pixels, colours weighed by their opacity; beyond the edges lies nothing. */
function shrink(
  { data, width, height }: { data: Uint8Array; width: number; height: number },
  to: { width: number; height: number; left: number; top: number },
): Uint8Array {
  const pixels = new Uint8Array(4 * to.width * to.height);
  for (let y = 0; y < to.height; y++) {
    for (let x = 0; x < to.width; x++) {
      let [red, green, blue, opacity] = [0, 0, 0, 0];
      const [firstX, firstY] = [to.left + FINE * x, to.top + FINE * y];
      for (let fromY = Math.max(0, firstY); fromY < Math.min(height, firstY + FINE); fromY++) {
        for (let fromX = firstX; fromX < Math.min(width, firstX + FINE); fromX++) {
          const from = 4 * (fromY * width + fromX);
          const share = data[from + 3];
          if (share === 0) continue;
          red += share * data[from];
          green += share * data[from + 1];
          blue += share * data[from + 2];
          opacity += share;
        }
      }
      if (opacity === 0) continue;
      const at = 4 * (y * to.width + x);
      pixels[at] = red / opacity;
      pixels[at + 1] = green / opacity;
      pixels[at + 2] = blue / opacity;
      pixels[at + 3] = opacity / FINE ** 2;
    }
  }
  return pixels;
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
