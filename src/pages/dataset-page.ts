/** The page of `data check --html`: what a dataset holds, what stands out, and the images in question. */

import type { DatasetReport } from "../dataset/check.js";
import type { Manifest } from "../dataset/manifest.js";
import { SPLITS } from "../dataset/record.js";
import { recordsAt } from "../dataset/records-at.js";
import type { PairCounts } from "../dataset/survey/co-occurrence.js";
import { type Survey, surveyWarnings } from "../dataset/survey/survey.js";
import { BARS_STYLE, bars, stateBar } from "./bars.js";
import { datasetPictures } from "./dataset-pictures.js";
import { escapeHtml, htmlPage } from "./html-page.js";
import { type Cell, htmlTable } from "./html-table.js";
import { locationMap } from "./location-map.js";

/** Named by the page, so that it may be replaced. */
export const DATASET_PAGE = "aspectlens data check";

const SHOWN_FAULTS = 200;
/** Of them at once; the rest is folded away, so that the page does not begin with a wall. */
const OPEN_FAULTS = 12;
const SHOWN_SIZES = 12;
const SHOWN_CLASSES = 60;

const STYLE = `${BARS_STYLE}.maps{display:flex;flex-wrap:wrap;gap:1rem}.maps figure{margin:0;width:130px}
.maps img{image-rendering:pixelated;display:block}.pair{display:flex;gap:.3rem;padding:.4rem;background:var(--panel);
border-radius:6px}.cell{display:block;padding:.1rem .5rem;text-align:right;min-width:4rem}ul.faults{padding-left:1.2rem}
ul.faults li{overflow-wrap:anywhere;margin:.2rem 0}.key{display:inline-block;width:.9em;height:.9em;border-radius:2px;
vertical-align:-.1em}`;

/**
 * @param dataset where the images of the findings are read from.
 * @returns a page that loads nothing.
 */
export async function datasetPage(
  { report, survey }: { report: DatasetReport; survey: Survey },
  dataset: { readonly directory: string; readonly manifest: Manifest },
): Promise<string> {
  const records = await recordsAt(dataset, linesOf(survey));
  const pictures = await datasetPictures(survey, { ...dataset, records });
  const body = [
    summary(report),
    faults(report),
    standsOut(report, survey),
    labels(report),
    classes(report),
    sizes(survey),
    together(survey),
    await locations(survey),
    pictures,
  ];
  return htmlPage(`${report.name}: what the data hold`, body.filter((part) => part !== "").join("\n"), {
    generator: DATASET_PAGE,
    style: STYLE,
  });
}

/** Lines whose images are shown. */
function linesOf({ duplicates, oddImages, suspicious }: Survey): Set<number> {
  return new Set([
    ...duplicates.pairs.slice(0, 100).flatMap(({ first, second }) => [first.line, second.line]),
    ...oddImages.slice(0, 200).map(({ line }) => line),
    ...suspicious.shown.map(({ line }) => line),
  ]);
}

function summary({ samples, task, hash, errorCount, warningCount, heads }: DatasetReport): string {
  const facts = [
    ...SPLITS.map((split) => [split, samples[split].toLocaleString("en")]),
    ["task", task],
    ["aspects", String(Object.keys(heads).length - 1)],
    ["errors", String(errorCount)],
    ["warnings", String(warningCount)],
  ];
  const boxes = facts.map(
    ([name, value]) => `<div><span class="faint">${name}</span><b>${escapeHtml(value)}</b></div>`,
  );
  return `<div class="facts">${boxes.join("")}</div><p class="faint hash">hash ${hash}</p>`;
}

function standsOut({ errorCount, classes, samples }: DatasetReport, survey: Survey): string {
  const imageCount = SPLITS.reduce((sum, split) => sum + samples[split], 0);
  const counts = Object.entries(classes).map(([name, { train }]) => ({ name, train }));
  const [least] = [...counts].sort((a, b) => a.train - b.train);
  const [most] = [...counts].sort((a, b) => b.train - a.train);
  const isUneven = least && most.train >= 10 * Math.max(1, least.train);
  const found = [
    ...(errorCount > 0
      ? [`${errorCount} ${errorCount === 1 ? "line is" : "lines or files are"} wrong: training stops there.`]
      : []),
    ...surveyWarnings(survey),
    ...(isUneven
      ? [
          `class "${most.name}" has ${most.train} training images, "${least.name}" ${least.train}: ` +
            "accuracy hides the rare one; look at recall and balanced accuracy.",
        ]
      : []),
    ...(survey.suspicious.count > 0 ? [`${survey.suspicious.count} annotations look like mistakes (below).`] : []),
    ...(survey.oddImages.length > 0
      ? [`${survey.oddImages.length} of ${imageCount} images look odd: dark, blank or unlike the rest (below).`]
      : []),
  ];
  if (found.length === 0) return '<div class="note plain"><p>Nothing stands out.</p></div>';
  return `<div class="note">${found.map((text) => `<p>${escapeHtml(text)}</p>`).join("")}</div>`;
}

function labels({ heads, samples }: DatasetReport): string {
  const splits = SPLITS.filter((split) => samples[split] > 0);
  const rows = Object.entries(heads).map(([name, { kind, states }]): Cell[] => [
    name,
    kind,
    ...splits.map((split): Cell => {
      const { labelled, empty, unlabelled } = states[split];
      const numbers = `${labelled} / ${empty} / ${unlabelled}`;
      return { html: `${stateBar(states[split])}<span class="faint">${numbers}</span>` };
    }),
  ]);
  const note =
    '<p class="faint">Labelled / labelled as empty / unlabelled; unlabelled images teach a head nothing.</p>';
  return `<h2>Labels</h2>${note}${htmlTable(["head", "kind", ...splits], rows)}`;
}

function classes(report: DatasetReport): string {
  const all = Object.entries(report.classes);
  if (all.length === 0) return "";
  const splits = SPLITS.filter((split) => report.samples[split] > 0);
  const shown = all.slice(0, SHOWN_CLASSES);
  const charts = splits.map((split) => {
    const rows = shown.map(([name, counts]): [string, number] => [name, counts[split]]);
    return `<div><h3>${split}</h3>${bars(rows)}</div>`;
  });
  const more =
    all.length > shown.length ? `<p class="faint">The first ${shown.length} of ${all.length} classes.</p>` : "";
  return `<h2>Classes</h2><div class="grid">${charts.join("")}</div>${more}`;
}

function sizes({ sizes: { sides, images }, inputSize }: Survey): string {
  const shown = images.slice(0, SHOWN_SIZES);
  const rest = images.slice(SHOWN_SIZES).reduce((sum, [, count]) => sum + count, 0);
  const rows = rest > 0 ? [...shown, [`${images.length - shown.length} other sizes`, rest] as const] : shown;
  const ofImages = rows.length > 0 ? `<h2>Image sizes</h2>${bars(rows)}` : "";
  const charts = Object.entries(sides).map(([name, counts]) => {
    const [first, last] = [counts.findIndex((count) => count > 0), counts.findLastIndex((count) => count > 0)];
    const octaves = counts.slice(first, last + 1).map((count, index): [string, number] => {
      const from = 2 ** (first + index);
      return [from === 1 ? "below 2 px" : `${from} to ${2 * from} px`, count];
    });
    return `<div><h3>${escapeHtml(name)}</h3>${bars(octaves)}</div>`;
  });
  if (charts.length === 0) return ofImages;
  const note =
    `<p class="faint">Side at an input of ${inputSize} px (the root of the area), of each box, or of all of a mask. ` +
    "What is smaller than 4 px is hardly found; --input-size asks about another input.</p>";
  return `${ofImages}<h2>How large aspects are for the model</h2>${note}<div class="grid">${charts.join("")}</div>`;
}

function together({ coOccurrence }: Survey): string {
  const all = Object.entries(coOccurrence.classes).slice(0, SHOWN_CLASSES);
  const aspects = Object.keys(all[0]?.[1] ?? {});
  if (aspects.length === 0) return "";
  const rows = all.map(([name, own]): Cell[] => [name, ...aspects.map((aspect) => shareCell(own[aspect]))]);
  const words =
    coOccurrence.together.length > 0
      ? `<div class="note">${coOccurrence.together.map((text) => `<p>${escapeHtml(text)}</p>`).join("")}</div>`
      : '<p class="faint">No aspect always comes with a class or another aspect.</p>';
  const note = '<p class="faint">Share of the images of a class that show an aspect, where both are labelled.</p>';
  return `<h2>What comes together</h2>${words}${note}${htmlTable(["class", ...aspects], rows)}`;
}

function shareCell({ both, firstOnly }: PairCounts): Cell {
  if (both + firstOnly === 0) return "–";
  const share = both / (both + firstOnly);
  const shade = `background:rgba(var(--shade),${(0.55 * share).toFixed(2)})`;
  return { html: `<span class="cell" style="${shade}">${(100 * share).toFixed(0)} %</span>`, isNumber: true };
}

async function locations({ sizes }: Survey): Promise<string> {
  const figures = await Promise.all(
    Object.entries(sizes.locations).map(async ([name, { count, values }]) => {
      const most = Math.max(...values);
      const caption = `${name}: up to ${(100 * most).toFixed(0)} % of ${count} images`;
      return `<figure>${await locationMap(values)}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
    }),
  );
  if (figures.length === 0) return "";
  const note =
    '<p class="faint">The lighter, the more of the images that show the aspect have it there. ' +
    "An aspect that is always at the same place may be found by its place alone.</p>";
  return `<h2>Where aspects are</h2>${note}<div class="maps">${figures.join("")}</div>`;
}

function faults({ faults: all }: DatasetReport): string {
  if (all.length === 0) return "";
  const errorsFirst = [...all].sort((a, b) => a.severity.localeCompare(b.severity));
  const items = errorsFirst.slice(0, SHOWN_FAULTS).map(({ severity, message }) => {
    const kind = severity === "error" ? ' class="bad"' : "";
    return `<li><b${kind}>${severity}</b> ${escapeHtml(message)}</li>`;
  });
  const more =
    all.length > SHOWN_FAULTS ? `<p class="faint">${all.length - SHOWN_FAULTS} more; --json lists all.</p>` : "";
  const list = (some: readonly string[]) => `<ul class="faults">${some.join("")}</ul>`;
  const [first, rest] = [items.slice(0, OPEN_FAULTS), items.slice(OPEN_FAULTS)];
  const folded = rest.length > 0 ? `<details><summary>${rest.length} more</summary>${list(rest)}${more}</details>` : "";
  return `<h2>Faults</h2>${list(first)}${folded}`;
}
