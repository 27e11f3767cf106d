/** How often each image counts: once each, 0 or 1 for the images of a group, as often as it was drawn in a bootstrap. */

/** By the image's number in its split; without it every image counts once. */
export type Weights = ArrayLike<number>;

/** `part / whole`, or `null` where there is nothing. */
export function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}

/** Mean of the numbers that there are; `null` where there are none. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return ratio(
    known.reduce((sum, value) => sum + value, 0),
    known.length,
  );
}
