/** The confusion of a classifier: cells shaded by their share of the row; a click opens some of the images. */

import type { ConfusionCell } from "../review/head-review.js";
import { escapeHtml } from "./html-page.js";

/** Classes shown; the matrix of more is in metrics.jsonl. */
export const MOST_CLASSES = 30;

/** Rules of the table and of its windows. */
export const CONFUSION_STYLE = `.confusion td,.confusion th{padding:.2rem .35rem;
text-align:center;border:1px solid var(--paper)}
.confusion thead th{white-space:normal;overflow-wrap:anywhere;max-width:8rem}
.confusion tbody th{text-align:right;font-weight:500}.confusion button{all:unset;cursor:pointer;min-width:2.6rem;
padding:.3rem;text-decoration:underline dotted;text-underline-offset:3px}
.confusion button:focus-visible{outline:2px solid var(--accent)}.confusion .right{font-weight:600}
[popover]{max-width:min(92vw,60rem);max-height:85vh;overflow:auto;border:1px solid var(--line);border-radius:8px;
background:var(--paper);color:var(--ink);padding:1rem;text-align:left}[popover]::backdrop{background:rgba(0,0,0,.45)}`;

/**
 * @param cells row the true class, column the answered one.
 * @param pictures markup of a cell's images; empty where none is shown.
 */
export function confusionTable(
  classes: readonly string[],
  cells: readonly (readonly ConfusionCell[])[],
  pictures: (truth: number, answer: number) => string,
): string {
  const shown = classes.slice(0, MOST_CLASSES);
  const windows: string[] = [];
  const rows = shown.map((name, truth) => {
    const total = cells[truth].reduce((sum, { count }) => sum + count, 0);
    const row = shown.map((other, answer) => {
      const { count } = cells[truth][answer];
      const share = total > 0 ? count / total : 0;
      const shade = count > 0 ? ` style="background:rgba(var(--shade),${(0.08 + 0.5 * share).toFixed(2)})"` : "";
      const kind = truth === answer ? ' class="right"' : "";
      const images = count > 0 ? pictures(truth, answer) : "";
      if (images === "") return `<td${kind}${shade}>${count > 0 ? count : '<span class="faint">·</span>'}</td>`;
      const id = `confusion-${truth}-${answer}`;
      const title = truth === answer ? `${name}, recognised` : `${name}, taken for ${other}`;
      windows.push(
        `<div popover id="${id}"><b>${escapeHtml(title)}: ${count}</b><div class="thumbs">${images}</div></div>`,
      );
      return `<td${kind}${shade}><button popovertarget="${id}" title="${escapeHtml(title)}">${count}</button></td>`;
    });
    const recall = total > 0 ? `${((100 * cells[truth][truth].count) / total).toFixed(0)} %` : "–";
    return `<tr><th>${escapeHtml(name)}</th>${row.join("")}<td class="faint">${recall}</td></tr>`;
  });
  const head = shown.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const more =
    classes.length > MOST_CLASSES ? `<p class="faint">The first ${MOST_CLASSES} of ${classes.length} classes.</p>` : "";
  return (
    `<table class="confusion"><thead><tr><th>true ↓ answered →</th>${head}<th>recall</th></tr></thead>` +
    `<tbody>${rows.join("\n")}</tbody></table>${more}${windows.join("\n")}`
  );
}
