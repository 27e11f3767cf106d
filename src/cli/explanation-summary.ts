/** A summary of many explanations, in a few lines. */

import type { Explanation } from "../explain/explanation.js";
import { caseText } from "../explain/headline.js";

export interface ExplanationSummary {
  readonly count: number;
  add(explanation: Explanation): void;
  /** @param options.skipped images that could not be explained. */
  lines(options: { skipped: number }): string[];
}

export function summaryOf(): ExplanationSummary {
  const images = new Set<string>();
  const relevant = new Map<string, number>();
  const nothing = new Map<string, number>();
  let count = 0;
  const raise = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  return {
    get count() {
      return count;
    },
    add: ({ image, aspects, headline }) => {
      images.add(image);
      count++;
      const causes = aspects.filter(({ isRelevant }) => isRelevant);
      for (const { name } of causes) raise(relevant, name);
      if (causes.length === 0) raise(nothing, caseText(headline.case));
    },
    lines: ({ skipped }) => {
      const what =
        count === images.size ? `${count} images explained` : `${count} explanations of ${images.size} images`;
      const falling = [...relevant]
        .sort(([a, times], [b, others]) => others - times || (a < b ? -1 : 1))
        .map(([name, times]) => `${name} in ${times}`);
      return [
        `${what}, ${skipped} skipped`,
        ...(falling.length > 0 ? [`  because of: ${falling.join(", ")}`] : []),
        ...[...nothing].map(([text, times]) => `  ${text}: ${times}`),
      ];
    },
  };
}
