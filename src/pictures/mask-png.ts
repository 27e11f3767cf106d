/** The maps of an explanation as 8-bit grey PNG files, named as its JSON names them. */

import sharp from "sharp";
import { enlargeRegion } from "../core/enlarge-region.js";
import { ownValue } from "../core/own-value.js";
import type { Explained } from "../explain/explanation.js";
import type { Shape } from "./shown-image.js";

/**
 * The files that the JSON of an explanation refers to: for each present pixel aspect its region (0 and 255) and its
 * survival map (0..255 for 0..1 inside the region).
 *
 * @param options.shape width and height of the files, such as the original's; square at the model's input size by
 *   default. Regions are then interpolated and cut at one half; survival is enlarged by nearest neighbour.
 * @returns PNG bytes by file name.
 */
export async function maskFiles(
  { explanation, maps }: Explained,
  { shape = { width: maps.size, height: maps.size } }: { shape?: Shape } = {},
): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  const { size } = maps;
  for (const { name, mask, survivalMap } of explanation.aspects) {
    const region = ownValue(maps.regions, name);
    const survival = ownValue(maps.survival, name);
    if (mask && region) {
      const levels = enlargeRegion(region, { size, shape }).map((inside) => 255 * inside);
      files[mask] = await greyPng(levels, shape);
    }
    if (survivalMap && survival) files[survivalMap] = await greyPng(survival, { width: size, height: size }, shape);
  }
  return files;
}

/** @param values rows from the top. @param to size of the result, by nearest neighbour. */
async function greyPng(values: Uint8Array, from: Shape, to = from): Promise<Uint8Array> {
  const pixels = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const grey = sharp(pixels, { raw: { width: from.width, height: from.height, channels: 1 }, limitInputPixels: false });
  const resized = grey.resize(to.width, to.height, { fit: "fill", kernel: "nearest" });
  return new Uint8Array(await resized.toColourspace("b-w").png({ compressionLevel: 6 }).toBuffer());
}
