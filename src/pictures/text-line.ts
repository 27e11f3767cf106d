/**
 * Renders one line of text as pixels. Pango, which comes with sharp, lays out every script in its writing direction.
 * The font of this package has Latin, Greek and Cyrillic; other scripts are drawn in the fonts of the system.
 */

import { visible } from "../core/terminal.js";
import { isInOurFont } from "./missing-glyphs.js";
import { toColour } from "./palette.js";
import { renderText, type TextLook } from "./render-text.js";
import { type Ink, isInkedColumn, setWords } from "./set-words.js";

/** Stacked accents are cut off beyond this distance above or below the baseline; in heights of a capital. */
const HIGHEST = 1.9;
const DEEPEST = 0.9;
/** Text is drawn this many times larger and then shrunk, since Pango places each letter on a whole pixel. */
const FINE = 2;
/** Largest length of a line, characters. */
const LONGEST = 300;
/** Size of the cache of lines: most are drawn again in the next overlay. */
const MOST_KEPT = 1000;

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

async function drawLine(text: string, { size, colour, isBold }: Required<TextLook>): Promise<TextLine> {
  const shown = visible(text.slice(0, LONGEST)).normalize("NFC");
  const large = { size: FINE * size, colour, isBold };
  const ink = isInOurFont(shown) ? inked(await setWords(shown, large), colour) : await drawWhole(shown, large);
  const ascent = Math.min(Math.ceil(ink.baseline / FINE), Math.round(HIGHEST * size));
  const descent = Math.min(Math.ceil((ink.height - ink.baseline) / FINE), Math.round(DEEPEST * size));
  const shape = { width: Math.ceil((ink.width - ink.left) / FINE), height: ascent + descent };
  return { ...shape, ascent, pixels: shrink(ink, { ...shape, left: ink.left, top: ink.baseline - FINE * ascent }) };
}

/** Red, green, blue and opacity of a line whose text begins at `left`. */
interface LargeLine {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly baseline: number;
}

/** Opacities in a colour. */
function inked({ opacities, ...shape }: Ink, colour: string): LargeLine {
  const ink = toColour(colour);
  const data = new Uint8Array(4 * opacities.length);
  for (let i = 0; i < opacities.length; i++) {
    if (opacities[i] === 0) continue;
    data.set(ink, 4 * i);
    data[4 * i + 3] = opacities[i];
  }
  return { ...shape, data, left: 0 };
}

/**
 * sharp returns the rectangle of visible pixels without the position of the baseline. So an H, whose foot is on the
 * baseline, is put before the text at a distance, and cut off again. The text is isolated, so that it may run from
 * right to left while the H stays on the left.
 */
async function drawWhole(text: string, look: Required<TextLook>): Promise<LargeLine> {
  const large = await renderText(`\u200eH\u2003\u2068${text}\u2069`, look);
  const { data, width, height } = large;
  let left = 0;
  while (left < width && isInkedColumn(large, left)) left++;
  while (left < width && !isInkedColumn(large, left)) left++;
  let baseline = height;
  while (data[4 * (baseline - 1) * width + 3] === 0) baseline--;
  return { ...large, left, baseline };
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
