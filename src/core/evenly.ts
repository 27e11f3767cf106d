/** A few of many, when not all can be looked at. */

/** @returns at most `most` of the places 0..count-1, ascending, spread evenly from the first on; all where fewer. */
export function evenly(count: number, most: number): number[] {
  const chosen = Math.min(count, most);
  return Array.from({ length: chosen }, (_, place) => Math.floor((place * count) / chosen));
}
