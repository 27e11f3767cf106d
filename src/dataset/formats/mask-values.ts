/** Which values of a mask file are which category, where only its pixels tell. */

import { ImageError } from "../../core/errors.js";
import { foregroundOf } from "../foreground.js";
import { readRaster } from "../raster.js";
import { readMaskPixels } from "./colours.js";

/** More different values than these are shades or a photograph, not labels. */
const MOST_LABELS = 64;

export interface MaskContent {
  /** Values that occur, or, of shades and of a lossy file, those from half of full scale on. */
  readonly found: readonly number[];
  /** The values are shades of one thing. */
  readonly isGraded: boolean;
  /** The values are colours: red * 65536 + green * 256 + blue. */
  readonly isColoured: boolean;
}

/**
 * @param options.isNamed somebody has listed what the values mean: they are no shades.
 * @throws ImageError in one line where it cannot be read, holds more colours than a mask has, or shades that are all dark.
 */
export async function readMaskContent(path: string, { isNamed }: { isNamed: boolean }): Promise<MaskContent> {
  const raster = await readRaster(path);
  if (raster.meaning === "colours") {
    const found = [...new Set((await readMaskPixels(path)).values)];
    if (found.length > MOST_LABELS || raster.isLossy)
      throw new ImageError(`${path}: holds ${found.length} colours, more than a mask has.`, {
        cure: "Save masks as indexed or grey PNG, or name their folder alone.",
        file: path,
      });
    return { found: found.sort((a, b) => a - b), isGraded: false, isColoured: true };
  }
  const { rule, isAspect } = foregroundOf(raster, { path });
  if (rule === "graded" && !(isNamed && !raster.isLossy)) {
    const found = raster.found.filter(isAspect);
    if (found.length === 0)
      throw new ImageError(
        `${path}: holds values up to ${raster.found.at(-1)} of ${raster.maximum}: too many for labels, too dark for shades.`,
        { cure: "List what they mean in classes.txt, one name a line from value 0 on.", file: path },
      );
    return { found, isGraded: true, isColoured: false };
  }
  return { found: raster.found, isGraded: false, isColoured: false };
}
