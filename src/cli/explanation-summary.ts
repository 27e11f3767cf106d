/** A summary of many explanations, in a few lines. */

import type { Explanation } from "../explain/explanation.js";
import { caseText, isStable } from "../explain/headline.js";

export interface ExplanationSummary {
  readonly count: number;
  add(explanation: Explanation): void;
  /** @param options.skipped images that could not be explained. */
  lines(options: { skipped: number }): string[];
}

export function summaryOf(): ExplanationSummary {
  const images = new Set<string>();
  const relevant = new Map<string, number>();
  const unstable = new Map<string, number>();
  const nothing = new Map<string, number>();
  let absences = 0;
  let count = 0;
  const raise = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    get count() {
      return count;
    },
    add: ({ image, aspects, headline, absenceOf }) => {
      images.add(image);
      count++;
      const causes = aspects.filter(({ isRelevant }) => isRelevant);
      for (const cause of causes) {
        raise(relevant, cause.name);
        if (!isStable(cause)) raise(unstable, cause.name);
      }
      if (causes.length > 0 && absenceOf.length > 0) absences++;
      if (causes.length === 0) raise(nothing, caseText(headline.case));
    },
    lines: ({ skipped }) => {
      const what =
        count === images.size ? `${count} images explained` : `${count} explanations of ${images.size} images`;
      const falling = [...relevant]
        .sort(([a, times], [b, others]) => others - times || (a < b ? -1 : 1))
        .map(([name, times]) => {
          const fewer = unstable.get(name);
          return `${name} in ${times}${fewer === undefined ? "" : ` (not stable in ${fewer})`}`;
        });
      return [
        `${what}, ${skipped} skipped`,
        ...(falling.length > 0 ? [`  because of: ${falling.join(", ")}`] : []),
        ...[...nothing].map(([text, times]) => `  ${text}: ${times}`),
        ...(absences > 0 ? [`  what is not seen is a reason beside others: ${absences}`] : []),
      ];
    },
  };
}
