/** An explanation as text for the terminal: one line, a line for each aspect, and the same in plain sentences. */

import { clip, visible, visibleLine } from "../core/terminal.js";
import { formatTable } from "../core/text-table.js";
import type { AspectExplanation, Explanation } from "../explain/explanation.js";
import { percentText, scoreText } from "../explain/headline.js";
import { sentencesOf } from "../explain/sentence.js";
import { ENGLISH } from "../explain/sentence-english.js";
import { intervalText, MAPPING_TOO_POOR, rankAspects, remainderTexts, scaleNote, shareText } from "./number-text.js";

const BAR = 12;
const LONGEST_NAME = 28;
const MAPPING_NOTE = "mapped to: the network, and how well the aspect's head agrees there (1 alike, 0 by chance)";

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
 * @returns lines without a final line feed: the image and the headline, the aspects, most relevant first, and sentences.
 */
export function explanationTable(explanation: Explanation, { colours = false }: { colours?: boolean } = {}): string {
  const paint = (raw: string, code: number) => {
    const text = visibleLine(raw);
    return colours ? `\u001b[${code}m${text}\u001b[0m` : text;
  };
  const ranked = rankAspects(explanation.aspects);
  const isMapped = ranked.some(({ mapping }) => mapping);
  const titles = ["aspect", "kind", "present", "share of evidence", "relevance", "score", "survival", "relevant"];
  const rows = ranked.map((aspect) => [...cells(aspect, explanation), ...(isMapped ? [mappingCell(aspect)] : [])]);
  const [head, ...lines] = formatTable([[...titles, ...(isMapped ? ["mapped to"] : [])], ...rows], { numbers: "left" });
  const remainder = [scaleNote(explanation), ...remainderTexts(explanation)];
  return [
    paint(`${explanation.image}: ${explanation.headline.text}`, 1),
    `  ${paint(head, 2)}`,
    ...lines.map((line, index) => `  ${paint(line, ranked[index].isRelevant ? 32 : ranked[index].isPresent ? 0 : 2)}`),
    `  ${paint(remainder.join("; "), 2)}`,
    ...(isMapped ? [`  ${paint(MAPPING_NOTE, 2)}`] : []),
    `  ${paint(sentencesOf(explanation, ENGLISH).join(" "), 0)}`,
  ].join("\n");
}

function cells(aspect: AspectExplanation, { absenceOf }: Explanation): string[] {
  const short = clip(visible(aspect.name), LONGEST_NAME);
  const verdict = aspect.isRelevant ? (aspect.strength ?? "yes") : (unread(aspect) ?? "no");
  const part = aspect.isRelevant === false ? aspect.elsewhere : aspect.share;
  const share = part === null ? "–" : `${bar(part)} ${percentText(part)}`;
  const present = `${aspect.isPresent ? "yes" : "no"} ${shareText(aspect.presence)}`;
  return [
    short,
    aspect.kind,
    present,
    ...(aspect.isPresent
      ? [
          share,
          shareText(aspect.relevance) + intervalText(aspect),
          scoreText(aspect.score),
          shareText(aspect.survival),
          aspect.isRelevant === null ? "" : verdict,
        ]
      : ["", "", "", "", absenceOf.includes(aspect.name) ? "its absence" : ""]),
  ];
}

/** Why nothing is said of an aspect that is present. */
function unread({ score, mapping }: AspectExplanation): string | undefined {
  if (score !== null) return undefined;
  return mapping?.isTooPoor ? MAPPING_TOO_POOR : "not readable";
}

/** "cells 0.93"; "" of an aspect that reads the classifier's network. */
function mappingCell({ mapping }: AspectExplanation): string {
  return mapping ? `${clip(visible(mapping.network), LONGEST_NAME)} ${shareText(mapping.agreement)}` : "";
}

function bar(share: number): string {
  const filled = Math.round(share * BAR);
  return "█".repeat(filled) + "░".repeat(BAR - filled);
}
