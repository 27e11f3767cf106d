/**
 * Sets a line of words that are drawn once each: numbers and short words, of which pictures are full, return in every
 * picture, whole lines do not. For this package's font alone, where no letter depends on one beyond a space.
 */

import { renderText } from "./render-text.js";

/** Size and weight of a text. */
interface Look {
  /** Height of a capital, pixels. */
  readonly size: number;
  readonly isBold: boolean;
}

/** Opacities around a baseline. */
export interface Ink {
  readonly width: number;
  readonly height: number;
  /** Rows above the baseline. */
  readonly baseline: number;
  /** `[height * width]`, 0..255. */
  readonly opacities: Uint8Array;
}

interface Word extends Ink {
  /** From the pen to the first column, pixels. */
  readonly bearing: number;
  /** How far the pen goes on, pixels. */
  readonly advance: number;
}

/** Most words are numbers of two decimals and names. */
const MOST_KEPT = 4000;
const kept = new Map<string, Promise<Word>>();

/** @param text of this package's font; in a line without visible pixels the width is 0. */
export async function setWords(text: string, look: Look): Promise<Ink> {
  const [space, ...words] = await Promise.all([" ", ...text.split(" ")].map((word) => wordOf(word, look)));
  let pen = 0;
  const placed = words.map((word) => {
    const left = pen + word.bearing;
    pen += word.advance + space.advance;
    return { word, left };
  });
  const inked = placed.filter(({ word }) => word.width > 0);
  const start = Math.min(...inked.map(({ left }) => left));
  const width = inked.length > 0 ? Math.max(...inked.map(({ word, left }) => left + word.width)) - start : 0;
  const baseline = Math.max(...words.map((word) => word.baseline));
  const height = baseline + Math.max(...words.map((word) => word.height - word.baseline));
  const opacities = new Uint8Array(width * height);
  for (const { word, left } of inked) {
    for (let y = 0; y < word.height; y++) {
      const row = word.opacities.subarray(y * word.width, (y + 1) * word.width);
      opacities.set(row, (baseline - word.baseline + y) * width + left - start);
    }
  }
  return { width, height, baseline, opacities };
}

function wordOf(text: string, look: Look): Promise<Word> {
  const key = `${look.size} ${look.isBold} ${text}`;
  const known = kept.get(key);
  if (known) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const word = drawWord(text, look);
  kept.set(key, word);
  return word;
}

/**
 * sharp returns the rectangle of visible pixels, without baseline and pen. So the word stands between two letters H,
 * whose feet are on the baseline, at distances that are known from two of them without a word.
 */
async function drawWord(text: string, look: Look): Promise<Word> {
  const [{ data, width, height, stem, end }, { begin, empty }] = await Promise.all([
    drawFrame(`${GAP}${text}${GAP}`, look),
    rulerOf(look),
  ]);
  let baseline = height;
  while (data[4 * (baseline - 1) * width + 3] === 0) baseline--;
  const isInked = (x: number) => isInkedColumn({ data, width, height }, x);
  let [left, right] = [stem, end];
  while (left < right && !isInked(left)) left++;
  while (right > left && !isInked(right - 1)) right--;
  const opacities = new Uint8Array((right - left) * height);
  for (let y = 0, at = 0; y < height; y++)
    for (let x = left; x < right; x++, at++) opacities[at] = data[4 * (y * width + x) + 3];
  const place = { bearing: left - begin, advance: end - empty };
  return { width: right - left, height, baseline, opacities, ...place };
}

const GAP = "\u2003";
const rulers = new Map<string, Promise<{ begin: number; empty: number }>>();

/** Where a word begins after an H and a gap, and where the second H stands if there is no word. */
function rulerOf(look: Look): Promise<{ begin: number; empty: number }> {
  const key = `${look.size} ${look.isBold}`;
  const known = rulers.get(key);
  if (known) return known;
  const frames = Promise.all([drawFrame(GAP, look), drawFrame(GAP + GAP, look)]);
  const ruler = frames.then(([one, two]) => ({ begin: one.end, empty: two.end }));
  rulers.set(key, ruler);
  return ruler;
}

/** Two letters H with something between them. @returns the first one's width, `stem`, and where the second begins. */
async function drawFrame(between: string, look: Look) {
  const drawn = await renderText(`\u200eH${between}H`, look);
  let stem = 0;
  while (stem < drawn.width && isInkedColumn(drawn, stem)) stem++;
  return { ...drawn, stem, end: drawn.width - stem };
}

/** True where a column of a text, red, green, blue and opacity, has a visible pixel. */
export function isInkedColumn(
  { data, width, height }: { data: Uint8Array; width: number; height: number },
  x: number,
): boolean {
  for (let at = 4 * x + 3; at < 4 * width * height; at += 4 * width) if (data[at] > 0) return true;
  return false;
}
