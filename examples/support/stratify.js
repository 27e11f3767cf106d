/** Splits a set so that each class is divided in the same proportions. */

import { random, shuffled } from "./random.js";

/**
 * @template T
 * @param {readonly T[]} items
 * @param {{ classOf: (item: T) => string, shares: Readonly<Record<string, number>>, seed: number }} options `shares`:
 *   the part of each class that goes to each split, in order; what rounding leaves over goes to the last, so a class
 *   with too few to share goes there whole.
 * @returns {Map<T, string>} each item's split.
 */
export function stratify(items, { classOf, shares, seed }) {
  const splits = Object.entries(shares);
  /** @type {Map<T, string>} */
  const chosen = new Map();
  for (const name of new Set(items.map(classOf))) {
    const members = shuffled(
      items.filter((item) => classOf(item) === name),
      random(seed, "split", name),
    );
    let start = 0;
    splits.forEach(([split, share], index) => {
      const isLast = index === splits.length - 1;
      const end = isLast ? members.length : start + Math.round(share * members.length);
      for (const member of members.slice(start, end)) chosen.set(member, split);
      start = end;
    });
  }
  return chosen;
}
