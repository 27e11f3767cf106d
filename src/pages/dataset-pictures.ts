/** The images of a dataset that a reader should look at: look-alikes, odd ones, and suspicious annotations drawn. */

import type { Manifest } from "../dataset/manifest.js";
import { toWholeMask } from "../dataset/mask.js";
import { locate } from "../dataset/paths.js";
import { readRaster } from "../dataset/raster.js";
import type { SampleRecord } from "../dataset/record.js";
import type { Survey } from "../dataset/survey/survey.js";
import type { SuspiciousLabel } from "../dataset/survey/suspicious-labels.js";
import { EXPERT, type Outline, type Thumbnails, thumbnails } from "./thumbnails.js";

/** Shown of each sort. */
const PAIRS = 24;
const ODD = 42;
/** Side at which the outline of a mask is drawn, pixels. */
const MASK_SIDE = 128;

interface Source {
  readonly directory: string;
  readonly manifest: Manifest;
  /** By line. */
  readonly records: ReadonlyMap<number, SampleRecord>;
}

/** @returns markup of bounded size, which says what it left out. */
export async function datasetPictures(survey: Survey, source: Source): Promise<string> {
  const pictures = thumbnails({ most: 200, mostBytes: 4e6 });
  const sections = [
    await pairSection(survey, source, pictures),
    await suspiciousSection(survey, source, pictures),
    await oddSection(survey, source, pictures),
  ];
  const { leftOut } = pictures;
  const more = leftOut > 0 ? `<p class="faint">${leftOut} more pictures found no room on this page.</p>` : "";
  return sections.join("") + more;
}

async function pairSection({ duplicates }: Survey, source: Source, pictures: Thumbnails): Promise<string> {
  const { pairs, acrossCount } = duplicates;
  if (pairs.length === 0) return "";
  const shown: string[] = [];
  for (const { first, second } of pairs.slice(0, PAIRS)) {
    const figures: string[] = [];
    for (const { line, split } of [first, second]) figures.push(await figureOf(line, split, { source, pictures }));
    shown.push(`<div class="pair">${figures.join("")}</div>`);
  }
  const words =
    acrossCount > 0
      ? `${acrossCount} images look like one in another split: results will look better than they are.`
      : "All within one split: they count twice, but give nothing away.";
  const more = leftOutText(pairs.length, PAIRS, "pairs");
  return `<h2>Images that look the same</h2><p>${words} ${more}</p><div class="thumbs">${shown.join("")}</div>`;
}

async function oddSection({ oddImages }: Survey, source: Source, pictures: Thumbnails): Promise<string> {
  if (oddImages.length === 0) return "";
  const figures: string[] = [];
  for (const { line, text } of oddImages.slice(0, ODD)) figures.push(await figureOf(line, text, { source, pictures }));
  const more = leftOutText(oddImages.length, ODD, "images");
  return `<h2>Odd images</h2><p>${more}</p><div class="thumbs">${figures.join("")}</div>`;
}

async function suspiciousSection({ suspicious }: Survey, source: Source, pictures: Thumbnails): Promise<string> {
  if (suspicious.count === 0) return "";
  const figures: string[] = [];
  for (const label of suspicious.shown) {
    const outlines = await outlinesOf(label, source).catch(() => []);
    figures.push(await figureOf(label.line, `${label.aspect}: ${label.text}`, { source, pictures, outlines }));
  }
  const more = leftOutText(suspicious.count, suspicious.shown.length, "annotations");
  return `<h2>Annotations that look like mistakes</h2><p>${more}</p><div class="thumbs">${figures.join("")}</div>`;
}

function leftOutText(count: number, shown: number, what: string): string {
  return count > shown ? `${shown} of ${count} ${what} are shown.` : "";
}

async function figureOf(
  line: number,
  text: string,
  { source, pictures, outlines }: { source: Source; pictures: Thumbnails; outlines?: readonly Outline[] },
): Promise<string> {
  const record = source.records.get(line);
  if (!record) return "";
  const caption = `line ${line}, ${record.image.split("/").at(-1)}: ${text}`;
  return pictures.figure(locate(source, record.image), { caption, outlines });
}

async function outlinesOf({ line, aspect, boxes }: SuspiciousLabel, source: Source): Promise<Outline[]> {
  if (boxes) return [{ colour: EXPERT, boxes }];
  const { mask, values, ignore } = source.records.get(line)?.aspects[aspect] ?? {};
  if (typeof mask !== "string") return [];
  const path = locate(source, mask);
  const shares = toWholeMask(await readRaster(path), { size: MASK_SIDE, values, ignore, path });
  return [{ colour: EXPERT, grid: { width: MASK_SIDE, height: MASK_SIDE, values: shares } }];
}
