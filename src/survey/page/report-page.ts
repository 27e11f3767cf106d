/** `index.html` of a report: what each class relies on, at a glance, and everything behind it. */

import type { Explainer } from "../../bundle/explainer.js";
import { escapeHtml, htmlPage } from "../../pages/html-page.js";
import type { Duck } from "../duck.js";
import { EXAMPLE_QUERIES } from "../example-queries.js";
import type { ReportPlan } from "../plan.js";
import { counted } from "../summary/counted.js";
import type { ReportSummary } from "../summary.js";
import { BARS_KEY, classSection, relianceText } from "./class-section.js";
import { driftSection } from "./drift-section.js";
import { GALLERIES_STYLE, type Galleries, galleries } from "./galleries.js";
import { groupsSection } from "./groups-section.js";
import { mistakesSection } from "./mistakes-section.js";
import { pairsSection } from "./pairs-section.js";
import { className, plural, shareText } from "./percents.js";
import { SHARE_BARS_STYLE } from "./share-bars.js";
import { UNUSUAL_STYLE, unusualSection } from "./unusual-section.js";

/** Said in the page, so that it is known as ours. */
export const REPORT_PAGE = "aspectlens report";

/** Classes that are shown; counts.csv has all. */
const MOST_CLASSES = 40;
const MOST_UNREADABLE = 50;

const STYLE = `h3 .faint{font-weight:400}.answers{margin:.6rem 0;padding:0;list-style:none;font-size:1.05rem}
.answers li{margin:.2rem 0}table th:last-child,table td:last-child{padding-right:0}`;

/** @returns a page that loads nothing; lists that it names lie beside it. */
export async function reportPage(
  duck: Duck,
  summary: ReportSummary,
  { plan, root, explainer }: { plan: ReportPlan; root: string; explainer?: Pick<Explainer, "explain"> },
): Promise<string> {
  const { bundle, answers } = summary;
  const shown = [...answers].sort((a, b) => b.images - a.images).slice(0, MOST_CLASSES);
  const windows = galleries(duck, { plan, root, windows: windowCount(summary) });
  const sections = [
    await classesSection(shown, answers.length, windows),
    await driftSection(duck, summary, windows),
    await groupsSection(summary, windows),
    await mistakesSection(summary, windows),
    await unusualSection(duck, summary, { plan, root, explainer }),
    await pairsSection(summary, windows),
    truthsSection(summary),
    unreadableSection(summary),
    questionsSection(),
  ];
  return htmlPage(
    `What ${bundle.name} relies on`,
    `${head(summary)}${sections.join("\n")}\n${await windows.markup()}`,
    {
      generator: REPORT_PAGE,
      style: STYLE + SHARE_BARS_STYLE + GALLERIES_STYLE + UNUSUAL_STYLE,
    },
  );
}

function windowCount({ answers, mistakes, groups, against }: ReportSummary): number {
  const bars = answers
    .slice(0, MOST_CLASSES)
    .flatMap(({ aspects }) => aspects.filter(({ relevant }) => relevant.count > 0));
  const others = [mistakes.length, groups?.differences.length ?? 0, against?.differences.length ?? 0];
  return bars.length + 15 + others.reduce((sum, count) => sum + Math.min(16, count), 0);
}

function head({ bundle, images, answers, mistakes }: ReportSummary): string {
  const unexplained = answers.reduce((sum, { noKnownAspect }) => sum + noKnownAspect.count, 0);
  const right = answers.reduce((sum, one) => sum + (one.right?.count ?? 0), 0);
  const labelled = right + mistakes.reduce((sum, one) => sum + one.images, 0);
  const facts = [
    [images.explained.toLocaleString("en"), "images explained"],
    ...(labelled > 0 ? [[shareText(counted(right, labelled)), "answered right"]] : []),
    [shareText(counted(unexplained, images.explained)), "explained by no known aspect"],
    ...(images.unreadable > 0 ? [[images.unreadable.toLocaleString("en"), "cannot be read"]] : []),
  ];
  const note =
    bundle.scale === "uncalibrated"
      ? '<div class="note"><p>This bundle is not calibrated: nothing says from which score on an aspect is relevant. ' +
        "Calibrate it (aspectlens calibrate), and report again.</p></div>"
      : "";
  const list = [...answers]
    .sort((a, b) => b.images - a.images)
    .slice(0, 6)
    .map((count) => `<li><b>${escapeHtml(className(count.class))}</b> ${escapeHtml(relianceText(count))}</li>`);
  return (
    `<p class="faint">${escapeHtml(`${images.kind} ${images.name}, bundle ${bundle.sha256.slice(0, 12)}`)}</p>` +
    `<ul class="answers">${list.join("")}</ul><div class="facts">${facts
      .map(([number, text]) => `<div><b>${escapeHtml(number)}</b><span class="faint">${escapeHtml(text)}</span></div>`)
      .join("")}</div>${note}`
  );
}

async function classesSection(
  shown: readonly ReportSummary["answers"][number][],
  count: number,
  windows: Galleries,
): Promise<string> {
  const parts: string[] = [];
  for (const one of shown) parts.push(await classSection(one, windows));
  const left = count - shown.length;
  const more = left > 0 ? `<p class="faint">${plural(left, "rarer class", "rarer classes")} more: counts.csv.</p>` : "";
  return `<h2>What the answers rely on</h2>${BARS_KEY}${parts.join("\n")}${more}`;
}

/** By true class the counts differ where answers are wrong. */
function truthsSection({ truths }: ReportSummary): string {
  if (truths.length === 0) return "";
  const rows = [...truths]
    .sort((a, b) => b.images - a.images)
    .slice(0, MOST_CLASSES)
    .map(
      (count) =>
        `<li><b>${escapeHtml(className(count.class))}</b> (${plural(count.images, "image")}) ${escapeHtml(relianceText(count))}</li>`,
    );
  return `<h2>By true class</h2><ul class="answers">${rows.join("")}</ul><p class="faint">All numbers: <a href="counts.csv">counts.csv</a>.</p>`;
}

function unreadableSection({ unreadable, images }: ReportSummary): string {
  if (images.unreadable === 0) return "";
  const rows = unreadable.slice(0, MOST_UNREADABLE).map(({ error }) => `<li class="hash">${escapeHtml(error)}</li>`);
  const all = `<p class="faint">All: <a href="unreadable.csv">unreadable.csv</a>.</p>`;
  return `<h2>Images that cannot be read: ${images.unreadable.toLocaleString("en")}</h2><ul>${rows.join("")}</ul>${all}`;
}

function questionsSection(): string {
  const examples = EXAMPLE_QUERIES.map(
    ({ question, sql }) => `<details><summary>${escapeHtml(question)}</summary><pre>${escapeHtml(sql)}</pre></details>`,
  );
  return (
    "<h2>Your own questions</h2><p>images.parquet, aspects.parquet and instances.parquet beside this page hold one row an image, " +
    "an aspect of an image, and a place of an aspect. Any tool that reads Parquet opens them; in JavaScript, " +
    `<code>openReport(folder).query(sql)</code>. Some questions in SQL:</p>${examples.join("")}`
  );
}
