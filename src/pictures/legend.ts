/** The legend beside the pictures: a bar for each aspect, most relevant first, with the threshold marked. */

import type { AspectExplanation, Explanation } from "../explain/explanation.js";
import { type Drawing, writeText } from "./drawing.js";
import { percentText, rankAspects, relevantFrom, shareText } from "./headline.js";
import { aspectColour, FAINT_INK, INK, toHex } from "./palette.js";
import { relevanceBar } from "./relevance-bar.js";
import { fitText, textWidth } from "./text-line.js";

const PALE_GREY = "#9aa3ab";
const ROW = 60;
const TITLE = 26;
const LINE = 16;

/** Height of `legend`, pixels. @param notes lines below it. */
export function legendHeight(explanation: Explanation, notes: readonly string[]): number {
  return TITLE + ROW * explanation.aspects.length + 38 + LINE * notes.length;
}

/** @returns a drawing with its upper left corner at `x`, `y`. */
export async function legend(
  explanation: Explanation,
  { x, y, width, notes }: { x: number; y: number; width: number; notes: readonly string[] },
): Promise<Drawing> {
  const small = { size: 10, colour: FAINT_INK };
  const rows = rankAspects(explanation.aspects).map((aspect, row) => {
    const colour = toHex(aspectColour(explanation.aspects.indexOf(aspect)));
    const threshold = relevantFrom(aspect, explanation);
    return legendRow(aspect, { x, y: y + TITLE + row * ROW, width, colour, threshold });
  });
  const bottom = y + TITLE + ROW * explanation.aspects.length + 12;
  const lines = [...footer(explanation), ...notes].map(async (text, line) =>
    writeText(await fitText(text, { size: small.size, width }), { x, y: bottom + LINE * line, ...small }),
  );
  return [
    await writeText("relevance", { x: x + width, y: y + 11, anchor: "end", ...small }),
    await writeText("aspect", { x, y: y + 11, ...small }),
    ...(await Promise.all(rows)).flat(),
    ...(await Promise.all(lines)),
  ];
}

async function legendRow(
  aspect: AspectExplanation,
  { x, y, width, colour, threshold }: { x: number; y: number; width: number; colour: string; threshold: number },
): Promise<Drawing> {
  const { isRelevant, isPresent, relevance } = aspect;
  const ink = isRelevant ? INK : FAINT_INK;
  const number = isPresent ? shareText(relevance) : "absent";
  const numberSize = isPresent ? 13 : 10;
  const look = { colour: ink, isBold: isRelevant };
  const nameWidth = width - 24 - (await textWidth(number, { size: numberSize, ...look })) - 14;
  const name = await fitText(aspect.name, { size: 13, width: nameWidth, ...look });
  const outline = { stroke: PALE_GREY, strokeWidth: 2, ...(!isPresent && { dashCount: 7 }) };
  const swatch = isRelevant
    ? { x, y, width: 14, height: 14, radius: 3, fill: colour }
    : { x: x + 1, y: y + 1, width: 12, height: 12, radius: 3, ...outline };
  const parts = [
    swatch,
    await writeText(name, { x: x + 24, y: y + 13, size: 13, ...look }),
    await writeText(number, { x: x + width, y: y + 13, size: numberSize, anchor: "end", ...look }),
  ];
  if (!isPresent) return parts;
  const small = { size: 9, colour: FAINT_INK };
  return [
    ...parts,
    ...relevanceBar(relevance, { x, y: y + 22, width, colour: isRelevant ? colour : PALE_GREY, threshold }),
    await writeText(await fitText(legendDetails(aspect), { ...small, width }), { x, y: y + 46, ...small }),
  ];
}

/** The small line under an aspect's bar. */
export function legendDetails(aspect: AspectExplanation): string {
  const parts = [aspect.isRelevant ? "relevant" : aspect.relevance === null ? "not readable" : "not relevant"];
  if (aspect.relevanceInterval) parts.push(`interval ${aspect.relevanceInterval.map(shareText).join("–")}`);
  if (aspect.survival !== null) parts.push(`survival ${shareText(aspect.survival)}`);
  // With an interval there is no room for the area.
  if (aspect.relevanceInterval) return parts.join(" · ");
  if (aspect.kind === "boxes" && aspect.instances) parts.push(`${aspect.instances.length} found`);
  if (aspect.isPlaceDerived) parts.push("place derived");
  else if (aspect.area !== undefined) parts.push(`area ${percentText(aspect.area)}`);
  if (aspect.instances === undefined) parts.push("no place");
  return parts.join(" · ");
}

function footer(explanation: Explanation): string[] {
  const { unexplained, threshold, thresholdBeside } = explanation;
  const rest = unexplained === null ? [] : [`${percentText(unexplained)} of the saliency unexplained`];
  const beside = thresholdBeside < threshold ? ` (${shareText(thresholdBeside)} beside one)` : "";
  return [`| relevant from ${shareText(threshold)}${beside}`, ...rest];
}
