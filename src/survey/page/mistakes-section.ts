/** What mistakes relied on, beside right answers of the same class. */

import { escapeHtml } from "../../pages/html-page.js";
import { quoted } from "../duck.js";
import type { ReportSummary } from "../summary.js";
import type { Galleries } from "./galleries.js";
import { plural, testText } from "./percents.js";
import { twinBars } from "./share-bars.js";

const MOST_MISTAKES = 8;
const MOST_ROWS = 6;
const DIFFERENT_FROM = 0.05;

export async function mistakesSection({ mistakes }: ReportSummary, windows: Galleries): Promise<string> {
  if (mistakes.length === 0) return "";
  const parts: string[] = [];
  for (const { truth, answer, images, rightImages, aspects } of mistakes.slice(0, MOST_MISTAKES)) {
    const wrong = `NOT isRight AND predicted = ${quoted(answer)}${truth === null ? "" : ` AND label = ${quoted(truth)}`}`;
    const title = truth === null ? `wrongly ${answer}` : `${truth}, taken for ${answer}`;
    const all = await windows.add(`${title}: ${plural(images, "image")}`, { where: wrong, list: "mistakes.csv" });
    const seen = aspects
      .filter(({ here, there }) => here.count + there.count > 0)
      .sort((a, b) => b.here.share - a.here.share || b.there.share - a.there.share);
    const rows = seen.slice(0, MOST_ROWS).map(({ aspect, here, there, q }) => ({
      ...{ name: aspect, here, there },
      more: q <= DIFFERENT_FROM ? `, differs (q ${testText(q)})` : "",
    }));
    const heading = all
      ? `<button class="opens" popovertarget="${all}">${escapeHtml(title)}</button>`
      : escapeHtml(title);
    const beside = `${plural(images, "image")}, beside ${plural(rightImages, "right answer")}`;
    parts.push(
      `<h3>${heading} <span class="faint">${beside}</span></h3>` +
        (rows.length > 0 ? twinBars(rows) : '<p class="faint">No aspect was relevant in any of them.</p>'),
    );
  }
  const left = mistakes.length - MOST_MISTAKES;
  const more = left > 0 ? `<p class="faint">${plural(left, "rarer mistake")} more: mistakes.csv.</p>` : "";
  return (
    `<h2>What mistakes relied on</h2><p class="key faint"><i class="relevant"></i>relevant in mistakes ` +
    ` <i class="other"></i>in right answers of the same class</p>${parts.join("")}${more}`
  );
}
