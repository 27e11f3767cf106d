/** Bars of shares as markup: how often an aspect is relevant, with its interval, over how often it is present. */

import { escapeHtml } from "../../pages/html-page.js";
import type { Counted } from "../summary.js";
import { intervalText, shareText } from "./percents.js";

/** Rules of the bars; on narrow screens the name stands above its bar. */
export const SHARE_BARS_STYLE = `.shares{display:grid;grid-template-columns:minmax(9rem,max-content) minmax(8rem,1fr) max-content;
gap:.3rem .8rem;align-items:center;margin:.6rem 0 1rem;font-variant-numeric:tabular-nums;max-width:60rem}
.shares .name{overflow-wrap:anywhere;max-width:18rem}.shares button,.opens{all:unset;cursor:pointer;color:var(--accent);
text-decoration:underline dotted;text-underline-offset:3px}.shares button:focus-visible,.opens:focus-visible{outline:2px solid var(--accent)}
.track{position:relative;height:1.05rem;background:var(--panel);border-radius:2px}
.track i{position:absolute;top:0;bottom:0;left:0;border-radius:2px}.track .present{background:rgba(var(--shade),.28)}
.track .relevant{background:var(--accent)}.track .other{background:var(--faint)}
.track .interval{top:calc(50% - 1px);bottom:auto;height:2px;background:var(--ink);border-radius:0}
.track .interval::before,.track .interval::after{content:"";position:absolute;top:-3px;height:8px;width:2px;background:var(--ink)}
.track .interval::before{left:0}.track .interval::after{right:0}
.shares .none .track .relevant{background:var(--faint)}.shares .value b{font-weight:600}
.shares .value{white-space:nowrap}.twin .track{height:.7rem;margin:1px 0}
.key{max-width:none}.key span{white-space:nowrap;margin-right:1rem}.key i{display:inline-block;width:1.4rem;height:.7rem;border-radius:2px;vertical-align:-1px;margin:0 .3rem 0 0}
.key .present{background:rgba(var(--shade),.28)}.key .relevant{background:var(--accent)}.key .other{background:var(--faint)}
.key .interval{height:2px;background:var(--ink);vertical-align:4px}
@media (max-width:560px){.shares{grid-template-columns:1fr max-content;gap:.1rem .6rem}.shares .name{grid-column:1/-1;max-width:none;margin-top:.3rem}
.shares .value .more{display:none}}`;

/** One row of `shareBars`. */
export interface ShareRow {
  readonly name: string;
  readonly relevant: Counted;
  readonly present?: Counted;
  /** Drawn in grey: what is none of the model's aspects. */
  readonly isNone?: boolean;
  /** Behind the number, as markup. */
  readonly more?: string;
  /** Of the window that a click opens. */
  readonly gallery?: string;
}

export function shareBars(rows: readonly ShareRow[]): string {
  const cells = rows.map(({ name, relevant, present, isNone, more = "", gallery }) => {
    const label = gallery
      ? `<button popovertarget="${gallery}">${escapeHtml(name)}</button>`
      : `<span>${escapeHtml(name)}</span>`;
    const light = present ? part("present", 0, present.share) : "";
    const words = `${shareText(relevant)} (${intervalText(relevant)})`;
    return (
      `<div class="name">${label}</div><div class="${isNone ? "none" : ""}"><div class="track" title="${escapeHtml(words)}">` +
      `${light}${part("relevant", 0, relevant.share)}${interval(relevant)}</div></div>` +
      `<div class="value"><b>${shareText(relevant)}</b> <span class="faint">${intervalText(relevant)}` +
      `<span class="more">${more}</span></span></div>`
    );
  });
  return `<div class="shares">${cells.join("")}</div>`;
}

/** Two bars a row: what is looked at, and what it is compared with. */
export function twinBars(
  rows: readonly { name: string; here: Counted; there: Counted; more: string; gallery?: string }[],
): string {
  const cells = rows.map(({ name, here, there, more, gallery }) => {
    const label = gallery
      ? `<button popovertarget="${gallery}">${escapeHtml(name)}</button>`
      : `<span>${escapeHtml(name)}</span>`;
    return (
      `<div class="name">${label}</div><div class="twin"><div class="track">${part("relevant", 0, here.share)}${interval(here)}</div>` +
      `<div class="track">${part("other", 0, there.share)}${interval(there)}</div></div>` +
      `<div class="value"><b>${shareText(here)}</b> <span class="faint">beside ${shareText(there)}` +
      `<span class="more">${more}</span></span></div>`
    );
  });
  return `<div class="shares">${cells.join("")}</div>`;
}

function part(kind: string, from: number, share: number): string {
  return `<i class="${kind}" style="left:${percent(from)};width:${percent(share)}"></i>`;
}

function interval({ interval: [low, high] }: Counted): string {
  return part("interval", low, high - low);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
