/** Groups whose answers rely on other aspects than those of the others. */

import { escapeHtml } from "../../pages/html-page.js";
import { htmlTable } from "../../pages/html-table.js";
import { quoted } from "../duck.js";
import type { ReportSummary } from "../summary.js";
import { relianceText } from "./class-section.js";
import type { Galleries } from "./galleries.js";
import { className, plural, shareText, testText } from "./percents.js";
import { twinBars } from "./share-bars.js";

const MOST_DIFFERENCES = 16;
const MOST_VALUES = 30;

export async function groupsSection({ groups }: ReportSummary, windows: Galleries): Promise<string> {
  if (!groups) return "";
  const { key, values, differences, tests, leftOut } = groups;
  const rows: Parameters<typeof twinBars>[0][number][] = [];
  for (const { value, class: name, aspect, here, there, q } of differences.slice(0, MOST_DIFFERENCES)) {
    const own = key === "split" ? `coalesce(groups['split'], split)` : `groups[${quoted(key)}]`;
    const where = `${own} = ${quoted(value)}${name === null ? "" : ` AND images.predicted = ${quoted(name)}`}`;
    const title = `${key} ${value}, ${className(name)} because of ${aspect}: ${plural(here.count, "image")}`;
    const gallery = here.count > 0 ? await windows.add(title, { where, aspect, list: "reasons.csv" }) : undefined;
    const more = `, q ${testText(q)}`;
    rows.push({ name: `${value}: ${className(name)} because of ${aspect}`, here, there, more, gallery });
  }
  const said =
    rows.length > 0
      ? `<p class="key faint"><i class="relevant"></i>relevant in this group <i class="other"></i>in all others. ` +
        `${plural(differences.length, "difference")} of ${plural(tests, "comparison")}, of which 5 % at most are expected to be chance.</p>${twinBars(rows)}`
      : `<p>No difference between groups is beyond chance, in ${plural(tests, "comparison")}.</p>`;
  const table = values.slice(0, MOST_VALUES).map(({ value, images, answers }) => [
    value,
    images.toLocaleString("en"),
    {
      html: answers
        .map((count) => escapeHtml(`${className(count.class)} (${count.images}): ${relianceText(count)}`))
        .join("<br>"),
    },
    answers.map(({ noKnownAspect }) => shareText(noKnownAspect)).join(", "),
  ]);
  const hidden = values.length - MOST_VALUES + leftOut;
  const more = hidden > 0 ? `<p class="faint">${plural(hidden, "smaller group")} more: groups.csv.</p>` : "";
  const header = [key, "images", "answers", "no known aspect"];
  return `<h2>By ${escapeHtml(key)}</h2>${said}<div class="scroll">${htmlTable(header, table)}</div>${more}`;
}
