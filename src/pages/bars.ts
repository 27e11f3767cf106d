/** Bars of counts as markup: no script, and the numbers stand beside them. */

import type { StateCounts } from "../dataset/dataset-summary.js";
import { escapeHtml } from "./html-page.js";

/** Rules of bars. */
export const BARS_STYLE = `.bars{display:grid;grid-template-columns:minmax(3rem,max-content) 1fr max-content;
gap:.15rem .6rem;align-items:center;margin:.4rem 0;font-variant-numeric:tabular-nums}
.bars i{display:block;height:.75rem;background:var(--accent);border-radius:2px;min-width:1px}
.bars span{overflow-wrap:anywhere}.stack{display:flex;height:.75rem;width:10rem;border-radius:2px;overflow:hidden;
background:var(--line)}.stack i{display:block;height:100%}.stack .labelled{background:var(--accent)}
.stack .empty{background:rgba(var(--shade),.45)}`;

/** A row for each name, as long as its share of the largest count. */
export function bars(rows: readonly (readonly [name: string, count: number])[]): string {
  const largest = Math.max(1, ...rows.map(([, count]) => count));
  const cells = rows.map(
    ([name, count]) =>
      `<span>${escapeHtml(name)}</span><i style="width:${((100 * count) / largest).toFixed(1)}%"></i>` +
      `<span>${count.toLocaleString("en")}</span>`,
  );
  return `<div class="bars">${cells.join("")}</div>`;
}

/** One bar of labelled, empty and unlabelled samples. */
export function stateBar({ labelled, empty, unlabelled }: StateCounts): string {
  const all = Math.max(1, labelled + empty + unlabelled);
  const part = (name: string, count: number) => `<i class="${name}" style="width:${(100 * count) / all}%"></i>`;
  return `<div class="stack">${part("labelled", labelled)}${part("empty", empty)}</div>`;
}
