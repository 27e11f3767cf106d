/**
 * Where an explanation says that an aspect is: its region R and its instances, from the unmasked answer alone, but for
 * the place of a head of one number, which is derived. Empty where the aspect is not seen, one number below its threshold too;
 * `region` in heads/region.ts, inside the graph, has such a number always.
 */

import type { Box } from "../../core/box.js";
import { connectedComponents } from "../../core/components.js";
import { logit } from "../../core/logistic.js";
import type { NdArray } from "../../core/nd-array.js";
import { decodeBoxes } from "../../heads/boxes-reading.js";
import type { AspectSpec } from "../../heads/head-spec.js";
import { isSeen } from "../../heads/presence-reading.js";
import { decodeMask } from "../../heads/segmentation-reading.js";
import { SMALLEST_INSTANCE } from "../relevance-constants.js";

/** A part of a head's answer: the whole region, or one instance. */
export interface Region {
  /** Indices into the head's answer of one image: pixels, the heat of centre cells, or the one number. */
  readonly elements: Uint32Array;
  /** Where it lies. */
  readonly boxes: readonly Box[];
  /** Indices into `mask`; absent where the boxes say where it lies. */
  readonly pixels?: Uint32Array;
}

export interface AspectRegions {
  /** All of it, R. */
  readonly whole: Region;
  readonly instances: readonly Region[];
  /** `[size * size]` of 0 and 1, boxes filled. */
  readonly mask: Uint8Array;
  /** True where the answer itself is by pixel: `elements` are those of `mask`. */
  readonly hasPixels: boolean;
  /** True where the mask is not said by the head, but made of its evidence. */
  readonly isDerived: boolean;
}

/**
 * @param unmasked u of one image, `[1, S, S, 1]`, `[1, h, w, 5]` or `[1, 1]`.
 * @param size height and width of the model's input.
 * @param derivedMask of a head of one number, `[size * size]` of 0 and 1; asked for only where the aspect is seen.
 */
export function regionsOf(
  unmasked: NdArray,
  { spec, size, derivedMask }: { spec: AspectSpec; size: number; derivedMask: () => Uint8Array },
): AspectRegions {
  switch (spec.kind) {
    case "boxes":
      return boxRegions(unmasked, spec.threshold, size);
    case "segmentation":
      return pixelRegions(unmasked, spec.threshold, size);
    case "presence":
      return derivedRegions(isSeen(unmasked.data[0], spec), { size, derivedMask });
    case "amount":
      if (spec.form === "map") return pixelRegions(unmasked, spec.threshold, size);
      return derivedRegions(unmasked.data[0] >= logit(spec.threshold), { size, derivedMask });
  }
}

/** The one number, where its evidence lies: every instance has the same elements, and pixels of its own. */
function derivedRegions(
  isThere: boolean,
  { size, derivedMask }: { size: number; derivedMask: () => Uint8Array },
): AspectRegions {
  const elements = isThere ? Uint32Array.of(0) : new Uint32Array();
  const mask = isThere ? derivedMask() : new Uint8Array(size * size);
  const { whole, instances } = partsOf(mask, size);
  const ofAll = (region: PixelRegion) => ({ ...region, elements });
  return { whole: ofAll(whole), instances: instances.map(ofAll), mask, hasPixels: false, isDerived: true };
}

function pixelRegions(unmasked: NdArray, threshold: number, size: number): AspectRegions {
  const mask = decodeMask(unmasked.data, { threshold });
  const { whole, instances } = partsOf(mask, size);
  const ofItself = (region: PixelRegion) => ({ ...region, elements: region.pixels });
  return { whole: ofItself(whole), instances: instances.map(ofItself), mask, hasPixels: true, isDerived: false };
}

interface PixelRegion {
  readonly pixels: Uint32Array;
  readonly boxes: readonly Box[];
}

/** All pixels of a mask, and its connected parts but for specks. */
function partsOf(mask: Uint8Array, size: number): { whole: PixelRegion; instances: PixelRegion[] } {
  const components = connectedComponents(mask, { size });
  const instances = components
    .filter((pixels) => pixels.length >= SMALLEST_INSTANCE * size * size)
    .map((pixels) => ({ pixels, boxes: [extent(pixels, size)] }));
  const pixels = new Uint32Array(components.reduce((sum, part) => sum + part.length, 0));
  for (let pixel = 0, count = 0; pixel < mask.length; pixel++) if (mask[pixel] === 1) pixels[count++] = pixel;
  return { whole: { pixels, boxes: components.map((part) => extent(part, size)) }, instances };
}

function boxRegions(unmasked: NdArray, threshold: number, size: number): AspectRegions {
  const [, height, width, channels] = unmasked.shape;
  const found = decodeBoxes(unmasked.data, [height, width, channels], { threshold });
  const instances = found.map(({ box, cell: [y, x] }) => ({
    elements: Uint32Array.of((y * width + x) * channels),
    boxes: [box],
  }));
  const mask = new Uint8Array(size * size);
  for (const { box } of found) {
    const [top, left, bottom, right] = cellsUnder(box, { height: size, width: size });
    for (let y = top; y < bottom; y++) mask.fill(1, y * size + left, y * size + right);
  }
  const whole = {
    elements: Uint32Array.from(instances.flatMap(({ elements }) => [...elements])),
    boxes: found.map(({ box }) => box),
  };
  return { whole, instances, mask, hasPixels: false, isDerived: false };
}

/** The cells of a grid that a box touches, at least one: from the first two numbers up to, not with, the last two. */
export function cellsUnder(
  [yMin, xMin, yMax, xMax]: Box,
  { height, width }: { height: number; width: number },
): [top: number, left: number, bottom: number, right: number] {
  const top = Math.min(height - 1, Math.max(0, Math.floor(yMin * height)));
  const left = Math.min(width - 1, Math.max(0, Math.floor(xMin * width)));
  const bottom = Math.min(height, Math.max(top + 1, Math.ceil(yMax * height)));
  const right = Math.min(width, Math.max(left + 1, Math.ceil(xMax * width)));
  return [top, left, bottom, right];
}

function extent(pixels: Uint32Array, size: number): Box {
  let [top, left, bottom, right] = [size, size, 0, 0];
  for (const pixel of pixels) {
    const y = Math.floor(pixel / size);
    const x = pixel % size;
    top = Math.min(top, y);
    left = Math.min(left, x);
    bottom = Math.max(bottom, y + 1);
    right = Math.max(right, x + 1);
  }
  return [top / size, left / size, bottom / size, right / size];
}
