/**
 * Decides which values of a mask mean the aspect: those in the record's "values", else by how common tools write masks.
 */

import { ImageError } from "../core/errors.js";
import type { Raster } from "./raster.js";

export interface Foreground {
  readonly isAspect: (value: number) => boolean;
  /**
   * `picked`: those in "values". `not-lowest`: of one or two values, all but the lowest. `labels`: several values that
   * look like label numbers, all but the lowest (of grey levels, all but zero). `graded`: half of full scale or more.
   */
  readonly rule: "picked" | "not-lowest" | "labels" | "graded";
}

/** More different values than these are shades, not labels. */
const MOST_LABELS = 16;
/** Label numbers are small; values of 32 or more are likely shades. */
const LABELS_BELOW = 32;

/**
 * @param values the pixel values that mean the aspect, where the dataset says.
 * @throws ImageError if the file has colours instead of numbers, or its bit depth cannot hold any of `values`.
 */
export function foregroundOf(
  raster: Raster,
  { values, path }: { values?: readonly number[]; path: string },
): Foreground {
  const { meaning, found, maximum, isLossy, colourCount } = raster;
  const lowest = found[0];
  const highest = found[found.length - 1];
  if (values) {
    checkPicked(raster, { values, path });
    const wanted = new Set(values);
    return { rule: "picked", isAspect: (value) => wanted.has(value) };
  }
  if (found.length === 0) return { rule: "not-lowest", isAspect: () => false };
  if (lowest === highest) return { rule: "not-lowest", isAspect: (value) => value > 0 };
  const half = (maximum + 1) / 2;
  const graded: Foreground = { rule: "graded", isAspect: (value) => value >= half };
  const notLowest = (value: number) => value > lowest;
  if (isLossy) return graded;
  if (meaning === "colours" && colourCount > 2 && colourCount <= MOST_LABELS)
    return { rule: "labels", isAspect: notLowest };
  if (found.length <= 2) return { rule: "not-lowest", isAspect: notLowest };
  if (meaning === "indices") return { rule: "labels", isAspect: notLowest };
  if (found.length <= MOST_LABELS && highest < LABELS_BELOW) return { rule: "labels", isAspect: (value) => value > 0 };
  return graded;
}

/** The values that occur, as text for messages. */
export function foundText({ found }: Pick<Raster, "found">): string {
  return found.length <= MOST_LABELS ? found.join(", ") : `${found[0]} to ${found[found.length - 1]}`;
}

function checkPicked(raster: Raster, { values, path }: { values: readonly number[]; path: string }): void {
  const { meaning, found, maximum } = raster;
  if (meaning === "colours") {
    throw new ImageError(`${path}: its pixels are colours, but "values" picks numbers.`, {
      cure: "Save it as an indexed or grey PNG.",
    });
  }
  // A palette index that is absent here may occur in other masks; a grey level that the bit depth cannot hold never
  // occurs.
  const isEmpty = found.length === 1 && found[0] === 0;
  if (meaning === "indices" || isEmpty || values.some((value) => value <= maximum)) return;
  throw new ImageError(
    `${path}: "values" ${JSON.stringify(values)} picks nothing: ` +
      `the file holds ${foundText(raster)}, its levels end at ${maximum}.`,
    { cure: "Name those that mean the aspect." },
  );
}
