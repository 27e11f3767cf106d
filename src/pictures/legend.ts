/** The legend beside the pictures: a bar for each aspect, most relevant first, with the threshold marked. */

import type { AspectExplanation, Explanation } from "../explain/explanation.js";
import { barShare, percentText, rankAspects, relevantFrom, shareText } from "./headline.js";
import { aspectColour, FAINT_INK, INK, TRACK, toHex } from "./palette.js";
import { fitText, strokeText, textWidth } from "./stroke-font.js";

const ROW = 60;
const TITLE = 26;

/** Height in pixels that `legend` fills. */
export function legendHeight(explanation: Explanation): number {
  return TITLE + ROW * explanation.aspects.length + 38;
}

/** @returns SVG with its upper left corner at `x`, `y`. */
export function legend(explanation: Explanation, { x, y, width }: { x: number; y: number; width: number }): string {
  const parts = [
    strokeText("relevance", { x: x + width, y: y + 11, size: 10, colour: FAINT_INK, anchor: "end" }),
    strokeText("aspect", { x, y: y + 11, size: 10, colour: FAINT_INK }),
  ];
  rankAspects(explanation.aspects).forEach((aspect, row) => {
    const colour = toHex(aspectColour(explanation.aspects.indexOf(aspect)));
    parts.push(
      legendRow(aspect, { x, y: y + TITLE + row * ROW, width, colour, threshold: relevantFrom(aspect, explanation) }),
    );
  });
  const bottom = y + TITLE + ROW * explanation.aspects.length + 12;
  for (const [line, text] of footer(explanation).entries())
    parts.push(
      strokeText(fitText(text, { size: 10, width }), { x, y: bottom + 16 * line, size: 10, colour: FAINT_INK }),
    );
  return parts.join("");
}

function legendRow(
  aspect: AspectExplanation,
  { x, y, width, colour, threshold }: { x: number; y: number; width: number; colour: string; threshold: number },
): string {
  const { isRelevant, isPresent, relevance } = aspect;
  const ink = isRelevant ? INK : FAINT_INK;
  const number = isPresent ? shareText(relevance) : "absent";
  const numberSize = isPresent ? 13 : 10;
  const nameWidth = width - 24 - textWidth(number, { size: numberSize }) - 14;
  const name = fitText(aspect.name, { size: 13, width: nameWidth });
  const weight = isRelevant ? 0.18 : 0.12;
  const swatch = isRelevant
    ? `<rect x="${x}" y="${y}" width="14" height="14" rx="3" fill="${colour}"/>`
    : `<rect x="${x + 1}" y="${y + 1}" width="12" height="12" rx="3" fill="none" stroke="#9aa3ab" stroke-width="2"` +
      `${isPresent ? "" : ' stroke-dasharray="3 3"'}/>`;
  const bar = barShare(relevance) * width;
  const tick = x + threshold * width;
  return [
    swatch,
    strokeText(name, { x: x + 24, y: y + 13, size: 13, colour: ink, weight }),
    strokeText(number, { x: x + width, y: y + 13, size: numberSize, colour: ink, weight, anchor: "end" }),
    isPresent ? `<rect x="${x}" y="${y + 22}" width="${width}" height="8" rx="4" fill="${TRACK}"/>` : "",
    bar > 0
      ? `<rect x="${x}" y="${y + 22}" width="${Math.max(8, bar)}" height="8" rx="4" fill="${isRelevant ? colour : "#9aa3ab"}"/>`
      : "",
    isPresent
      ? `<path d="M${tick} ${y + 19}V${y + 33}" stroke="${INK}" stroke-width="1.6" stroke-linecap="round"/>`
      : "",
    isPresent
      ? strokeText(fitText(details(aspect), { size: 9, width }), { x, y: y + 46, size: 9, colour: FAINT_INK })
      : "",
  ].join("");
}

function details(aspect: AspectExplanation): string {
  const parts = [aspect.isRelevant ? "relevant" : aspect.relevance === null ? "not readable" : "not relevant"];
  if (aspect.relevanceInterval) parts.push(`${aspect.relevanceInterval.map(shareText).join("-")} if changed`);
  if (aspect.survival !== null) parts.push(`survival ${shareText(aspect.survival)}`);
  // With an interval there is no room for more.
  if (aspect.relevanceInterval) return parts.join(" · ");
  if (aspect.kind === "boxes" && aspect.instances) parts.push(`${aspect.instances.length} found`);
  if (aspect.area !== undefined) parts.push(`area ${percentText(aspect.area)}`);
  if (aspect.instances === undefined) parts.push("no place");
  return parts.join(" · ");
}

function footer(explanation: Explanation): string[] {
  const { unexplained, threshold, thresholdBeside } = explanation;
  const rest = unexplained === null ? [] : [`${percentText(unexplained)} of the saliency unexplained`];
  const beside = thresholdBeside < threshold ? ` (${shareText(thresholdBeside)} beside one)` : "";
  return [`| relevant from ${shareText(threshold)}${beside}`, ...rest];
}
