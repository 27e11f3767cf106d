/** The legend beside the pictures: of each aspect its share of the evidence as a bar, and what lies elsewhere. */

import type { AspectExplanation, Explanation } from "../explain/explanation.js";
import { percentText, scoreText } from "../explain/headline.js";
import { isDrawn } from "./aspect-panel.js";
import { type Drawing, writeText } from "./drawing.js";
import { MAPPING_TOO_POOR, mappingText, rankAspects, scaleNote, shareText } from "./number-text.js";
import { aspectColour, FAINT_INK, INK, toHex } from "./palette.js";
import { shareBar } from "./share-bar.js";
import { fitText, textWidth } from "./text-line.js";

const PALE_GREY = "#9aa3ab";
const ROW = 60;
/** Of an absent aspect, which has a name alone. */
const SHORT_ROW = 26;
/** What the line on its mapping adds to the row of an aspect of another network. */
const MAPPING_LINE = 15;
const TITLE = 26;
const LINE = 16;

/** Height of `legend`, pixels. @param notes lines below it. */
export function legendHeight(explanation: Explanation, notes: readonly string[]): number {
  return TITLE + heightOf(rowsOf(explanation)) + 38 + LINE * notes.length;
}

/** @returns a drawing with its upper left corner at `x`, `y`. */
export async function legend(
  explanation: Explanation,
  { x, y, width, notes }: { x: number; y: number; width: number; notes: readonly string[] },
): Promise<Drawing> {
  const small = { size: 10, colour: FAINT_INK };
  const all = rowsOf(explanation);
  const rows = all.map((row, index) => legendRow(row, { x, y: y + TITLE + heightOf(all.slice(0, index)), width }));
  const bottom = y + TITLE + heightOf(all) + 12;
  const lines = [...footer(explanation), ...notes].map(async (text, line) =>
    writeText(await fitText(text, { size: small.size, width }), { x, y: bottom + LINE * line, ...small }),
  );
  return [
    await writeText(hasShares(explanation) ? "share of the evidence" : "score", {
      x: x + width,
      y: y + 11,
      anchor: "end",
      ...small,
    }),
    await writeText("aspect", { x, y: y + 11, ...small }),
    ...(await Promise.all(rows)).flat(),
    ...(await Promise.all(lines)),
  ];
}

/** One row: an aspect, or what lies elsewhere. */
interface Row {
  readonly name: string;
  readonly number: string;
  /** 0..1; no bar without it. */
  readonly bar: number | null;
  readonly details: string;
  /** Of an aspect of another network how it was reached, on a line of its own; else "". */
  readonly mapping: string;
  readonly colour: string;
  readonly look: "relevant" | "present" | "absent";
}

function heightOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => {
    const height = row.look === "absent" ? SHORT_ROW : ROW;
    return sum + height + (row.mapping === "" ? 0 : MAPPING_LINE);
  }, 0);
}

/** The relevant aspects, then elsewhere, then the others. */
function rowsOf(explanation: Explanation): Row[] {
  const rows = rankAspects(explanation.aspects).map((aspect) => aspectRow(aspect, explanation));
  const { elsewhere } = explanation;
  if (elsewhere === null) return rows;
  const rest: Row = {
    name: "in no relevant aspect",
    number: percentText(elsewhere),
    bar: elsewhere,
    details: `${percentText(explanation.outside ?? 0)} outside all aspects`,
    mapping: "",
    colour: PALE_GREY,
    look: "present",
  };
  const relevant = rows.filter(({ look }) => look === "relevant");
  return [...relevant, rest, ...rows.slice(relevant.length)];
}

function aspectRow(aspect: AspectExplanation, explanation: Explanation): Row {
  const { name, isRelevant, isPresent, share, score } = aspect;
  const highest = Math.max(...explanation.aspects.map((one) => one.score ?? 0));
  const details = isPresent ? legendDetails(aspect) : "";
  const mapping = isPresent ? mappingText(aspect) : "";
  if (!isPresent) {
    const number = explanation.absenceOf.includes(name) ? "absent, which is a reason" : "absent";
    return { name, number, bar: null, details, mapping, colour: PALE_GREY, look: "absent" };
  }
  const colour = toHex(aspectColour(explanation.aspects.indexOf(aspect)));
  if (isRelevant === null) {
    const bar = score !== null && highest > 0 ? score / highest : 0;
    return { name, number: scoreText(score), bar, details, mapping, colour, look: "present" };
  }
  if (isRelevant) {
    const number = share === null ? "" : percentText(share);
    return { name, number, bar: share, details, mapping, colour, look: "relevant" };
  }
  const part = aspect.elsewhere;
  return {
    name,
    // Without a share of anything the column has scores.
    number: part === null ? scoreText(score) : percentText(part),
    bar: part,
    details,
    mapping,
    colour: PALE_GREY,
    look: "present",
  };
}

function hasShares({ elsewhere }: Explanation): boolean {
  return elsewhere !== null;
}

async function legendRow(
  { name, number, bar, details, mapping, colour, look: kind }: Row,
  { x, y, width }: { x: number; y: number; width: number },
): Promise<Drawing> {
  const isRelevant = kind === "relevant";
  const numberSize = kind === "absent" ? 10 : 13;
  const look = { colour: isRelevant ? INK : FAINT_INK, isBold: isRelevant };
  const nameWidth = width - 24 - (await textWidth(number, { size: numberSize, ...look })) - 14;
  const outline = { stroke: PALE_GREY, strokeWidth: 2, ...(kind === "absent" && { dashCount: 7 }) };
  const swatch = isRelevant
    ? { x, y, width: 14, height: 14, radius: 3, fill: colour }
    : { x: x + 1, y: y + 1, width: 12, height: 12, radius: 3, ...outline };
  const parts = [
    swatch,
    await writeText(await fitText(name, { size: 13, width: nameWidth, ...look }), {
      x: x + 24,
      y: y + 13,
      size: 13,
      ...look,
    }),
    await writeText(number, { x: x + width, y: y + 13, size: numberSize, anchor: "end", ...look }),
  ];
  const small = { size: 9, colour: FAINT_INK };
  return [
    ...parts,
    ...(bar === null ? [] : shareBar(bar, { x, y: y + 22, width, colour })),
    ...(await Promise.all(
      [details, mapping]
        .filter((text) => text !== "")
        .map(async (text, line) =>
          writeText(await fitText(text, { ...small, width }), { x, y: y + 46 + MAPPING_LINE * line, ...small }),
        ),
    )),
  ];
}

/** The small line under an aspect's bar. */
export function legendDetails(aspect: AspectExplanation): string {
  const { isRelevant, relevance, relevanceInterval, isPlaceDerived, score, mapping } = aspect;
  if (score === null) return mapping?.isTooPoor ? MAPPING_TOO_POOR : "not readable";
  const parts = [
    isRelevant ? (aspect.strength ?? "relevant") : isRelevant === null ? "not calibrated" : "not relevant",
  ];
  if (relevance !== null) parts.push(`relevance ${shareText(relevance)}`);
  if (relevanceInterval) parts.push(`interval ${relevanceInterval.map(shareText).join("–")}`);
  // With an interval there is no room for more.
  else if (!isDrawn(aspect)) parts.push("not drawn");
  else if (isRelevant === false) return parts.join(" · ");
  else if (aspect.kind === "boxes") parts.push(`${aspect.instances.length} found`);
  else if (isPlaceDerived) parts.push("place derived");
  else if (aspect.area !== undefined) parts.push(`covers ${percentText(aspect.area)}`);
  return parts.join(" · ");
}

function footer(explanation: Explanation): string[] {
  const others = explanation.aspects.filter(({ isRelevant, elsewhere }) => !isRelevant && (elsewhere ?? 0) > 0);
  return [scaleNote(explanation), ...(others.length > 1 ? ["aspects that are not relevant may overlap"] : [])];
}
