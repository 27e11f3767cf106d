/** What the answers of one class rely on, as bars, and in one sentence. */

import { percentText } from "../../explain/headline.js";
import { escapeHtml } from "../../pages/html-page.js";
import { quoted } from "../duck.js";
import { counted } from "../summary/counted.js";
import type { AspectCount, ClassCount } from "../summary.js";
import type { Galleries } from "./galleries.js";
import { className, plural, shareText } from "./percents.js";
import { type ShareRow, shareBars } from "./share-bars.js";

/** Aspects that are shown; the others are behind a click. */
const MOST_ROWS = 12;
/** From which share on the sentence names an aspect. */
const NAMED_FROM = 0.1;

export const BARS_KEY =
  '<p class="key faint"><span><i class="relevant"></i>relevant: the answer relied on it</span> ' +
  '<span><i class="present"></i>present at all</span> <span><i class="interval"></i>interval of 95 %</span></p>' +
  '<p class="faint">A click on a name shows images.</p>';

/** "relies on mitosis (93 %) and necrosis (40 %)". */
export function relianceText({ aspects, noKnownAspect, images, cases: { absence = 0 } }: ClassCount): string {
  const unseen = absence / images >= NAMED_FROM ? [`what is not seen (${percentText(absence / images)})`] : [];
  const named = sorted(aspects).filter(({ relevant }) => relevant.share >= NAMED_FROM);
  const words = named.slice(0, 3).map(({ aspect, relevant }) => `${aspect} (${shareText(relevant)})`);
  words.push(...unseen);
  if (words.length > 0) return `relies on ${words.join(", ")}${named.length > 3 ? " and others" : ""}`;
  return noKnownAspect.share >= 0.5 ? "relies on no known aspect" : "relies on no aspect in most images";
}

export async function classSection(count: ClassCount, windows: Galleries): Promise<string> {
  const { class: name, images, right } = count;
  const rows: ShareRow[] = [];
  const inClass = name === null ? "error IS NULL" : `images.predicted = ${quoted(name)}`;
  for (const { aspect, relevant, present, meanShare } of sorted(count.aspects)) {
    const title = `${className(name)} because of ${aspect}: ${plural(relevant.count, "image")}`;
    const gallery =
      relevant.count > 0 ? await windows.add(title, { where: inClass, aspect, list: "reasons.csv" }) : undefined;
    const evidence = meanShare === null ? "" : `, ${Math.round(100 * meanShare)} % of the evidence`;
    rows.push({ name: aspect, relevant, present, more: `, present in ${shareText(present)}${evidence}`, gallery });
  }
  const none = [
    [counted(count.cases.absence ?? 0, images), "what is not seen", "'absence'"],
    [count.noKnownAspect, "no known aspect", "'elsewhere', 'no-evidence', 'nothing-seen'"],
    [count.cannotBeSaid, "cannot be said", "'unreadable', 'blind', 'target-absent'"],
  ] as const;
  for (const [relevant, text, cases] of none) {
    if (relevant.count === 0) continue;
    const where = `${inClass} AND "case" IN (${cases})`;
    const title = `${className(name)}, ${text}: ${plural(relevant.count, "image")}`;
    rows.push({
      name: text,
      relevant,
      isNone: true,
      gallery: await windows.add(title, { where, list: "unexplained.csv" }),
    });
  }
  const [shown, hidden] = [
    rows.filter((row, index) => row.isNone || index < MOST_ROWS),
    rows.filter((row, index) => !row.isNone && index >= MOST_ROWS),
  ];
  const more =
    hidden.length > 0 ? `<details><summary>${hidden.length} more aspects</summary>${shareBars(hidden)}</details>` : "";
  const facts = [plural(images, "answer"), ...(right ? [`${shareText(right)} right`] : [])].join(", ");
  return (
    `<section><h3>${escapeHtml(className(name))} <span class="faint">${escapeHtml(relianceText(count))}; ${facts}</span></h3>` +
    `${shareBars(shown)}${more}</section>`
  );
}

function sorted(aspects: readonly AspectCount[]): AspectCount[] {
  return [...aspects].sort((a, b) => b.relevant.count - a.relevant.count || b.present.count - a.present.count);
}
