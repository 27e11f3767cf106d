/** One image explained by several methods: a row for each method, a column for each aspect. */

import sharp from "sharp";
import { ownValue } from "../core/own-value.js";
import { type Size, sidesOf } from "../core/size.js";
import type { AspectExplanation, Explained, Explanation } from "../explain/explanation.js";
import { BECAUSE, headlineParts, scoreText } from "../explain/headline.js";
import { withDrawableNames } from "./drawable-names.js";
import { type Drawing, type PlacedImage, renderPng, writeText } from "./drawing.js";
import { rankAspects } from "./number-text.js";
import { fade, paintSaliency, type RgbImage, rawOf, toBuffer } from "./painting.js";
import { aspectColour, FAINT_INK, GREY, INK, toColour, toHex } from "./palette.js";
import { inFrame, type Rectangle } from "./place-labels.js";
import { shareBar } from "./share-bar.js";
import type { Shape } from "./shown-image.js";
import { fitText, textWidth } from "./text-line.js";

/** Largest number of columns. */
const MOST_ASPECTS = 6;
/** Longer side of an image, pixels. */
const CELL = 150;
/** Smallest width and height of a cell, for its title; a narrower image is centred, in its own aspect ratio. */
const NARROWEST = 80;
const THINNEST = 4;
const GAP = 14;
const CAPTION = 22;
const MARGIN = 28;
const NAMES = 190;
const HEADER = 96;
const LINE = 18;

interface Grid {
  readonly columns: readonly AspectExplanation[];
  /** Of a cell. */
  readonly frame: Shape;
  /** Of the image in its cell. */
  readonly place: Rectangle;
  readonly panel: RgbImage;
  /** The panel, faded so that fills of any colour can be seen. */
  readonly pale: RgbImage;
  readonly left: (column: number) => number;
  readonly top: (row: number) => number;
}

/**
 * Each cell shows what the head still sees of its aspect under the masking of that method (its survival), and the
 * score as a bar, over the highest of the row. Aspects that a method calls relevant are in their colours, the others are
 * grey; all are grey where a method is not calibrated, since its scores only rank.
 *
 * @param explained explanations of the same image and target; the first is by the model's default method, whose aspects
 *   become the columns.
 * @param image the upright image.
 * @param options.shape width and height of the original, if `image` was resized to another aspect ratio.
 * @returns the bytes of a PNG.
 */
export async function comparisonSheet(
  explained: readonly Explained[],
  image: RgbImage,
  { shape = image }: { shape?: Shape } = {},
): Promise<Uint8Array> {
  const drawable = await Promise.all(explained.map(withDrawableNames));
  const shown = drawable.map((one) => one.shown);
  const [own] = shown;
  const present = rankAspects(own.explanation.aspects).filter(({ isPresent }) => isPresent);
  const grid = gridOf(present.slice(0, MOST_ASPECTS), await toCell(image, shape));
  const { columns, frame, left, top } = grid;
  const notes = [...footer(present.length, columns.length), ...drawable[0].notes];
  const faint = { size: 10, colour: FAINT_INK };
  const widest = Math.max(...(await Promise.all(notes.map((text) => textWidth(text, faint)))));
  const width = Math.ceil(Math.max(left(columns.length + 1) + MARGIN, 2 * MARGIN + widest, 760));
  const bottom = top(shown.length);
  const { answer, question } = headlineParts(own.explanation);
  const bold = { isBold: true, colour: INK };
  const title = question === BECAUSE ? `${answer}: what each method names` : `${answer}, ${question}, by method`;
  const texts = [
    fitted(title, { x: MARGIN, y: 44, size: 19, width: width - 2 * MARGIN, ...bold }),
    writeText("where it looked", { x: left(0), y: HEADER - 10, ...faint }),
    ...columns.map(({ name }, index) =>
      fitted(name, { x: left(index + 1), y: HEADER - 10, size: 11, width: frame.width, ...bold }),
    ),
    ...notes.map((text, index) => writeText(text, { x: MARGIN, y: bottom + 10 + LINE * index, ...faint })),
  ];
  const rows = await Promise.all(shown.map((one, row) => methodRow(one, { row, grid })));
  return renderPng([...(await Promise.all(texts)), ...rows.flatMap(({ drawing }) => drawing)], {
    width,
    height: bottom + LINE * notes.length + 10,
    images: rows.flatMap(({ images }) => images),
  });
}

function gridOf(columns: readonly AspectExplanation[], panel: RgbImage): Grid {
  const frame = { width: Math.max(NARROWEST, panel.width), height: Math.max(NARROWEST, panel.height) };
  return {
    columns,
    frame,
    place: inFrame(panel, frame),
    panel,
    pale: fade(panel, { white: 0.6 }),
    left: (column) => MARGIN + NAMES + column * (frame.width + GAP),
    top: (row) => HEADER + row * (frame.height + CAPTION + GAP),
  };
}

/** A row: the aspects that a method names, its saliency, and a cell for each aspect. */
async function methodRow(
  { explanation, maps }: Explained,
  { row, grid }: { row: number; grid: Grid },
): Promise<{ drawing: Drawing; images: PlacedImage[] }> {
  const { columns, frame, place, panel, pale, left, top } = grid;
  const y = top(row);
  const highest = Math.max(Number.MIN_VALUE, ...explanation.aspects.map(({ score }) => score ?? 0));
  const faint = { size: 9, colour: FAINT_INK };
  const room = NAMES - 10;
  const own = { colour: INK, isBold: row === 0 };
  const drawing: Drawing[number][] = [
    await fitted(explanation.saliency, { x: MARGIN, y: y + 20, size: 10, ...own, width: room }),
    await writeText(explanation.masking, { x: MARGIN, y: y + 40, ...faint }),
    await fitted(namedText(explanation), { x: MARGIN, y: y + 58, size: 9, colour: INK, width: room }),
  ];
  if (row === 0) drawing.push(await writeText("the model's default", { x: MARGIN, y: y + 76, ...faint }));
  const isSilent = maps.saliency.values.every((value) => !(value > 0));
  if (isSilent) drawing.push(await writeText("found nothing", { x: left(0), y: y + frame.height + 16, ...faint }));
  const at = (column: number) => ({ left: left(column) + place.x, top: y + place.y });
  const images = [{ image: paintSaliency(panel, maps.saliency), ...at(0) }];
  for (const [index, { name }] of columns.entries()) {
    const aspect = explanation.aspects.find((one) => one.name === name);
    if (!aspect) continue;
    const colour = toHex(aspect.isRelevant ? aspectColour(explanation.aspects.indexOf(aspect)) : GREY);
    const survival = ownValue(maps.survival, name) ?? boxSurvival(aspect, ownValue(maps.regions, name));
    const image = survival ? paintSurvival(pale, survival, { size: maps.size, colour }) : pale;
    images.push({ image, ...at(index + 1) });
    if (!aspect.isPresent) continue;
    const [x, under] = [left(index + 1), y + frame.height];
    const bar = { x, y: under + 8, width: frame.width - 54, colour };
    const number = { x: x + frame.width, y: under + 16, size: 9, colour: INK, anchor: "end" } as const;
    drawing.push(...shareBar((aspect.score ?? 0) / highest, bar), await writeText(scoreText(aspect.score), number));
  }
  return { drawing, images };
}

async function fitted(
  text: string,
  { width, ...place }: Parameters<typeof writeText>[1] & { width: number },
): Promise<Drawing[number]> {
  return writeText(await fitText(text, { ...place, width }), place);
}

function footer(present: number, shown: number): string[] {
  if (present === 0) return ["No aspect is seen in this image."];
  return [
    "Colour: the aspects that the method calls relevant. One that is not calibrated only ranks, and all are grey.",
    "Number: the score, which ranks the aspects of one method. Bar: the score over the highest of its row.",
    "Fill: what the head still sees of its aspect after the method's masking; the stronger, the more.",
    ...(present > shown ? [`The ${shown} most relevant of ${present} present aspects are shown.`] : []),
  ];
}

/** "names mitosis, necrosis", "names none"; "ranks nucleus first" where no score is known to mean relevance. */
function namedText({ aspects, scale }: Explanation): string {
  const falling = aspects.filter(({ score }) => (score ?? 0) > 0).sort((a, b) => (b.score ?? 0) - (a.score ?? 0));
  if (scale.kind === "uncalibrated") return falling.length > 0 ? `ranks ${falling[0].name} first` : "ranks none";
  const relevant = falling.filter(({ isRelevant }) => isRelevant).map(({ name }) => name);
  return `names ${relevant.length > 0 ? relevant.join(", ") : "none"}`;
}

/** For boxes, which have no map: filled boxes with the aspect's survival. */
function boxSurvival({ survival }: AspectExplanation, region?: Uint8Array): Uint8Array | undefined {
  const strength = 255 * Math.min(1, Math.max(0, survival ?? 0));
  return region?.map((inside) => (inside ? strength : 0));
}

/** @param survival `[height * width]`, 0..255; drawn on a curve, so that 0.3 can be told from 0. */
function paintSurvival(
  image: RgbImage,
  survival: Uint8Array,
  { size, colour }: { size: Size; colour: string },
): RgbImage {
  const ink = toColour(colour);
  const { height, width } = sidesOf(size);
  const pixels = Uint8Array.from(image.pixels);
  for (let y = 0; y < image.height; y++) {
    const row = Math.floor((y / image.height) * height);
    for (let x = 0; x < image.width; x++) {
      const share = 0.9 * (survival[row * width + Math.floor((x / image.width) * width)] / 255) ** 0.6;
      const at = 3 * (y * image.width + x);
      for (let k = 0; k < 3; k++) pixels[at + k] += share * (ink[k] - pixels[at + k]);
    }
  }
  return { ...image, pixels };
}

async function toCell(image: RgbImage, shape: Shape): Promise<RgbImage> {
  const scale = CELL / Math.max(shape.width, shape.height);
  const [width, height] = [shape.width, shape.height].map((side) => Math.max(THINNEST, Math.round(side * scale)));
  const pixels = await sharp(toBuffer(image), { raw: rawOf(image) })
    .resize(width, height, { fit: "fill", kernel: "lanczos3" })
    .raw()
    .toBuffer();
  return { width, height, pixels: new Uint8Array(pixels) };
}
