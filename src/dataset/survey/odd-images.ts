/** Images that are unlike the others: almost black, blank, grey among colours, of another size, of other colours. */

import { luma } from "../../core/luma.js";
import { quantile } from "../../core/quantile.js";
import type { SeenSample, SurveyPart } from "./seen-sample.js";

export interface OddImage {
  readonly line: number;
  /** Such as `almost black`. */
  readonly text: string;
}

/** Mean grey below which an image is almost black; deviation below which it is blank. */
const DARK = 10;
const BLANK = 2;
/** Share of the images from which on a size, or being grey, counts as what most are. */
const MOST = 0.9;
/** Distance from the median in robust deviations from which on colours are unlike the rest; least deviation counted. */
const FAR = 8;
const LEAST_DEVIATION = 4;
/** A median absolute deviation of a normal distribution, times this, is its standard deviation. */
const TO_DEVIATION = 1.4826;
/** Fewer images have no "most". */
const LEAST_IMAGES = 20;

/** Mean red, green and blue, deviation of grey: all 0..255. */
type Look = readonly [red: number, green: number, blue: number, deviation: number];

/** Keeps eight numbers of each image. */
export function oddImages(): SurveyPart<OddImage[]> {
  const sizes = new Map<string, string>(); // each text once
  const sizeOf = ({ width, height }: { readonly width: number; readonly height: number }) => {
    const text = `${width} x ${height}`;
    const known = sizes.get(text);
    if (known === undefined) sizes.set(text, text);
    return known ?? text;
  };
  const looks: { line: number; size: string; isGrey: boolean; look: Look }[] = [];
  return {
    add({ image, line }: SeenSample) {
      if (image) looks.push({ line, size: sizeOf(image), ...lookOf(image.pixels) });
    },
    result() {
      const found: OddImage[] = [];
      for (const { line, look } of looks) {
        if (luma(look[0], look[1], look[2]) < DARK) found.push({ line, text: "almost black" });
        else if (look[3] < BLANK) found.push({ line, text: "blank" });
      }
      if (looks.length < LEAST_IMAGES) return found;
      const further = [
        ...unlikeMost(looks, ({ size }) => size),
        ...unlikeMost(looks, ({ isGrey }) => (isGrey ? "grey" : "coloured")),
        ...unlikeColours(looks),
      ];
      const told = new Set(found.map(({ line }) => line));
      for (const odd of further) {
        if (told.has(odd.line)) continue; // each image once
        told.add(odd.line);
        found.push(odd);
      }
      return found;
    },
  };
}

function lookOf(pixels: Uint8Array): { isGrey: boolean; look: Look } {
  const sums = [0, 0, 0];
  let [grey, squares, largest] = [0, 0, 0];
  for (let at = 0; at < pixels.length; at += 3) {
    const [r, g, b] = [pixels[at], pixels[at + 1], pixels[at + 2]];
    sums[0] += r;
    sums[1] += g;
    sums[2] += b;
    largest = Math.max(largest, Math.abs(r - g), Math.abs(g - b));
    const level = luma(r, g, b);
    grey += level;
    squares += level * level;
  }
  const count = pixels.length / 3;
  const deviation = Math.sqrt(Math.max(0, squares / count - (grey / count) ** 2));
  return { isGrey: largest <= 2, look: [sums[0] / count, sums[1] / count, sums[2] / count, deviation] };
}

/** Those that differ from what most have in common. */
function unlikeMost<Item extends { readonly line: number }>(
  items: readonly Item[],
  kindOf: (item: Item) => string,
): OddImage[] {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(kindOf(item), (counts.get(kindOf(item)) ?? 0) + 1);
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  if (most[1] < MOST * items.length) return [];
  return items
    .filter((item) => kindOf(item) !== most[0])
    .map((item) => ({ line: item.line, text: `${kindOf(item)}; most are ${most[0]}` }));
}

/** The farthest first. */
function unlikeColours(items: readonly { readonly line: number; readonly look: Look }[]): OddImage[] {
  const places = [0, 1, 2, 3] as const;
  const middle = places.map((place) =>
    quantile(
      items.map(({ look }) => look[place]),
      0.5,
    ),
  );
  const spread = places.map((place) => {
    const apart = items.map(({ look }) => Math.abs(look[place] - middle[place]));
    return Math.max(LEAST_DEVIATION, TO_DEVIATION * quantile(apart, 0.5));
  });
  return items
    .map(({ line, look }) => ({
      line,
      far: Math.max(...places.map((place) => Math.abs(look[place] - middle[place]) / spread[place])),
    }))
    .filter(({ far }) => far > FAR)
    .sort((a, b) => b.far - a.far)
    .map(({ line }) => ({ line, text: "colours or contrast unlike the rest" }));
}
