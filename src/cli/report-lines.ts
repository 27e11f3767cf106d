/** A report in a few lines. */

import { formatTable } from "../core/text-table.js";
import type { ClassCount, ReportSummary } from "../survey/summary.js";
import { percent } from "./output.js";

const MOST_CLASSES = 20;
const MOST_ASPECTS = 4;

export function reportLines({ images, answers, unusual, against, groups }: ReportSummary): string[] {
  const shown = [...answers].sort((a, b) => b.images - a.images).slice(0, MOST_CLASSES);
  const rows = shown.map((count) => [
    count.class ?? "all",
    count.images.toLocaleString("en"),
    count.right ? percent(count.right.share) : "–",
    reliance(count),
    percent(count.noKnownAspect.share),
  ]);
  const left = answers.length - shown.length;
  const found = unusual.classes.reduce((sum, one) => sum + one.unusual, 0);
  return [
    `${images.name}: ${images.explained.toLocaleString("en")} images explained`,
    ...formatTable([["answer", "images", "right", "relies on", "no known aspect"], ...rows]),
    ...(left > 0 ? [`and ${left} rarer classes`] : []),
    ...(found > 0 ? [`unusual combinations: ${found} images`] : []),
    ...(groups ? [`by ${groups.key}: ${groups.differences.length} differences of ${groups.tests} comparisons`] : []),
    ...(against
      ? [`beside ${against.imageSet}: ${against.differences.length} differences of ${against.tests} comparisons`]
      : []),
  ];
}

function reliance({ aspects }: ClassCount): string {
  const named = [...aspects].filter(({ relevant }) => relevant.count > 0);
  named.sort((a, b) => b.relevant.count - a.relevant.count);
  const words = named.slice(0, MOST_ASPECTS).map(({ aspect, relevant }) => `${aspect} ${percent(relevant.share)}`);
  return words.join(", ") || "no aspect";
}
