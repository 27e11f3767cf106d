/** An explanation as text for the terminal: one sentence, and a line for each aspect. */

import { clip, visible, visibleLine } from "../core/terminal.js";
import { formatTable } from "../core/text-table.js";
import type { AspectExplanation, Explanation } from "../explain/explanation.js";
import { headlineText, intervalText, percentText, rankAspects, shareText, thresholdText } from "./headline.js";

const BAR = 12;
const LONGEST_NAME = 28;

/** True where a stream is a terminal that shows colours (https://no-color.org). */
export function showsColours(
  stream: { readonly isTTY?: boolean },
  environment: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  return stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== "dumb";
}

/**
 * An explanation as text, for a terminal or a log.
 *
 * @returns lines without a final line feed: the image, the sentence, and the aspects, most relevant first.
 */
export function explanationTable(explanation: Explanation, { colours = false }: { colours?: boolean } = {}): string {
  const paint = (raw: string, code: number) => {
    const text = visibleLine(raw);
    return colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  };
  const ranked = rankAspects(explanation.aspects);
  const titles = ["aspect", "kind", "present", "relevance", "survival", "relevant"];
  const [head, ...lines] = formatTable([titles, ...ranked.map(cells)], { numbers: "left" });
  const unexplained =
    explanation.unexplained === null ? "" : `; ${percentText(explanation.unexplained)} of the saliency unexplained`;
  return [
    paint(`${explanation.image}: ${headlineText(explanation)}`, 1),
    `  ${paint(head, 2)}`,
    ...lines.map((line, index) => `  ${paint(line, ranked[index].isRelevant ? 32 : ranked[index].isPresent ? 0 : 2)}`),
    `  ${paint(`${thresholdText(explanation)}${unexplained}`, 2)}`,
  ].join("\n");
}

function cells(aspect: AspectExplanation): string[] {
  const short = clip(visible(aspect.name), LONGEST_NAME);
  const relevance = `${bar(aspect.relevance)} ${shareText(aspect.relevance)}${intervalText(aspect)}`;
  const verdict = aspect.isRelevant ? "yes" : aspect.isPresent ? "no" : "";
  const present = `${aspect.isPresent ? "yes" : "no"} ${shareText(aspect.presence)}`;
  return [
    short,
    aspect.kind,
    present,
    aspect.isPresent ? relevance : "",
    aspect.isPresent ? shareText(aspect.survival) : "",
    verdict,
  ];
}

function bar(share: number | null): string {
  const filled = Math.round(Math.min(1, Math.max(0, share ?? 0)) * BAR);
  return "█".repeat(filled) + "░".repeat(BAR - filled);
}
