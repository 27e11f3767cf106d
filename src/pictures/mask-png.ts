/** The maps of an explanation as 8-bit grey PNG files, named as its JSON names them. */

import { enlargeInside } from "../core/enlarge-region.js";
import { ownValue } from "../core/own-value.js";
import { type Size, sidesOf } from "../core/size.js";
import type { Explained } from "../explain/explanation.js";
import { greyPng } from "./grey-png.js";
import { reused } from "./reused-memory.js";
import type { Shape } from "./shown-image.js";

/**
 * The files that the JSON of an explanation refers to: for each present pixel aspect its region (0 and 255) and its
 * survival map (0..255 for 0..1 inside the region).
 *
 * @param options.shape width and height of the files, such as the original's; the model's input size by
 *   default. Regions are then interpolated and cut at one half; survival is enlarged by nearest neighbour.
 * @returns PNG bytes by file name.
 */
export function maskFiles(
  { explanation, maps }: Explained,
  { shape = sidesOf(maps.size) }: { shape?: Shape } = {},
): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  const { size } = maps;
  for (const { name, mask, survivalMap } of explanation.aspects) {
    const region = ownValue(maps.regions, name);
    const survival = ownValue(maps.survival, name);
    if (mask && region) {
      const levels = enlargeInside({ ...sidesOf(size), values: region }, { ...shape, value: 255, memory });
      files[mask] = greyPng(levels, shape);
    }
    if (survivalMap && survival) files[survivalMap] = greyPng(repeated(survival, { size, shape }), shape);
  }
  return files;
}

/** Of one map, which is encoded before the next one is made. */
const memory = reused((length) => new Uint8Array(length));

/** A map in another size, by nearest neighbour. */
function repeated(values: Uint8Array, { size, shape }: { size: Size; shape: Shape }): Uint8Array {
  const { width, height } = shape;
  const from = sidesOf(size);
  const columns = Int32Array.from({ length: width }, (_, x) => Math.floor(((x + 0.5) * from.width) / width));
  const enlarged = memory(width * height);
  let former = -1;
  for (let y = 0; y < height; y++) {
    const row = Math.floor(((y + 0.5) * from.height) / height);
    if (row === former) enlarged.copyWithin(y * width, (y - 1) * width, y * width);
    else for (let x = 0; x < width; x++) enlarged[y * width + x] = values[row * from.width + columns[x]];
    former = row;
  }
  return enlarged;
}
