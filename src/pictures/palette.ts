/** The colours of all drawings: distinct for colour-blind readers, and readable on paper, tissue and photographs. */

/** Red, green and blue, 0..255. */
export type Colour = readonly [red: number, green: number, blue: number];

/**
 * Okabe and Ito 2008, "Color Universal Design", without black. In this order, neighbours are distinct on pink tissue
 * and on green grass.
 */
const ASPECTS: readonly Colour[] = [
  [230, 159, 0],
  [86, 180, 233],
  [0, 158, 115],
  [240, 228, 66],
  [213, 94, 0],
  [204, 121, 167],
  [0, 114, 178],
];

export const INK = "#1d2329";
export const FAINT_INK = "#66707a";
export const TRACK = "#e4e8ec";
/** Around an image that is narrower than its panel. */
export const PAPER = "#f3f5f7";
export const GREY: Colour = [104, 112, 120];
export const NEAR_BLACK: Colour = [20, 24, 28];
export const WHITE: Colour = [255, 255, 255];

/** Of the second seven, dark, and of the third, light. */
const TONES: readonly Colour[] = [NEAR_BLACK, WHITE];

/**
 * The colour of the aspect at an index of the model's list, the same in every overlay of one model: seven, the same seven
 * darker and lighter, and from the 22nd aspect on again.
 */
export function aspectColour(index: number): Colour {
  const colour = ASPECTS[index % ASPECTS.length];
  const round = Math.floor(index / ASPECTS.length) % (TONES.length + 1);
  if (round === 0) return colour;
  const mixed = colour.map((part, channel) => Math.round((part + TONES[round - 1][channel]) / 2));
  return [mixed[0], mixed[1], mixed[2]];
}

/** `#rrggbb`. */
export function toHex(colour: Colour): string {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

/** Of `#rrggbb`. */
export function toColour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Black or white, whichever has the higher contrast on the colour (WCAG 2.2, contrast ratio). */
export function inkOn(colour: Colour): string {
  const [black, white, ground] = [NEAR_BLACK, WHITE, colour].map((one) => luminance(one) + 0.05);
  return toHex(ground / black > white / ground ? NEAR_BLACK : WHITE);
}

/** Relative luminance of an sRGB colour, 0..1. */
function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Anchors of matplotlib's "inferno" (S. van der Walt and N. Smith, CC0): equal steps look equal, dark to light. */
const INFERNO: readonly Colour[] = [
  [0, 0, 4],
  [40, 11, 84],
  [101, 21, 110],
  [159, 42, 99],
  [212, 72, 66],
  [245, 125, 21],
  [250, 193, 39],
  [252, 255, 164],
];

/** The colour of a strength 0..1 on the perceptual scale. */
export function heatColour(strength: number): Colour {
  const place = Math.min(1, Math.max(0, strength)) * (INFERNO.length - 1);
  const index = Math.min(INFERNO.length - 2, Math.floor(place));
  const [from, to] = [INFERNO[index], INFERNO[index + 1]];
  const mixed = (part: 0 | 1 | 2) => Math.round(from[part] + (place - index) * (to[part] - from[part]));
  return [mixed(0), mixed(1), mixed(2)];
}
