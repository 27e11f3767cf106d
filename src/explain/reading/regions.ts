/**
 * Where an explanation says that an aspect is: its region R and its instances, from the unmasked answer alone, but for
 * the place of a head of one number, which is derived. Empty where the aspect is not seen, one number below its threshold too;
 * `region` in heads/region.ts, inside the graph, has such a number always.
 */

import type { Box } from "../../core/box.js";
import { connectedComponents } from "../../core/components.js";
import { logit } from "../../core/logistic.js";
import type { NdArray } from "../../core/nd-array.js";
import { pixelCount, type Size, sidesOf } from "../../core/size.js";
import { type Detection, decodeBoxes } from "../../heads/boxes-reading.js";
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
  /** `[height * width]` of 0 and 1, boxes filled. */
  readonly mask: Uint8Array;
  /** True where the answer itself is by pixel: `elements` are those of `mask`. */
  readonly hasPixels: boolean;
  /** True where the mask is not said by the head, but made of its evidence. */
  readonly isDerived: boolean;
}

/**
 * @param unmasked u of one image, `[1, height, width, 1]`, `[1, h, w, 5]` or `[1, 1]`.
 * @param size height and width of the model's input.
 * @param derivedMask of a head of one number, `[height * width]` of 0 and 1; asked for only where the aspect is seen.
 */
export function regionsOf(
  unmasked: NdArray,
  { spec, size, derivedMask }: { spec: AspectSpec; size: Size; derivedMask: () => Uint8Array },
): AspectRegions {
  switch (spec.kind) {
    case "boxes":
      return boxRegions(unmasked, spec.threshold, size);
    case "segmentation":
      return pixelRegions(unmasked, spec.threshold, size);
    case "presence":
      return derivedRegions(elementsOf(unmasked, spec), { size, derivedMask });
    case "amount":
      if (spec.form === "map") return pixelRegions(unmasked, spec.threshold, size);
      return derivedRegions(elementsOf(unmasked, spec), { size, derivedMask });
  }
}

/** The elements of the whole region alone; the rest takes much longer. */
export function elementsOf(unmasked: NdArray, spec: AspectSpec): Uint32Array {
  const { data, shape } = unmasked;
  switch (spec.kind) {
    case "boxes":
      return Uint32Array.from(boxesIn(unmasked, spec.threshold), ({ cell }) => heatOf(cell, shape));
    case "segmentation":
      return onesOf(decodeMask(data, { threshold: spec.threshold }));
    case "presence":
      return isSeen(data[0], spec) ? Uint32Array.of(0) : new Uint32Array();
    case "amount":
      if (spec.form === "map") return onesOf(decodeMask(data, { threshold: spec.threshold }));
      return data[0] >= logit(spec.threshold) ? Uint32Array.of(0) : new Uint32Array();
  }
}

/** The one number, where its evidence lies: every instance has the same elements, and pixels of its own. */
function derivedRegions(
  elements: Uint32Array,
  { size, derivedMask }: { size: Size; derivedMask: () => Uint8Array },
): AspectRegions {
  const mask = elements.length > 0 ? derivedMask() : new Uint8Array(pixelCount(size));
  const { whole, instances } = partsOf(mask, size);
  const ofAll = (region: PixelRegion) => ({ ...region, elements });
  return { whole: ofAll(whole), instances: instances.map(ofAll), mask, hasPixels: false, isDerived: true };
}

function pixelRegions(unmasked: NdArray, threshold: number, size: Size): AspectRegions {
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
function partsOf(mask: Uint8Array, size: Size): { whole: PixelRegion; instances: PixelRegion[] } {
  const components = connectedComponents(mask, { width: sidesOf(size).width });
  const instances = components
    .filter((pixels) => pixels.length >= SMALLEST_INSTANCE * pixelCount(size))
    .map((pixels) => ({ pixels, boxes: [extent(pixels, size)] }));
  return { whole: { pixels: onesOf(mask), boxes: components.map((part) => extent(part, size)) }, instances };
}

function onesOf(mask: Uint8Array): Uint32Array {
  const pixels = new Uint32Array(mask.reduce((sum, value) => sum + value, 0));
  for (let pixel = 0, count = 0; pixel < mask.length; pixel++) if (mask[pixel] === 1) pixels[count++] = pixel;
  return pixels;
}

function boxRegions(unmasked: NdArray, threshold: number, size: Size): AspectRegions {
  const found = boxesIn(unmasked, threshold);
  const instances = found.map(({ box, cell }) => ({
    elements: Uint32Array.of(heatOf(cell, unmasked.shape)),
    boxes: [box],
  }));
  const mask = new Uint8Array(pixelCount(size));
  const sides = sidesOf(size);
  for (const { box } of found) {
    const [top, left, bottom, right] = cellsUnder(box, sides);
    for (let y = top; y < bottom; y++) mask.fill(1, y * sides.width + left, y * sides.width + right);
  }
  const whole = {
    elements: Uint32Array.from(instances.flatMap(({ elements }) => [...elements])),
    boxes: found.map(({ box }) => box),
  };
  return { whole, instances, mask, hasPixels: false, isDerived: false };
}

function boxesIn({ data, shape: [, height, width, channels] }: NdArray, threshold: number): Detection[] {
  return decodeBoxes(data, [height, width, channels], { threshold });
}

/** Index of the heat of a centre cell in the head's answer. */
function heatOf([y, x]: Detection["cell"], [, , width, channels]: NdArray["shape"]): number {
  return (y * width + x) * channels;
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

function extent(pixels: Uint32Array, size: Size): Box {
  const { height, width } = sidesOf(size);
  let [top, left, bottom, right] = [height, width, 0, 0];
  for (const pixel of pixels) {
    const y = Math.floor(pixel / width);
    const x = pixel % width;
    top = Math.min(top, y);
    left = Math.min(left, x);
    bottom = Math.max(bottom, y + 1);
    right = Math.max(right, x + 1);
  }
  return [top / height, left / width, bottom / height, right / width];
}
