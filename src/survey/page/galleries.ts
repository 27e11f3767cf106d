/** Windows of thumbnails behind the bars of the page; each picture stands in the page once, whatever shows it. */

import sharp from "sharp";
import type { Crop } from "../../core/augmented-view.js";
import type { Box } from "../../core/box.js";
import { openImage } from "../../dataset/open-image.js";
import { escapeHtml, scriptJson } from "../../pages/html-page.js";
import type { Duck } from "../duck.js";
import type { ReportPlan } from "../plan.js";
import { fileOf } from "../planned-path.js";

/** Rules of the windows. */
export const GALLERIES_STYLE = `[popover]{width:min(94vw,64rem);max-height:86vh;overflow:auto;border:1px solid var(--line);border-radius:8px;
background:var(--paper);color:var(--ink);padding:1rem;text-align:left}[popover]::backdrop{background:rgba(0,0,0,.45)}
[popover] .close{all:unset;float:right;cursor:pointer;padding:0 .5rem;font-size:1.2rem}
.thumbs .picture{position:relative;display:block;line-height:0;background:var(--panel);min-height:3rem}
.thumbs .picture img{border:0}.thumbs .picture i{position:absolute;border:2px solid #e69f00;box-shadow:0 0 0 1px rgba(0,0,0,.6);border-radius:2px}`;

/** Fills a window when it is opened, from the pictures at the end of the page. */
export const GALLERIES_SCRIPT = `(() => {
const pictures = JSON.parse(document.getElementById("pictures").textContent);
const fill = (root) => { for (const img of root.querySelectorAll("img[data-picture]")) {
  const data = pictures[img.dataset.picture];
  if (data) img.src = "data:image/jpeg;base64," + data; img.removeAttribute("data-picture"); } };
for (const window of document.querySelectorAll("[popover]"))
  window.addEventListener("beforetoggle", (event) => { if (event.newState === "open") fill(window); });
for (const shown of document.querySelectorAll(".thumbs.open")) fill(shown);
})()`;

/** Pictures of a window, at most; and of all windows together. */
const MOST_SHOWN = 24;
const MOST_PICTURES = 900;
const MOST_BYTES = 9e6;
/** Longer side, pixels. */
const SIDE = 240;
const QUALITY = 70;

/** One image of a window. */
interface Shown {
  readonly image: number;
  readonly path: string;
  readonly caption: string;
  readonly boxes: readonly Box[];
  /** What the model saw of it; all where it is `null`. */
  readonly crop: Crop | null;
}

export interface Galleries {
  /**
   * @param options.where a condition of SQL over `images`.
   * @param options.aspect whose places are framed, and whose share is told.
   * @param options.list file with all names.
   * @returns the id of the window; nothing where no image is meant, or the page has windows enough.
   */
  add(title: string, options: { where: string; aspect?: string; list: string }): Promise<string | undefined>;
  /** Figures that are shown at once, in the order given. */
  shown(images: readonly Omit<Shown, "boxes">[]): string;
  /** All windows and pictures, for the end of the page. */
  markup(onDone?: (done: number, count: number) => void): Promise<string>;
}

/** @param options.windows how many there will be, about, so that each gets its part of the pictures. */
export function galleries(
  duck: Duck,
  { plan, root, windows }: { plan: ReportPlan; root: string; windows: number },
): Galleries {
  const most = Math.max(3, Math.min(MOST_SHOWN, Math.floor(MOST_PICTURES / Math.max(1, windows))));
  const bodies: string[] = [];
  const wanted = new Map<number, Pick<Shown, "path" | "crop">>();
  return {
    async add(title, { where, aspect, list }) {
      if (bodies.length * most >= 2 * MOST_PICTURES) return undefined;
      const found = await imagesOf(duck, { where, aspect, most });
      if (found.length === 0) return undefined;
      for (const { image, path, crop } of found) wanted.set(image, { path, crop });
      const id = `images-${bodies.length}`;
      const all = `<a href="${encodeURI(list)}">all in ${escapeHtml(list)}</a>`;
      bodies.push(
        `<div popover id="${id}"><button class="close" popovertarget="${id}" aria-label="close">×</button>` +
          `<b>${escapeHtml(title)}</b> <span class="faint">${found.length} shown, ${all}</span>` +
          `<div class="thumbs">${found.map(figure).join("")}</div></div>`,
      );
      return id;
    },
    shown(images) {
      for (const { image, path, crop } of images) wanted.set(image, { path, crop });
      const figures = images.map((one) => figure({ ...one, boxes: [] }));
      return `<div class="thumbs open">${figures.join("")}</div>`;
    },
    async markup(onDone) {
      const pictures: Record<string, string> = {};
      let bytes = 0;
      let done = 0;
      for (const [image, { path, crop }] of wanted) {
        onDone?.(++done, wanted.size);
        if (bytes >= MOST_BYTES) break;
        const jpeg = await thumbnail(() => fileOf({ path }, { plan, root }), crop).catch(() => null);
        if (!jpeg) continue;
        bytes += jpeg.length;
        pictures[image] = jpeg.toString("base64");
      }
      const data = `<script type="application/json" id="pictures">${scriptJson(pictures)}</script>`;
      return `${bodies.join("\n")}\n${data}\n<script>${GALLERIES_SCRIPT}</script>`;
    },
  };
}

/** Those with the largest share of the aspect first, else the surest answers. */
async function imagesOf(
  duck: Duck,
  { where, aspect, most }: { where: string; aspect?: string; most: number },
): Promise<Shown[]> {
  const rows =
    aspect === undefined
      ? await duck.rows(`SELECT *, NULL AS share FROM images WHERE ${where} ORDER BY score DESC, image LIMIT ${most}`)
      : await duck.rows(
          `SELECT images.*, aspects.share AS share FROM images JOIN aspects USING (image)
           WHERE aspects.name = $1 AND aspects.isRelevant AND ${where} ORDER BY aspects.share DESC, image LIMIT ${most}`,
          [aspect],
        );
  const numbers = rows.map(({ image }) => image as number);
  const boxes = new Map<number, Box[]>();
  if (aspect !== undefined && numbers.length > 0) {
    const found = await duck.rows(
      `SELECT image, yMin, xMin, yMax, xMax FROM instances WHERE name = $1 AND image IN (${numbers.join(", ")})`,
      [aspect],
    );
    for (const { image, yMin, xMin, yMax, xMax } of found)
      boxes.set(image as number, [...(boxes.get(image as number) ?? []), [yMin, xMin, yMax, xMax] as Box]);
  }
  return rows.map((row) => ({
    ...{ image: row.image as number, path: row.path as string },
    caption: captionOf(row),
    boxes: boxes.get(row.image as number) ?? [],
    crop: row.crop as Crop | null,
  }));
}

function captionOf({ path, label, labels, predicted, share }: Readonly<Record<string, unknown>>): string {
  const truth = Array.isArray(labels) ? labels.join(", ") : (label as string | null);
  const parts = [
    String(path).split("/").at(-1) ?? "",
    ...(typeof share === "number" ? [`${Math.round(100 * share)} % of the evidence`] : []),
    ...(truth !== null && truth !== predicted ? [`answered ${predicted}, in truth ${truth}`] : []),
  ];
  return parts.join(", ");
}

function figure({ image, caption, boxes }: Pick<Shown, "image" | "caption" | "boxes">): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  const frames = boxes.map(
    ([yMin, xMin, yMax, xMax]) =>
      `<i style="left:${percent(xMin)};top:${percent(yMin)};width:${percent(xMax - xMin)};height:${percent(yMax - yMin)}"></i>`,
  );
  const picture = `<span class="picture"><img data-picture="${image}" alt="">${frames.join("")}</span>`;
  return `<figure>${picture}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

/** In its own proportions; very long ones at a third of their length at least. */
async function thumbnail(find: () => string, crop: Crop | null): Promise<Buffer> {
  const image = await openImage(find());
  const seen = crop ?? image;
  const scale = SIDE / Math.max(seen.width, seen.height);
  const [width, height] = [seen.width, seen.height].map((side) =>
    Math.max(Math.round(SIDE / 3), Math.round(side * scale)),
  );
  const pixels = await image.render({ size: SIDE, shape: { width, height }, ...(crop && { crop }) });
  return sharp(Buffer.from(pixels), { raw: { width, height, channels: 3 } })
    .jpeg({ quality: QUALITY })
    .toBuffer();
}
