/** The maps of an explanation as 8-bit grey PNG files, named as its JSON names them. */

import sharp from "sharp";
import { ownValue } from "../core/own-value.js";
import type { Explained } from "../explain/explanation.js";

/**
 * The files that the JSON of an explanation refers to: for each present pixel aspect its region (0 and 255) and its
 * survival map (0..255 for 0..1 inside the region), at the model's input size.
 *
 * @returns PNG bytes by file name.
 */
export async function maskFiles({ explanation, maps }: Explained): Promise<Record<string, Uint8Array>> {
  const files: Record<string, Uint8Array> = {};
  for (const { name, mask, survivalMap } of explanation.aspects) {
    const region = ownValue(maps.regions, name);
    const survival = ownValue(maps.survival, name);
    if (mask && region) {
      files[mask] = await greyPng(
        region.map((value) => (value ? 255 : 0)),
        { size: maps.size },
      );
    }
    if (survivalMap && survival) files[survivalMap] = await greyPng(survival, { size: maps.size });
  }
  return files;
}

/** @param values `[size * size]`, rows from the top. */
async function greyPng(values: Uint8Array, { size }: { size: number }): Promise<Uint8Array> {
  const pixels = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const png = sharp(pixels, { raw: { width: size, height: size, channels: 1 } }).toColourspace("b-w");
  return new Uint8Array(await png.png({ compressionLevel: 9 }).toBuffer());
}
