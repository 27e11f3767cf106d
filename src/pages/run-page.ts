/** `run.html` of a run folder: while it trains its curves and its configuration, at the end also every head in full. */

import { leafText, leavesOf } from "../core/leaves.js";
import { metricNumbers, metricText } from "../core/metric-numbers.js";
import { ownValue } from "../core/own-value.js";
import { sizeKey } from "../core/size.js";
import { adviceFor, blindHeads, headScore, isUntaught } from "../review/advice.js";
import { bestIndex, type HeadFacts, type RunFacts } from "../review/run-facts.js";
import { chartParts } from "./charts.js";
import { CONFUSION_STYLE } from "./confusion.js";
import { headSection } from "./head-section.js";
import { escapeHtml, htmlPage } from "./html-page.js";
import { type Cell, htmlTable } from "./html-table.js";
import { runCurves } from "./run-curves.js";
import { EXPERT, HEAD, thumbnails } from "./thumbnails.js";

const STYLE = `.score{white-space:nowrap}h4{margin:.8rem 0 .2rem;font-size:.9rem}.key{display:inline-block;
width:.9em;height:.9em;border-radius:2px;
vertical-align:-.1em}ul.advice{padding-left:1.2rem;margin:.4rem 0}ul.advice li{margin:.3rem 0;max-width:85ch}
.meter{display:inline-block;width:5.5rem;height:.55rem;background:var(--line);border-radius:3px;position:relative;
vertical-align:.05em;margin-right:.5rem}.meter i{position:absolute;inset:0 auto 0 0;background:var(--accent);
border-radius:3px}.meter u{position:absolute;top:-.2rem;bottom:-.2rem;width:2px;background:var(--ink)}`;

/**
 * @param run what is known of the run so far.
 * @param options.locate from an image's path in the dataset to its file; needed for pictures.
 * @returns a page that loads nothing.
 */
export async function runPage(
  run: RunFacts,
  { locate = (path) => path }: { locate?: (path: string) => string } = {},
): Promise<string> {
  const pictures = thumbnails();
  const { style, script } = await chartParts();
  const sections: string[] = [];
  for (const { name, kind } of run.heads) {
    const review = ownValue(run.reviews ?? {}, name);
    if (review) sections.push(await headSection(name, { kind, review, pictures, locate }));
  }
  const body = [
    summary(run),
    problems(run),
    headsTable(run),
    "<h2>Curves</h2>",
    runCurves(run),
    nextSteps(run),
    sections.length > 0
      ? `<h2>Heads on the validation images</h2>${legend(pictures.leftOut)}${sections.join("\n")}`
      : "",
    configuration(run),
    origins(run),
    script,
  ];
  return htmlPage(run.title, body.filter((part) => part !== "").join("\n"), {
    generator: "aspectlens train",
    style: style + CONFUSION_STYLE + STYLE,
  });
}

function summary(run: RunFacts): string {
  const { history, stages, score } = run;
  const planned = stages.reduce((sum, { epochs }) => sum + epochs, 0);
  const best = history[bestIndex(run)];
  const facts = [
    ["score of the best epoch", metricText(best?.score ?? null)],
    ["best epoch", best ? `${bestIndex(run) + 1} of ${history.length}` : "–"],
    ["planned", `${planned} epochs, ${stages.length} ${stages.length === 1 ? "stage" : "stages"}`],
    ...(run.dataset
      ? [[`images, ${Object.keys(run.dataset.counts).join(" + ")}`, Object.values(run.dataset.counts).join(" + ")]]
      : []),
    ["input", `${sizeKey(run.inputSize)} px`],
  ];
  const what = score === "mean" ? "mean of all trained heads" : score;
  const boxes = facts.map(
    ([name, value]) => `<div><span class="faint">${name}</span><b>${escapeHtml(value)}</b></div>`,
  );
  const state = run.reviews
    ? ""
    : '<p class="note plain">Still training, or stopped: curves so far. The rest comes at the end.</p>';
  const part = run.part
    ? `<p class="note">Trained on ${run.part.train} of ${run.part.of} training images. ` +
      "Train in full before you judge it.</p>"
    : "";
  const meaning = `<p class="faint">The score is the ${escapeHtml(what)} on the validation images.</p>`;
  return `${meaning}${part}${state}<div class="facts">${boxes.join("")}</div>`;
}

/** Heads that see nothing are named first. */
function problems(run: RunFacts): string {
  const blind = blindHeads(run).map(
    ({ name, why }) => `<p><b class="bad">${escapeHtml(name)}</b> is not seen: ${why}. Do not rely on it.</p>`,
  );
  const warnings = (run.warnings ?? []).map((text) => `<p>${escapeHtml(text)}</p>`);
  return [blind, warnings]
    .filter((list) => list.length > 0)
    .map((list) => `<div class="note">${list.join("")}</div>`)
    .join("");
}

function headsTable(run: RunFacts): string {
  const best = run.history[bestIndex(run)];
  if (!best?.validation) return "";
  const blind = new Set(blindHeads(run).map(({ name }) => name));
  const rows = run.heads.map((head): Cell[] => {
    const { name, kind, labels } = head;
    const metrics = (ownValue(best.validation ?? {}, name) ?? {}) as { count?: number };
    const score = headScore(run, name);
    const constant = ownValue(run.reviews ?? {}, name)?.constant ?? null;
    const numbers = metricNumbers(metrics).map(
      ([key, value]) => `${key} ${metricText(value, key)}${intervalText(metrics, key)}`,
    );
    const title =
      run.reviews && ownValue(run.reviews, name)
        ? `<a href="#head-${encodeURIComponent(name)}">${escapeHtml(name)}</a>`
        : escapeHtml(name);
    return [
      { html: blind.has(name) ? `<span class="bad">${title}</span>` : title },
      kind,
      { html: isUntaught(head) ? '<span class="bad">not trained</span>' : meter(score, constant) },
      constant === null ? "–" : constant.toFixed(3),
      labels ? labelsText(kind, labels) : "–",
      String(metrics.count ?? 0),
      numbers.join(", "),
    ];
  });
  const header = ["head", "kind", "score", "constant answer", "training labels", "validation images", "metrics"];
  return `<h2>Best epoch, validation</h2>${htmlTable(header, rows)}`;
}

function labelsText(kind: string, { labelled, empty, unlabelled }: NonNullable<HeadFacts["labels"]>): string {
  const none = unlabelled > 0 ? `, ${unlabelled} unlabelled` : "";
  return kind === "classifier" ? `${labelled + empty}${none}` : `${labelled} show it, ${empty} do not${none}`;
}

/** A bar with a tick at what a constant answer reaches. */
function meter(score: number | null, constant: number | null): string {
  if (score === null) return '<span class="faint">not evaluated</span>';
  const part = (share: number) => `${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`;
  const tick = constant === null ? "" : `<u style="left:${part(constant)}"></u>`;
  const bar = `<span class="meter"><i style="width:${part(score)}"></i>${tick}</span>`;
  return `<span class="score">${bar}${score.toFixed(3)}</span>`;
}

/** ` [0.91, 0.97]` where the metrics have an interval of this number. */
function intervalText(metrics: object, key: string): string {
  const intervals: unknown = "intervals" in metrics ? metrics.intervals : undefined;
  if (typeof intervals !== "object" || intervals === null) return "";
  const own: unknown = ownValue(intervals as Readonly<Record<string, unknown>>, key);
  const isPair = Array.isArray(own) && own.length === 2 && own.every((end) => typeof end === "number");
  return isPair ? ` [${own.map((end: number) => end.toFixed(3)).join(", ")}]` : "";
}

function nextSteps(run: RunFacts): string {
  if (!run.reviews) return "";
  const items = adviceFor(run).map(
    ({ head, text }) => `<li>${head === undefined ? "" : `<b>${escapeHtml(head)}</b> `}${escapeHtml(text)}</li>`,
  );
  const list = items.length > 0 ? `<ul class="advice">${items.join("")}</ul>` : "<p>Nothing stands out.</p>";
  return `<h2>What to try next</h2>${list}`;
}

function legend(leftOut: number): string {
  const key = (colour: readonly number[], text: string) =>
    `<span class="key" style="background:rgb(${colour.join(",")})"></span> ${text}`;
  const more = leftOut > 0 ? ` ${leftOut} more pictures found no room on this page.` : "";
  const keys = [key(EXPERT, "the experts' labels"), key(HEAD, "the head's answers")].join(" &nbsp; ");
  return `<p>${keys} &nbsp; <span class="faint">drawn where the aspect has a place.${more}</span></p>`;
}

function configuration({ config, reasons = {} }: RunFacts): string {
  const isExplained = Object.keys(reasons).length > 0;
  const rows = leavesOf(config).map(([key, value]): Cell[] => [
    { html: `<code>${escapeHtml(key)}</code>` },
    leafText(value),
    ...(isExplained ? [ownValue(reasons, key) ?? ""] : []),
  ]);
  const header = ["key", "value", ...(isExplained ? ["why"] : [])];
  const summary = `<summary>${rows.length} values, every default written out</summary>`;
  const open = isExplained ? " open" : "";
  return `<h2>Configuration</h2><details${open}>${summary}${htmlTable(header, rows)}</details>`;
}

function origins({ dataset, machine = {} }: RunFacts): string {
  const rows = [
    ...(dataset
      ? [
          ["dataset", dataset.name],
          ["dataset hash", dataset.hash],
          [
            "images",
            Object.entries(dataset.counts)
              .map(([split, count]) => `${split} ${count}`)
              .join(", "),
          ],
        ]
      : []),
    ...Object.entries(machine),
  ];
  return rows.length > 0 ? `<h2>Data and machine</h2>${htmlTable(["", ""], rows)}` : "";
}
