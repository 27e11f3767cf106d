/** How large aspects are at the model's size, where in the image they are, and which images' sizes occur. */

import type { Box } from "../../core/box.js";
import type { Manifest } from "../manifest.js";
import type { SeenSample, SurveyPart } from "./seen-sample.js";

/** Side of a location map. */
export const MAP_SIDE = 32;
/** Sides from 2^k to below 2^(k + 1) pixels are counted together; the last holds all above. */
const OCTAVES = 12;
/** Different sizes of images that are counted. */
const MOST_SIZES = 1000;

export interface ThingSizes {
  /** By aspect: how many things (boxes; of masks, all of an image) have a side of 2^k to 2^(k + 1) pixels. */
  readonly sides: Readonly<Record<string, readonly number[]>>;
  /** By aspect, `[32 * 32]`: share of the images that show it which have it at this place. */
  readonly locations: Readonly<Record<string, { readonly count: number; readonly values: Float64Array }>>;
  /** `640 x 480` -> images, most frequent first. */
  readonly images: readonly (readonly [size: string, count: number])[];
}

/** @param options.inputSize side of the model's input, pixels. */
export function thingSizes({ aspects }: Manifest, { inputSize }: { inputSize: number }): SurveyPart<ThingSizes> {
  const sides = new Map<string, number[]>();
  const locations = new Map<string, { count: number; values: Float64Array }>();
  const images = new Map<string, number>();
  const addSide = (name: string, side: number) => {
    const own = sides.get(name) ?? new Array<number>(OCTAVES).fill(0);
    own[Math.min(OCTAVES - 1, Math.max(0, Math.floor(Math.log2(side))))]++;
    sides.set(name, own);
  };
  const mapOf = (name: string) => {
    const own = locations.get(name) ?? { count: 0, values: new Float64Array(MAP_SIDE ** 2) };
    locations.set(name, own);
    own.count++;
    return own.values;
  };
  return {
    add({ record, image, masks }: SeenSample) {
      if (image) {
        const size = `${image.width} x ${image.height}`;
        if (images.has(size) || images.size < MOST_SIZES) images.set(size, (images.get(size) ?? 0) + 1);
      }
      for (const { name } of aspects) {
        const mask = masks.get(name);
        const boxes = record.aspects[name]?.boxes ?? [];
        if (mask) {
          const area = mask.reduce((sum, share) => sum + share, 0);
          if (area === 0) continue;
          addSide(name, Math.sqrt(area));
          addMask(mapOf(name), mask);
        } else if (boxes.length > 0) {
          for (const [yMin, xMin, yMax, xMax] of boxes)
            addSide(name, Math.sqrt((yMax - yMin) * (xMax - xMin)) * inputSize);
          addBoxes(mapOf(name), boxes);
        }
      }
    },
    result: () => ({
      sides: Object.fromEntries(sides),
      locations: Object.fromEntries(
        [...locations].map(([name, { count, values }]) => [name, { count, values: values.map((sum) => sum / count) }]),
      ),
      images: [...images].sort((a, b) => b[1] - a[1]),
    }),
  };
}

/** Adds the mean over each cell. */
function addMask(map: Float64Array, mask: Float32Array): void {
  const size = Math.sqrt(mask.length);
  const cell = (at: number) => Math.floor((at * MAP_SIDE) / size);
  const counts = new Float64Array(MAP_SIDE);
  for (let at = 0; at < size; at++) counts[cell(at)]++;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++)
      map[cell(y) * MAP_SIDE + cell(x)] += mask[y * size + x] / (counts[cell(y)] * counts[cell(x)]);
}

/** Adds the share of each cell that boxes cover; where they overlap, the largest. */
function addBoxes(map: Float64Array, boxes: readonly Box[]): void {
  const covered = (from: number, to: number, at: number) =>
    Math.max(0, Math.min(to * MAP_SIDE, at + 1) - Math.max(from * MAP_SIDE, at));
  for (let y = 0; y < MAP_SIDE; y++) {
    for (let x = 0; x < MAP_SIDE; x++) {
      const shares = boxes.map(([yMin, xMin, yMax, xMax]) => covered(yMin, yMax, y) * covered(xMin, xMax, x));
      map[y * MAP_SIDE + x] += Math.max(...shares);
    }
  }
}
