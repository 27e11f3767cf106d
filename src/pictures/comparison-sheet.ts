/** One image explained by several methods: a row for each method, a column for each aspect. */

import sharp from "sharp";
import { ownValue } from "../core/own-value.js";
import type { AspectExplanation, Explained, Explanation } from "../explain/explanation.js";
import { BECAUSE, barShare, headline, rankAspects, relevantFrom, shareText } from "./headline.js";
import { fade, type Picture, paintSaliency, rawOf, toBuffer } from "./painting.js";
import { aspectColour, FAINT_INK, GREY, INK, TRACK, toHex } from "./palette.js";
import { inFrame } from "./place-labels.js";
import { fitText, strokeText, textWidth } from "./stroke-font.js";

/** Columns that a page takes. */
const MOST_ASPECTS = 6;
/** The longer side of a picture. */
const CELL = 150;
/** A cell is at least so wide and high, for its title; a narrower picture stands in its middle, in its own shape. */
const NARROWEST = 80;
const THINNEST = 4;
const GAP = 14;
const CAPTION = 22;
const MARGIN = 28;
const NAMES = 190;
const HEADER = 96;
const LINE = 18;

/**
 * Each cell shows what the head still sees of its aspect under that method's masking (its survival), and the relevance as a bar with a
 * tick at the threshold. The aspect that a method names first is in its colour, the others are grey; all are where none is relevant.
 *
 * @param explained of the same image and question; the first is the model's own method, and its aspects decide the columns.
 * @param image the upright image.
 * @param options.shape width and height of the original, where `image` was squeezed into another shape.
 * @returns the bytes of a PNG.
 */
export async function comparisonSheet(
  explained: readonly Explained[],
  image: Picture,
  { shape = image }: { shape?: { readonly width: number; readonly height: number } } = {},
): Promise<Uint8Array> {
  const [own] = explained;
  const present = rankAspects(own.explanation.aspects).filter(({ isPresent }) => isPresent);
  const columns = present.slice(0, MOST_ASPECTS);
  const panel = await toCell(image, shape);
  const frame = { width: Math.max(NARROWEST, panel.width), height: Math.max(NARROWEST, panel.height) };
  const place = inFrame(panel, frame);
  const pale = fade(panel, { white: 0.6 });
  const left = (column: number) => MARGIN + NAMES + column * (frame.width + GAP);
  const step = frame.height + CAPTION + GAP;
  const top = (row: number) => HEADER + row * step;
  const notes = footer(present.length, columns.length);
  const widest = Math.max(...notes.map((text) => textWidth(text, { size: 10 })));
  const width = Math.ceil(Math.max(left(columns.length + 1) + MARGIN, 2 * MARGIN + widest, 760));
  const height = top(explained.length) + LINE * notes.length + 10;
  const { answer, question } = headline(own.explanation);
  const asked = question === BECAUSE ? "" : `, ${question.replace(/:$/, "")}`;
  const vectors = [
    strokeText(fitText(`${answer}${asked}: what each method names`, { size: 19, width: width - 2 * MARGIN }), {
      x: MARGIN,
      y: 44,
      size: 19,
      weight: 0.17,
      colour: INK,
    }),
    strokeText("where it looked", { x: left(0), y: HEADER - 10, size: 10, colour: FAINT_INK }),
    ...columns.map(({ name }, index) =>
      strokeText(fitText(name, { size: 11, width: frame.width }), {
        x: left(index + 1),
        y: HEADER - 10,
        size: 11,
        weight: 0.16,
        colour: INK,
      }),
    ),
    ...notes.map((text, index) =>
      strokeText(text, { x: MARGIN, y: top(explained.length) + 10 + LINE * index, size: 10, colour: FAINT_INK }),
    ),
  ];
  const pictures: { picture: Picture; left: number; top: number }[] = [];
  for (const [row, { explanation, maps }] of explained.entries()) {
    const look = { size: 11, weight: row === 0 ? 0.18 : 0.13, colour: INK };
    vectors.push(
      strokeText(fitText(explanation.saliency, { ...look, width: NAMES - 16 }), {
        x: MARGIN,
        y: top(row) + 20,
        ...look,
      }),
    );
    const faint = { size: 9, colour: FAINT_INK };
    vectors.push(strokeText(explanation.masking, { x: MARGIN, y: top(row) + 40, ...faint }));
    const first = firstOf(explanation);
    const named = fitText(`names ${first?.name ?? "none"}`, { size: 9, width: NAMES - 16 });
    vectors.push(strokeText(named, { x: MARGIN, y: top(row) + 58, size: 9, colour: INK }));
    if (row === 0) vectors.push(strokeText("this model's own", { x: MARGIN, y: top(row) + 76, ...faint }));
    const isSilent = maps.saliency.values.every((value) => !(value > 0));
    if (isSilent) vectors.push(strokeText("found nothing", { x: left(0), y: top(row) + frame.height + 16, ...faint }));
    pictures.push({ picture: paintSaliency(panel, maps.saliency), left: left(0), top: top(row) });
    for (const [index, { name }] of columns.entries()) {
      const aspect = explanation.aspects.find((one) => one.name === name);
      if (!aspect) continue;
      const at = { left: left(index + 1), top: top(row) };
      const colour = toHex(aspect === first ? aspectColour(explanation.aspects.indexOf(aspect)) : GREY);
      const survival = ownValue(maps.survival, name) ?? boxSurvival(aspect, ownValue(maps.regions, name));
      const painted = survival ? paintSurvival(pale, survival, { size: maps.size, colour }) : pale;
      pictures.push({ picture: painted, ...at });
      const threshold = relevantFrom(aspect, explanation);
      const bar = { x: at.left, y: at.top + frame.height + 7, width: frame.width, colour, threshold };
      vectors.push(relevanceBar(aspect, bar));
    }
  }
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${vectors.join("")}</svg>`;
  const bytes = await sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite([
      ...pictures.map(({ picture, ...at }) => ({
        input: toBuffer(picture),
        raw: rawOf(picture),
        left: at.left + place.x,
        top: at.top + place.y,
      })),
      { input: Buffer.from(svg), left: 0, top: 0 },
    ])
    .removeAlpha()
    .png({ compressionLevel: 6 })
    .toBuffer();
  return new Uint8Array(bytes);
}

function footer(present: number, shown: number): string[] {
  if (present === 0) return ["No aspect is seen in this image."];
  return [
    "Colour: the aspect that the method names first, its most relevant one; all are grey where none is relevant.",
    "Bar: relevance, 0 to 1. Tick: relevant from here on; calibrated for the first method at most, a guess for the others.",
    "Fill: what the head still sees of its aspect when only what the method kept is left; the stronger, the more.",
    ...(present > shown ? [`The ${shown} most relevant of ${present} present aspects are shown.`] : []),
  ];
}

/** The most relevant aspect, unless none is relevant. */
function firstOf({ aspects }: Explanation): AspectExplanation | undefined {
  return rankAspects(aspects).find(({ isRelevant }) => isRelevant);
}

/** Of boxes, which have no map: the filled boxes at the aspect's survival. */
function boxSurvival({ survival }: AspectExplanation, region?: Uint8Array): Uint8Array | undefined {
  const strength = 255 * Math.min(1, Math.max(0, survival ?? 0));
  return region?.map((inside) => (inside ? strength : 0));
}

/** @param survival `[size * size]`, 0..255; on a curve, so that 0.3 can be told from nothing. */
function paintSurvival(
  picture: Picture,
  survival: Uint8Array,
  { size, colour }: { size: number; colour: string },
): Picture {
  const ink = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  const pixels = Uint8Array.from(picture.pixels);
  for (let y = 0; y < picture.height; y++) {
    const row = Math.floor((y / picture.height) * size);
    for (let x = 0; x < picture.width; x++) {
      const share = 0.9 * (survival[row * size + Math.floor((x / picture.width) * size)] / 255) ** 0.6;
      const at = 3 * (y * picture.width + x);
      for (let k = 0; k < 3; k++) pixels[at + k] += share * (ink[k] - pixels[at + k]);
    }
  }
  return { ...picture, pixels };
}

function relevanceBar(
  { isPresent, relevance }: AspectExplanation,
  { x, y, width, colour, threshold }: { x: number; y: number; width: number; colour: string; threshold: number },
): string {
  if (!isPresent) return "";
  const number = strokeText(shareText(relevance), { x: x + width, y: y + 9, size: 9, colour: INK, anchor: "end" });
  const room = width - 34;
  const bar = barShare(relevance) * room;
  const tick = x + threshold * room;
  return (
    `<rect x="${x}" y="${y + 1}" width="${room}" height="8" rx="4" fill="${TRACK}"/>` +
    (bar > 0 ? `<rect x="${x}" y="${y + 1}" width="${Math.max(8, bar)}" height="8" rx="4" fill="${colour}"/>` : "") +
    `<path d="M${tick} ${y - 2}V${y + 12}" stroke="${INK}" stroke-width="1.6" stroke-linecap="round"/>` +
    number
  );
}

async function toCell(image: Picture, shape: { width: number; height: number }): Promise<Picture> {
  const scale = CELL / Math.max(shape.width, shape.height);
  const [width, height] = [shape.width, shape.height].map((side) => Math.max(THINNEST, Math.round(side * scale)));
  const pixels = await sharp(toBuffer(image), { raw: rawOf(image) })
    .resize(width, height, { fit: "fill", kernel: "lanczos3" })
    .raw()
    .toBuffer();
  return { width, height, pixels: new Uint8Array(pixels) };
}
