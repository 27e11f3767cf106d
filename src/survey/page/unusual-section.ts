/** The images that are unusual for their answer: overlays of the most unusual ones, and what they resemble. */

import sharp from "sharp";
import type { Explainer } from "../../bundle/explainer.js";
import { InputError } from "../../core/errors.js";
import { escapeHtml } from "../../pages/html-page.js";
import { renderOverlay } from "../../pictures/overlay.js";
import type { Duck } from "../duck.js";
import type { ReportPlan } from "../plan.js";
import { fileOf } from "../planned-path.js";
import { similarImages } from "../similar-images.js";
import type { ReportSummary, UnusualImage } from "../summary.js";
import { className, plural } from "./percents.js";

const MOST_SHOWN = 24;
const SIMILAR = 3;
/** Of a picture in the page, pixels. */
const WIDTH = 900;
const QUALITY = 68;

/** Rules of the overlays. */
export const UNUSUAL_STYLE = `.overlays{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,27rem),1fr));gap:1rem}
.overlays figure{margin:0}.overlays img{display:block;width:100%;height:auto;border-radius:3px}
.overlays figcaption{font-size:13px;line-height:1.4;overflow-wrap:anywhere}`;

export async function unusualSection(
  duck: Duck,
  { unusual }: ReportSummary,
  { plan, root, explainer }: { plan: ReportPlan; root: string; explainer?: Pick<Explainer, "explain"> },
): Promise<string> {
  const { classes, images, leastImages } = unusual;
  const judged = classes.filter(({ isJudged }) => isJudged);
  const left = classes.filter(({ isJudged }) => !isJudged).map((one) => className(one.class));
  const few = left.length > 0 ? ` Not judged, with fewer than ${leastImages} images: ${left.join(", ")}.` : "";
  const heading = "<h2>Unusual combinations</h2>";
  if (judged.length === 0)
    return `${heading}<p class="faint">No class has the ${leastImages} images that it takes to tell what is usual.</p>`;
  const counts = judged.map(
    (one) => `${one.unusual} of ${plural(one.images, className(one.class), className(one.class))}`,
  );
  const text =
    `Images whose aspects, present and relevant, come together as in at most 1 of 200 others of the same answer: ` +
    `${counts.join(", ")}.${few}`;
  const figures: string[] = [];
  for (const one of images.slice(0, MOST_SHOWN)) figures.push(await figure(duck, one, { plan, root, explainer }));
  const all = '<p class="faint">All of them: <a href="unusual.csv">unusual.csv</a>.</p>';
  return `${heading}<p>${escapeHtml(text)}</p><div class="overlays">${figures.join("\n")}</div>${all}`;
}

async function figure(
  duck: Duck,
  { image, path, class: name, p, aspect }: UnusualImage,
  { plan, root, explainer }: { plan: ReportPlan; root: string; explainer?: Pick<Explainer, "explain"> },
): Promise<string> {
  const alike = await similarImages(duck, image, { count: SIMILAR });
  const names = alike.map((one) => one.path.split("/").at(-1)).join(", ");
  const rarity = p === 0 ? "no other is as unusual" : `${(100 * p).toFixed(2)} % of the others are as unusual`;
  const caption =
    `<b>${escapeHtml(path.split("/").at(-1) ?? path)}</b>, ${escapeHtml(className(name))}: ` +
    `${aspect === null ? "" : `unusual by <b>${escapeHtml(aspect)}</b>, `}${rarity}. ` +
    `<span class="faint">Nearest in its reasons: ${escapeHtml(names)}.</span>`;
  const picture = explainer ? await overlay(() => fileOf({ path }, { plan, root }), explainer) : null;
  const img = picture
    ? `<img src="data:image/jpeg;base64,${picture.toString("base64")}" loading="lazy" alt="">`
    : '<p class="faint">(not to be read now)</p>';
  return `<figure>${img}<figcaption>${caption}</figcaption></figure>`;
}

/** Nothing where the image cannot be read any more. */
async function overlay(find: () => string, explainer: Pick<Explainer, "explain">): Promise<Buffer | null> {
  try {
    const file = find();
    const explained = await explainer.explain(file);
    const { width, height } = explained;
    const jpeg = await renderOverlay(explained, file, { shape: { width, height } });
    return await sharp(jpeg).resize({ width: WIDTH, withoutEnlargement: true }).jpeg({ quality: QUALITY }).toBuffer();
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
