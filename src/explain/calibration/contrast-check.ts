/**
 * Finds aspect heads that see their aspect, but on the reference nearly as much, so that there is no relevance to read.
 */

import type { Scored } from "../reading/read-scores.js";

export interface ContrastCheck {
  add(scored: Scored): void;
  /** One line for each head that cannot be read on more than half of the images where it sees its aspect. */
  warnings(): string[];
}

/** @param isAbout the aspects that warnings are about. */
export function createContrastCheck(isAbout: (aspect: string) => boolean): ContrastCheck {
  const counts = new Map<string, { present: number; unreadable: number }>();
  return {
    add({ aspects }) {
      for (const { name, isPresent, score } of aspects) {
        const count = counts.get(name) ?? { present: 0, unreadable: 0 };
        if (isPresent) count.present++;
        if (isPresent && score === null) count.unreadable++;
        counts.set(name, count);
      }
    },
    warnings: () =>
      [...counts]
        .filter(([name, { present, unreadable }]) => isAbout(name) && unreadable > present / 2)
        .map(
          ([name, { present, unreadable }]) =>
            `head "${name}" cannot tell its answer from nothing on ${unreadable} of the ${present} images ` +
            "where it sees its aspect, so it has no score there. " +
            "Train it longer, or label images without it.",
        ),
  };
}
