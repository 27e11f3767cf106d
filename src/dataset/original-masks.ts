/** The masks of a sample in the size of their files, for metrics that count the original's pixels. */

import type { OriginalMask } from "../core/annotation.js";
import { type CenterCrop, centerCropOf } from "../core/center-crop.js";
import { ownValue } from "../core/own-value.js";
import type { Dataset } from "./dataset.js";
import { foregroundOf } from "./foreground.js";
import { withoutIgnored } from "./mask.js";
import { openImage } from "./open-image.js";
import { locate } from "./paths.js";
import { partOf, type Raster, readRaster } from "./raster.js";
import type { SampleRecord } from "./record.js";

/**
 * @param options.aspects names of those whose masks are read.
 * @param options.centerCrop as `openImage` takes it: the masks are of the middle square then.
 * @returns by aspect; without those that are unlabelled.
 * @throws ImageError in one line that names the file and the cure.
 */
export async function readOriginalMasks(
  dataset: Pick<Dataset, "directory" | "manifest">,
  record: SampleRecord,
  { aspects, centerCrop }: { aspects: readonly string[]; centerCrop?: CenterCrop },
): Promise<Readonly<Record<string, OriginalMask>>> {
  const rasters = new Map<string, Raster>();
  const read: [string, OriginalMask][] = [];
  for (const name of aspects) {
    const { mask, values, ignore } = ownValue(record.aspects, name) ?? {};
    if (mask === undefined) continue;
    if (mask === null) {
      const { width, height } = await openImage(locate(dataset, record.image), { centerCrop });
      read.push([name, { width, height, marked: null }]);
      continue;
    }
    const path = locate(dataset, mask);
    const whole = rasters.get(path) ?? (await readRaster(path));
    rasters.set(path, whole);
    const raster = centerCrop === undefined ? whole : partOf(whole, centerCropOf(whole, centerCrop));
    read.push([name, originalMask(raster, { values, ignore, path })]);
  }
  return Object.fromEntries(read);
}

function originalMask(
  raster: Raster,
  { ignore = [], ...how }: { values?: readonly number[]; ignore?: readonly number[]; path: string },
): OriginalMask {
  const { isAspect } = foregroundOf(withoutIgnored(raster, ignore), how);
  const { width, height, values, found } = raster;
  const where = (isWanted: (value: number) => boolean) => {
    const wanted = new Set(found.filter(isWanted)); // a file has few values and many pixels
    return Uint8Array.from(values, (value) => (wanted.has(value) ? 1 : 0));
  };
  const isVoid = (value: number) => ignore.includes(value);
  return {
    width,
    height,
    marked: where((value) => isAspect(value) && !isVoid(value)),
    ...(found.some(isVoid) && { ignored: where(isVoid) }),
  };
}
