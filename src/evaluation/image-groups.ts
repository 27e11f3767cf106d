/** Which images belong together, by the names of groups that their samples carry. */

import { ownValue } from "../core/own-value.js";

/** Values of a sample's groups, by name. */
export type GroupValues = Readonly<Record<string, string>>;

/** Fewer groups than these say too little of what other groups would give to be drawn whole. */
const FEWEST_DRAWN = 10;

/** More are not reported one by one. */
const MOST_REPORTED = 200;

export interface ImageGroups {
  /** The next image. */
  add(values?: GroupValues): void;
  /** The names that have few enough values for each to be reported, in alphabetical order. */
  names(): readonly string[];
  /** Values of a name, in alphabetical order, each with 1 for its images, else 0. */
  members(name: string): Iterable<{ readonly value: string; readonly weights: Uint8Array }>;
  /**
   * The groups that a bootstrap draws whole: of the name with the most values, if there are at least ten; each image
   * without a value is one of its own.
   */
  drawn(): { readonly name: string; readonly groups: Uint32Array } | undefined;
}

export function imageGroups(): ImageGroups {
  const images: GroupValues[] = [];
  /** By name, the number of each value. */
  const values = new Map<string, Map<string, number>>();
  return {
    add(given = {}) {
      images.push(given);
      for (const [name, value] of Object.entries(given)) {
        const known = values.get(name) ?? new Map<string, number>();
        if (!known.has(value)) known.set(value, known.size);
        values.set(name, known);
      }
    },
    names: () => [...values].flatMap(([name, known]) => (known.size <= MOST_REPORTED ? [name] : [])).sort(),
    *members(name) {
      for (const value of [...(values.get(name)?.keys() ?? [])].sort())
        yield { value, weights: Uint8Array.from(images, (own) => (ownValue(own, name) === value ? 1 : 0)) };
    },
    drawn() {
      const [most] = [...values].sort(([, a], [, b]) => b.size - a.size);
      if (!most || most[1].size < FEWEST_DRAWN) return undefined;
      const [name, known] = most;
      let next = known.size;
      return { name, groups: Uint32Array.from(images, (own) => known.get(ownValue(own, name) ?? "") ?? next++) };
    },
  };
}
