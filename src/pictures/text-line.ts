/**
 * Renders one line of text as pixels. Pango, which comes with sharp, lays out every script in its writing direction.
 * The font of this package has Latin, Greek and Cyrillic; other scripts are drawn in the fonts of the system.
 */

import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { visible } from "../core/terminal.js";

const FONTS = new URL("../../fonts/", import.meta.url);
const FAMILY = "Aspectlens Sans";
/** Height of its capitals as a share of its size. */
const CAPITAL_HEIGHT = 0.714;
/** Stacked accents are cut off beyond this distance above or below the baseline; in heights of a capital. */
const HIGHEST = 1.9;
const DEEPEST = 0.9;
/** Text is drawn this many times larger and then shrunk, since Pango places each letter on a whole pixel. */
const FINE = 2;
/** Largest length of a line, characters. */
const LONGEST = 300;
/** Size of the cache of lines: most are drawn again in the next overlay. */
const MOST_KEPT = 1000;

export interface TextLook {
  /** Height of a capital, pixels. */
  readonly size: number;
  /** `#rrggbb`; coloured emoji keep theirs. */
  readonly colour?: string;
  readonly isBold?: boolean;
}

/** A rendered line: the smallest rectangle around its visible pixels. */
export interface TextLine {
  readonly width: number;
  readonly height: number;
  /** From the upper edge down to the baseline, pixels. */
  readonly ascent: number;
  /** `[height * width * 4]`: red, green, blue, opacity, 0..255; not to be changed. */
  readonly pixels: Uint8Array;
}

const kept = new Map<string, Promise<TextLine>>();

/**
 * Renders a line; control characters and direction marks are shown as escapes. A text without visible pixels has width
 * 0.
 */
export function textLine(text: string, { size, colour = "#000000", isBold = false }: TextLook): Promise<TextLine> {
  const key = `${size} ${colour} ${isBold} ${text}`;
  const known = kept.get(key);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const line = drawLine(text, { size, colour, isBold });
  kept.set(key, line);
  return line;
}

/** Width of the visible pixels of a text. */
export async function textWidth(text: string, look: TextLook): Promise<number> {
  return (await textLine(text, look)).width;
}

/** Shortens a text to at most `width` pixels, with an ellipsis; "" if even that is too wide. */
export async function fitText(text: string, { width, ...look }: TextLook & { width: number }): Promise<string> {
  if (text.length <= LONGEST && (await textWidth(text, look)) <= width) return text;
  // Grapheme clusters: letters with their accents.
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
 * sharp returns the rectangle of visible pixels without the position of the baseline. So an H, whose foot is on the
 * baseline, is put before the text at a distance, and cut off again. The text is isolated, so that it may run from
 * right to left while the H stays on the left.
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

/** Means of squares of `FINE` pixels, with colours weighted by opacity; pixels beyond the edges are transparent. */
function shrink(
  { data, width, height }: { data: Uint8Array; width: number; height: number },
  to: { width: number; height: number; left: number; top: number },
): Uint8Array {
  const pixels = new Uint8Array(4 * to.width * to.height);
  const sums = new Float64Array(4 * to.width);
  for (let y = 0; y < to.height; y++) {
    sums.fill(0);
    const firstY = to.top + FINE * y;
    for (let fromY = Math.max(0, firstY); fromY < Math.min(height, firstY + FINE); fromY++) {
      for (let x = to.left; x < width; x++) {
        const from = 4 * (fromY * width + x);
        const share = data[from + 3];
        if (share === 0) continue;
        const at = 4 * Math.floor((x - to.left) / FINE);
        for (let part = 0; part < 3; part++) sums[at + part] += share * data[from + part];
        sums[at + 3] += share;
      }
    }
    for (let at = 0; at < sums.length; at += 4) {
      const opacity = sums[at + 3];
      if (opacity === 0) continue;
      for (let part = 0; part < 3; part++) pixels[y * sums.length + at + part] = sums[at + part] / opacity;
      pixels[y * sums.length + at + 3] = opacity / FINE ** 2;
    }
  }
  return pixels;
}

/** The rectangle of a text's visible pixels, red, green, blue and opacity. @throws Error if there are none. */
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
      // At 72 dpi, a font size in points equals pixels.
      dpi: 72,
      rgba: true,
    },
  })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Replaces lone surrogates, which Pango refuses, by U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}
