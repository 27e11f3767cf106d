/** Which aspects are relevant together. */

import { escapeHtml } from "../../pages/html-page.js";
import { htmlTable } from "../../pages/html-table.js";
import { quoted } from "../duck.js";
import type { ReportSummary } from "../summary.js";
import type { Galleries } from "./galleries.js";
import { className, plural } from "./percents.js";

const MOST_PAIRS = 15;

export async function pairsSection({ pairs, answers }: ReportSummary, windows: Galleries): Promise<string> {
  const shown = [...pairs].sort((a, b) => b.count - a.count).slice(0, MOST_PAIRS);
  if (shown.length === 0) return "";
  const rows: (string | { html: string; isNumber?: boolean })[][] = [];
  for (const { class: name, first, second, count, expected } of shown) {
    const images = answers.find((one) => one.class === name)?.images ?? count;
    const both = `image IN (SELECT image FROM aspects WHERE isRelevant AND name = ${quoted(second)})`;
    const where = `${both}${name === null ? "" : ` AND images.predicted = ${quoted(name)}`}`;
    const title = `${className(name)} because of ${first} and ${second}: ${plural(count, "image")}`;
    const gallery = await windows.add(title, { where, aspect: first, list: "reasons.csv" });
    const text = escapeHtml(`${first} and ${second}`);
    rows.push([
      { html: gallery ? `<button class="opens" popovertarget="${gallery}">${text}</button>` : text },
      className(name),
      count.toLocaleString("en"),
      `${Math.round((100 * count) / images)} %`,
      expected.toFixed(0),
    ]);
  }
  const left = pairs.length - shown.length;
  const more = left > 0 ? `<p class="faint">${plural(left, "rarer pair")} more: pairs.csv.</p>` : "";
  const header = ["relevant together", "answer", "images", "of its answers", "if independent"];
  return `<h2>What is relevant together</h2>${htmlTable(header, rows)}${more}`;
}
