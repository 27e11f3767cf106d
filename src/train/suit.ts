/** Defaults that suit the data: how large images are seen, and which layers each head reads, with the reasons. */

import { meanSide } from "../core/size.js";
import type { Turn } from "../dataset/augment.js";
import type { DataFingerprint, HeadFingerprint } from "../dataset/fingerprint.js";
import type { Tap } from "../trunk/trunk.js";

/** Sides of the model's input are multiples of this, so that every stride divides them. */
const GRAIN = 32;
/** A larger input is chosen for small things alone. */
const USUAL_MOST = 256;
/** Larger images belong cut into tiles. */
const MOST = 640;
/** The smallest things (10 % quantile) should be so long at the model's size, pixels. */
const LEAST_THING = 16;
/** Below this length a head reads a layer of stride 4 too. */
const TINY_THING = 12;
/** Two cells of stride 32: things that are longer are known by the last layer, shorter ones by the source. */
const LARGE_THING = 64;

/** A default and why it is so. */
export interface Suited<Value> {
  readonly value: Value;
  readonly reason: string;
}

/**
 * @param options.least side that the weights were trained at, where they tell it; smaller images are enlarged to it.
 */
export function suitedInputSize({ imageSide, heads }: DataFingerprint, { least }: { least: number }): Suited<number> {
  const whole = toGrain(imageSide.median);
  const usual = Math.max(least, Math.min(USUAL_MOST, whole));
  const said = `images are ${Math.round(imageSide.median)} px on the longer side`;
  const [smallest] = Object.entries(heads)
    .flatMap(([name, { side }]) => (side ? [{ name, share: side.least }] : []))
    .sort((a, b) => a.share - b.share);
  if (!smallest) return { value: usual, reason: said };
  const wanted = toGrain(LEAST_THING / smallest.share);
  const value = Math.max(usual, Math.min(wanted, whole, MOST));
  const seen = `a small ${smallest.name} is ${pixels(smallest.share * value)} px long`;
  return { value, reason: `${said}; at ${value} px ${seen}` };
}

/**
 * Layers of several strides for heads that say where things are: fine ones see small things and edges, the source what
 * they are, the last layer what large ones are.
 */
export function suitedTaps(
  { kind, side }: HeadFingerprint,
  { taps, source, output }: Layers,
): Suited<readonly string[]> | undefined {
  if (kind !== "segmentation" && kind !== "boxes") return undefined;
  const size = meanSide(taps[0].size);
  const least = side === undefined ? undefined : side.least * size;
  const finest = least !== undefined && least < TINY_THING ? 4 : 8;
  const names = [4, 8]
    .filter((stride) => stride >= finest)
    .flatMap((stride) => taps.findLast((tap) => tap.stride === stride && !tap.isLinear)?.name ?? []);
  const isLarge = side !== undefined && side.median * size > LARGE_THING;
  const value = [...names.filter((name) => name !== source), source, ...(isLarge && output !== source ? [output] : [])];
  const seen = least === undefined ? "fine edges" : `things from ${pixels(least)} px on`;
  const strides = value.flatMap((name) => taps.find((tap) => tap.name === name)?.stride ?? []);
  return { value, reason: `strides ${Math.min(...strides)} to ${Math.max(...strides)} for ${seen}` };
}

/** Of the trunk at the model's size. */
interface Layers {
  readonly taps: readonly Tap[];
  readonly source: string;
  readonly output: string;
}

/** Images look alike up and down where no difference is larger, in standard errors. */
const ALIKE = 3;
/** Along rows and columns they may differ more: only where they are plainly striped does a quarter turn make new ones. */
const STRIPED = 5;
/** Fewer images tell nothing. */
const FEWEST = 32;

/** Whether training images are turned: where nothing in them or in the places of things tells up from down. */
export function suitedTurn({ orientation }: DataFingerprint): Suited<Turn> {
  const { images, upDown, rowsColumns } = orientation;
  if (images < FEWEST) return { value: "none", reason: `${images} images are too few to tell up from down` };
  if (upDown > ALIKE) return { value: "none", reason: "images have an up and a down" };
  if (rowsColumns > STRIPED)
    return { value: "half", reason: "nothing in the images tells up from down, but they are striped" };
  return { value: "quarter", reason: "nothing in the images tells one direction from another" };
}

/** Nothing is cut away where nobody marked what an image-level label speaks of. */
export function suitedCrop({ heads }: DataFingerprint): Suited<number> | undefined {
  const unplaced = Object.entries(heads).find(
    ([, { kind, positive, side }]) => (kind === "presence" || kind === "amount") && positive > 0 && !side,
  );
  return unplaced && { value: 0, reason: `no image says where ${unplaced[0]} is, so a crop might lose it` };
}

function toGrain(length: number): number {
  return GRAIN * Math.max(1, Math.ceil(length / GRAIN));
}

function pixels(length: number): string {
  return length < 10 ? length.toFixed(1) : String(Math.round(length));
}
