/** Paints saliency over an image, and fades it, on plain arrays. */

import { LUMA } from "../core/luma.js";
import { enlargeSmoothly, type Grid } from "./enlarge-smoothly.js";
import { heatColour } from "./palette.js";
import { takeBytes } from "./reused-memory.js";

/** RGB rows from the top. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** `[height * width * 3]`, 0..255. */
  readonly pixels: Uint8Array;
}

/** Shares as whole numbers of `ONE`, since these loops run over every pixel of every picture. */
const ONE = 1 << 16;
const [RED, GREEN, BLUE] = LUMA.map((share) => Math.round(ONE * share));

/** 0..255. */
function greyOf(pixels: Uint8Array, at: number): number {
  return (RED * pixels[at] + GREEN * pixels[at + 1] + BLUE * pixels[at + 2]) >> 16;
}

/** Of the scale of heat, beside zero. */
const STEPS = 255;
/** Of each step, how much of the grey image stays, and what is added to it. */
const KEPT = Int32Array.from({ length: STEPS + 1 }, (_, step) => ONE * (0.7 - (0.5 * step) / STEPS));
const ADDED = Int32Array.from({ length: 3 * (STEPS + 1) }, (_, at) => {
  const step = Math.floor(at / 3);
  return (ONE - KEPT[step]) * heatColour(step / STEPS)[at % 3] + ONE / 2;
});

/**
 * A heat map over a grey image: dimmed where the saliency is zero, in strong colours near its largest value.
 *
 * @param options.most the value of the strongest colour, in place of the largest one.
 */
export function paintSaliency(
  { pixels, ...shape }: RgbImage,
  saliency: Grid,
  { most }: { readonly most?: number } = {},
): RgbImage {
  const heat = enlargeSmoothly(saliency, shape);
  let largest = most ?? 0;
  if (most === undefined) for (let i = 0; i < heat.length; i++) if (heat[i] > largest) largest = heat[i];
  const scale = largest > 0 ? STEPS / largest : 0;
  const painted = takeBytes(pixels.length);
  for (let i = 0, at = 0; i < heat.length; i++, at += 3) {
    const step = heat[i] > 0 ? Math.min(STEPS, scale * heat[i] + 0.5) | 0 : 0;
    const grey = KEPT[step] * greyOf(pixels, at);
    painted[at] = (grey + ADDED[3 * step]) >> 16;
    painted[at + 1] = (grey + ADDED[3 * step + 1]) >> 16;
    painted[at + 2] = (grey + ADDED[3 * step + 2]) >> 16;
  }
  return { ...shape, pixels: painted };
}

/**
 * A paler, almost grey image, on which colours mean aspects and nothing else.
 *
 * @param options.white share of white; with more white, grey fills can be told from the image too.
 */
export function fade({ pixels, ...shape }: RgbImage, { white = 0.15 }: { white?: number } = {}): RgbImage {
  const faded = takeBytes(pixels.length);
  const [own, grey] = [0.35, 0.65].map((share) => Math.round(ONE * share * (1 - white)));
  const ground = Math.round(ONE * (white * 255 + 0.5));
  for (let at = 0; at < pixels.length; at += 3) {
    const rest = grey * greyOf(pixels, at) + ground;
    faded[at] = (rest + own * pixels[at]) >> 16;
    faded[at + 1] = (rest + own * pixels[at + 1]) >> 16;
    faded[at + 2] = (rest + own * pixels[at + 2]) >> 16;
  }
  return { ...shape, pixels: faded };
}

/** The pixels as a Buffer, for sharp. */
export function toBuffer({ pixels }: RgbImage): Buffer {
  return Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

/** How sharp reads them. */
export function rawOf({ width, height }: RgbImage): { width: number; height: number; channels: 3 } {
  return { width, height, channels: 3 };
}
