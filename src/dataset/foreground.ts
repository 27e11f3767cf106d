/** Which values of a mask mean the aspect: those that the dataset picks, else what tools commonly write. */

import { ImageError } from "../core/errors.js";
import type { Raster } from "./raster.js";

export interface Foreground {
  readonly isAspect: (value: number) => boolean;
  /**
   * `picked` by "values"; `not-lowest` of one or two values; `labels`: several values that look like numbers of things,
   * of which any but the lowest (in levels: but zero) count; `graded`: from half of full scale.
   */
  readonly rule: "picked" | "not-lowest" | "labels" | "graded";
}

/** More different values are shades. */
const MOST_LABELS = 16;
/** Numbers of things are small; 32 and above is rather a shade. */
const LABELS_BELOW = 32;

/**
 * @param values the pixel values that mean the aspect, where the dataset says.
 * @throws ImageError where `values` picks among colours, or names none that a grey file of so few bits can hold.
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

/** The values that occur, as messages name them. */
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
  // In a palette a value that is absent may be another picture's; levels of few bits can never be what was meant.
  const isEmpty = found.length === 1 && found[0] === 0;
  if (meaning === "indices" || isEmpty || values.some((value) => value <= maximum)) return;
  throw new ImageError(
    `${path}: "values" ${JSON.stringify(values)} picks nothing: the file holds ${foundText(raster)}, its levels end at ${maximum}.`,
    { cure: "Name those that mean the aspect." },
  );
}
