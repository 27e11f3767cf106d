/** One head on the page of a run: its curves, its confusion, and its best and worst images. */

import { sidesOf } from "../core/size.js";
import type { HeadReview, Outlines, ReviewedImage } from "../review/head-review.js";
import { type Chart, chart } from "./charts.js";
import { confusionTable } from "./confusion.js";
import { escapeHtml } from "./html-page.js";
import { EXPERT, HEAD, type Outline, type Thumbnails } from "./thumbnails.js";

/** Lines of one chart; of more classes the least precise are shown. */
const MOST_LINES = 8;

/** Tenths of the probability with fewer answers tell nothing and are left out. */
const LEAST_ANSWERS = 5;

/**
 * @param review of the head on the validation images.
 * @param options.locate from an image's path in the dataset to its file.
 */
export async function headSection(
  name: string,
  {
    kind,
    review,
    pictures,
    locate,
  }: { kind: string; review: HeadReview; pictures: Thumbnails; locate: (path: string) => string },
): Promise<string> {
  const drawn = async (images: readonly ReviewedImage[]) => {
    const figures: string[] = [];
    for (const { path, text, outlines } of images) {
      const caption = `${path.split("/").at(-1)}: ${text}`;
      figures.push(await pictures.figure(locate(path), { caption, outlines: outlinesOf(outlines) }));
    }
    return figures.join("\n");
  };
  // The worst first: if the page runs full, they matter most.
  const worst = await drawn(review.worst);
  const best = await drawn(review.best);
  const confusion = review.confusion ? await confusionOf(review, drawn) : "";
  const gallery = (title: string, figures: string) =>
    figures === "" ? "" : `<h4>${title}</h4><div class="thumbs">${figures}</div>`;
  const title = `${escapeHtml(name)} <span class="faint">${escapeHtml(kind)}</span>`;
  return `<section id="head-${encodeURIComponent(name)}"><h3>${title}</h3>
${confusion}<div class="grid">${chartsOf(name, review).map(chart).join("\n")}</div>
${gallery("Worst", worst)}${gallery("Best", best)}</section>`;
}

async function confusionOf(
  review: HeadReview,
  drawn: (images: readonly ReviewedImage[]) => Promise<string>,
): Promise<string> {
  const cells = review.confusion ?? [];
  const figures = new Map<string, string>();
  const places = cells.flatMap((row, truth) => row.map((_, answer) => ({ truth, answer })));
  // Mistakes first: if the page runs full, they matter most.
  places.sort((a, b) => Number(a.truth === a.answer) - Number(b.truth === b.answer));
  for (const { truth, answer } of places) figures.set(`${truth} ${answer}`, await drawn(cells[truth][answer].images));
  const classes = review.classes ?? [];
  const table = confusionTable(classes, cells, (truth, answer) => figures.get(`${truth} ${answer}`) ?? "");
  return `<p class="faint">A click on a number opens some of its images.</p>${table}`;
}

function chartsOf(name: string, { precision, reliability, pairs }: HeadReview): Chart[] {
  const curves = Object.entries(precision)
    .map(([name, values]) => ({ name, values, area: values.reduce((sum, value) => sum + value, 0) }))
    .sort((a, b) => a.area - b.area)
    .slice(0, MOST_LINES);
  const count = Object.keys(precision).length;
  const charts: Chart[] = [];
  if (curves.length > 0)
    charts.push({
      title: "Precision over recall",
      ...(count > MOST_LINES ? { note: `the ${MOST_LINES} lowest of ${count} classes` } : {}),
      xLabel: "recall",
      x: curves[0].values.map((_, at) => at / (curves[0].values.length - 1)),
      xRange: [0, 1],
      range: [0, 1],
      lines: curves.map(({ name, values }) => ({ name, values })),
    });
  const sure = reliability.filter(({ count }) => count >= LEAST_ANSWERS);
  if (sure.length > 0)
    charts.push({
      title: "Reliability",
      note: "of what is said with 80 %, 80 % should be right",
      xLabel: "probability said",
      x: [0, ...sure.map(({ said }) => said), 1],
      xRange: [0, 1],
      range: [0, 1],
      lines: [
        { name: "share right", values: [null, ...sure.map(({ cameTrue }) => cameTrue), null] },
        { name: "as it should be", isGuide: true, values: [0, ...sure.map(({ said }) => said), 1] },
      ],
    });
  if (pairs && pairs.length > 0) {
    const sorted = [...pairs].sort((a, b) => a[0] - b[0]);
    charts.push({
      title: "Answer against truth",
      xLabel: "true value",
      x: sorted.map(([truth]) => truth),
      range: [null, null],
      lines: [
        { name, isScatter: true, values: sorted.map(([, answer]) => answer) },
        { name: "as it should be", isGuide: true, values: sorted.map(([truth]) => truth) },
      ],
    });
  }
  return charts;
}

function outlinesOf(outlines: Outlines | undefined): Outline[] {
  if (!outlines) return [];
  if (outlines.kind === "boxes")
    return [
      { colour: EXPERT, boxes: outlines.expert },
      { colour: HEAD, boxes: outlines.head },
    ];
  const { size, expert, head } = outlines;
  return [
    { colour: EXPERT, grid: { ...sidesOf(size), values: expert } },
    { colour: HEAD, grid: { ...sidesOf(size), values: head } },
  ];
}
