/** What is otherwise than in another report. */

import type { Crop } from "../../core/augmented-view.js";
import { escapeHtml } from "../../pages/html-page.js";
import { type Duck, quoted } from "../duck.js";
import type { ReportSummary } from "../summary.js";
import type { Galleries } from "./galleries.js";
import { plural, shareText, testText } from "./percents.js";
import { twinBars } from "./share-bars.js";

const MOST_DIFFERENCES = 16;
const MOST_CHANGES = 24;

export async function driftSection(
  duck: Duck,
  { against, bundle }: ReportSummary,
  windows: Galleries,
): Promise<string> {
  if (!against) return "";
  const { bundle: other, imageSet, isPaired, images, changedAnswers, differences, tests, changes } = against;
  const rows: Parameters<typeof twinBars>[0][number][] = [];
  for (const { class: name, aspect, here, there, q } of differences.slice(0, MOST_DIFFERENCES)) {
    const where = name === null ? "error IS NULL" : `images.predicted = ${quoted(name)}`;
    const title = `${name ?? "any answer"} because of ${aspect}`;
    const gallery = here.count > 0 ? await windows.add(title, { where, aspect, list: "reasons.csv" }) : undefined;
    rows.push({ name: title, here, there, more: `, q ${testText(q)}`, gallery });
  }
  const same =
    other.sha256 === bundle.sha256 ? "the same bundle" : `bundle ${other.name} (${other.sha256.slice(0, 8)})`;
  const what = isPaired
    ? `${same} on the same images: ${plural(images, "image")} compared with themselves, ${changedAnswers ? shareText(changedAnswers) : "0 %"} answered otherwise.`
    : `${same} on other images: ${plural(images, "image")} of ${imageSet}.`;
  const said =
    rows.length > 0
      ? `<p class="key faint"><i class="relevant"></i>relevant in this report <i class="other"></i>in the other. ` +
        `${plural(differences.length, "difference")} of ${plural(tests, "comparison")}, of which 5 % at most are expected to be chance.</p>${twinBars(rows)}`
      : `<p>No difference is beyond chance, in ${plural(tests, "comparison")}.</p>`;
  return `<h2>Beside another report</h2><p>${escapeHtml(what)}</p>${said}${await changedImages(duck, changes, windows)}`;
}

async function changedImages(
  duck: Duck,
  changes: NonNullable<ReportSummary["against"]>["changes"],
  windows: Galleries,
): Promise<string> {
  const most = changes.filter(({ moved }) => moved > 0).slice(0, MOST_CHANGES);
  if (most.length === 0) return "";
  const crops = new Map(
    (
      await duck.rows(`SELECT image, crop FROM images WHERE image IN (${most.map(({ image }) => image).join(", ")})`)
    ).map(({ image, crop }) => [image, crop as Crop | null]),
  );
  const shown = most.map(({ image, path, moved, here, there }) => ({
    ...{ image, path, crop: crops.get(image) ?? null },
    caption:
      `${path.split("/").at(-1)}: ${Math.round(100 * moved)} % of the evidence moved` +
      (here === there ? "" : `, ${there} before, ${here} now`),
  }));
  const all = `<p class="faint">All images: <a href="changes.csv">changes.csv</a>.</p>`;
  return `<h3>Images whose reasons changed most</h3>${windows.shown(shown)}${all}`;
}
