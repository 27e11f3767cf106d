/** Reduces the channels of a decoded mask to one value per pixel, and lists the values that occur. */

/** More different colours than these are shades, not labels. */
const COUNTED_COLOURS = 17;

export interface OneChannel {
  readonly values: Uint8Array | Uint16Array;
  readonly meaning: "levels" | "colours";
  /** Number of colours, at most 17 are counted; 0 if all are grey. */
  readonly colourCount: number;
}

/**
 * The grey level if red, green and blue are equal everywhere, else the largest of them; 0 where transparent. If all
 * colours are black, the opacity is taken as the value.
 *
 * @param samples `[height * width, channels]`. @param channels 1 or 3, one more with alpha.
 */
export function oneChannel(samples: Uint8Array | Uint16Array, channels: number): OneChannel {
  if (channels === 1) return { values: samples, meaning: "levels", colourCount: 0 };
  const count = samples.length / channels;
  const values = samples instanceof Uint16Array ? new Uint16Array(count) : new Uint8Array(count);
  const [green, blue] = channels >= 3 ? [1, 2] : [0, 0];
  const hasAlpha = channels === 2 || channels === 4;
  const opaqueFrom = hasAlpha ? opacity(samples, channels) : 0;
  const colours = new Set<number>();
  let last = -1;
  let isGrey = true;
  let isBlack = true;
  for (let pixel = 0, at = 0; pixel < count; pixel++, at += channels) {
    if (hasAlpha && samples[at + channels - 1] < opaqueFrom) continue;
    const [r, g, b] = [samples[at], samples[at + green], samples[at + blue]];
    if (r !== g || r !== b) isGrey = false;
    const colour = (r * 65536 + g) * 65536 + b;
    if (colour !== last && colours.size < COUNTED_COLOURS) colours.add(colour);
    last = colour;
    values[pixel] = Math.max(r, g, b);
    if (values[pixel] > 0) isBlack = false;
  }
  if (hasAlpha && isBlack) {
    for (let pixel = 0; pixel < count; pixel++) values[pixel] = samples[(pixel + 1) * channels - 1];
    // Black everywhere and nowhere transparent is an empty mask.
    if (values.every((value) => value === values[0])) values.fill(0);
  }
  return { values, meaning: isGrey ? "levels" : "colours", colourCount: isGrey ? 0 : colours.size };
}

/** The values that occur, in ascending order. */
export function distinct(values: Uint8Array | Uint16Array, { step = 1, start = 0 } = {}): number[] {
  const seen = new Uint8Array(2 ** (8 * values.BYTES_PER_ELEMENT));
  for (let at = start; at < values.length; at += step) seen[values[at]] = 1;
  return [...seen.keys()].filter((value) => seen[value] === 1);
}

/** Alpha from which on a pixel counts: any but 0, or half of full scale if there are shades of alpha. */
function opacity(samples: Uint8Array | Uint16Array, channels: number): number {
  const shades = distinct(samples, { step: channels, start: channels - 1 });
  return shades.length <= 2 ? 1 : 2 ** (8 * samples.BYTES_PER_ELEMENT - 1);
}
