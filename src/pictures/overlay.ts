/** The overlay of one explanation: the image, the saliency, the relevant aspects, and a legend with numbers. */

import sharp from "sharp";
import type { Explained, Explanation } from "../explain/explanation.js";
import { BECAUSE, headlineParts, noteOn } from "../explain/headline.js";
import { aspectPanel } from "./aspect-panel.js";
import { withDrawableNames } from "./drawable-names.js";
import { type Drawing, inset, paintDrawing, toJpeg, writeText } from "./drawing.js";
import { legend, legendHeight } from "./legend.js";
import { paintSaliency, type RgbImage, rawOf, toBuffer } from "./painting.js";
import { aspectColour, FAINT_INK, heatColour, INK, PAPER, toHex } from "./palette.js";
import { inFrame } from "./place-labels.js";
import { giveBack } from "./reused-memory.js";
import { dot } from "./rounded-rectangle.js";
import { type PictureSource, type Shape, shownImage } from "./shown-image.js";
import { fitText, textWidth } from "./text-line.js";

const PANEL = 400;
/** Smallest size of a panel, for names and scale; a narrower image is centred. */
const NARROWEST = 240;
const LOWEST = 120;
/** Smallest side of an image in its panel, pixels, for very long images. */
const THINNEST = 8;
const LEGEND = 300;
const MARGIN = 28;
const GAP = 20;
const HEADER = 76;
const CAPTION = 26;
const FOOTER = 30;
/** Of a cause above the panels. */
const LONGEST_NAME = 300;

/**
 * Draws an explanation as one picture: the image, its saliency, and the relevant aspects by name.
 *
 * Texts are drawn in the font of this package, other scripts than Latin, Greek and Cyrillic in the fonts of the system,
 * which fontconfig searches once per process. Names that no font can draw are numbered, with a note on what to install.
 * `shape` is the original's, if the pixels were resized to another aspect ratio.
 *
 * @param image a path, what `decodeImage` returns, or upright pixels; small ones are enlarged to panels of 400 pixels.
 * @returns the bytes of a JPEG, at most 250,000 wherever an image is not all noise.
 * @throws ImageError where the file cannot be read; InputError where pixels are not as many as their sides say.
 */
export async function renderOverlay(
  explained: Explained,
  image: PictureSource,
  { shape }: { shape?: Shape } = {},
): Promise<Uint8Array> {
  const sheet = await paintOverlay(explained, image, { shape });
  const jpeg = await toJpeg(sheet);
  giveBack(sheet.pixels);
  return jpeg;
}

/** The pixels of an overlay. */
export async function paintOverlay(
  explained: Explained,
  image: PictureSource,
  { shape: given }: { shape?: Shape } = {},
): Promise<RgbImage> {
  const { picture, shape } = await shownImage(image, { shape: given, crop: explained.explanation.crop });
  const { shown, notes } = await withDrawableNames(explained);
  const { explanation, maps } = shown;
  const size = panelSize(shape);
  const frame = { width: Math.max(NARROWEST, size.width), height: Math.max(LOWEST, size.height) };
  const place = inFrame(size, frame);
  const left = (index: number) => MARGIN + index * (frame.width + GAP);
  const top = HEADER + CAPTION;
  const width = left(3) + LEGEND + MARGIN + 8;
  const height = Math.max(top + frame.height + FOOTER, HEADER + legendHeight(explanation, notes)) + 8;

  const scale = { x: left(1), y: top + frame.height + 9, width: frame.width };
  const isSilent = maps.saliency.values.every((value) => value <= 0);
  const isFilled = frame.width === size.width && frame.height === size.height;
  const relied = explanation.aspects.some(({ isRelevant }) => isRelevant) ? "what it relied on" : "what is seen";
  const captions = ["image", "where it looked", relied].map((text, index) =>
    writeText(text, { x: left(index), y: HEADER + 14, size: 11, colour: FAINT_INK }),
  );
  const texts = [
    header(explanation, { x: MARGIN, y: 46, width: width - 2 * MARGIN }),
    legend(explanation, { x: left(3) + 8, y: HEADER + 3, width: LEGEND, notes }),
    isSilent ? noHeat(scale) : heatScale(scale),
    ...captions,
  ];
  const paint = async () => {
    const panel = await resizeTo(picture, size);
    const heat = paintSaliency(panel, maps.saliency);
    return { panel, heat, aspects: await aspectPanel(shown, panel, { frame, place }) };
  };
  // The texts are rendered in other threads while this one paints.
  const [{ panel, heat, aspects }, ...parts] = await Promise.all([paint(), ...texts]);
  const drawing = [...parts.flat(), ...inset(aspects.drawing, { x: left(2), y: top, ...frame })];
  const ground = (isFilled ? [] : [0, 1, 2]).map((index) => ({ x: left(index), y: top, ...frame, fill: PAPER }));
  const images = [panel, heat, aspects.picture].map((one, index) => ({
    image: one,
    left: left(index) + place.x,
    top: top + place.y,
  }));
  const sheet = paintDrawing(drawing, { width, height, images, ground });
  for (const { pixels } of [heat, aspects.picture]) giveBack(pixels);
  return sheet;
}

/** The longer side 400 pixels, in the original's shape. */
function panelSize(shape: Shape): Shape {
  const scale = PANEL / Math.max(shape.width, shape.height);
  return {
    width: Math.max(THINNEST, Math.round(shape.width * scale)),
    height: Math.max(THINNEST, Math.round(shape.height * scale)),
  };
}

async function resizeTo(image: RgbImage, { width, height }: Shape): Promise<RgbImage> {
  if (width === image.width && height === image.height) return image;
  const kernel = width > image.width ? "cubic" : "lanczos3";
  const pixels = await sharp(toBuffer(image), { raw: rawOf(image) })
    .resize(width, height, { fit: "fill", kernel })
    .raw()
    .toBuffer();
  return { width, height, pixels: new Uint8Array(pixels) };
}

/** What does not fit beside the answer stands under it. */
const SECOND = { size: 13, isBold: false, colour: FAINT_INK };
const SECOND_LINE = 22;

/**
 * The answer, then its relevant aspects, each after a dot of its colour; those that do not fit are counted. What else is
 * said stands behind them or, where it is long, on a second line.
 */
async function header(
  explanation: Explanation,
  { x, y, width }: { x: number; y: number; width: number },
): Promise<Drawing> {
  const { answer, question, named, rest } = headlineParts(explanation);
  const bold = { size: 19, isBold: true, colour: INK };
  const plain = { size: 19, isBold: false, colour: FAINT_INK };
  const parts: Drawing[number][] = [];
  let pen = x;
  const write = async (text: string, look: typeof bold) => {
    const fitted = await fitText(text, { ...look, width: Math.max(0, x + width - pen) });
    const line = await writeText(fitted, { x: pen, y, ...look });
    parts.push(line);
    pen += line.width + 10;
  };
  const isPlain = explanation.headline.case === "ranked" || (named.length === 0 && question === BECAUSE);
  await write(await fitText(isPlain ? `${answer}:` : answer, { ...bold, width: width / 2 }), bold);
  if (!isPlain) {
    await write(await fitText(`${question}:`, { ...plain, width: 0.3 * width }), plain);
  }
  for (const [index, cause] of named.entries()) {
    const number = ` ${noteOn(cause)}`;
    const rest = x + width - pen - 26 - (await textWidth(number, bold)) - 10;
    const room = index > 0 ? LONGEST_NAME : Math.min(LONGEST_NAME, Math.max(0, rest));
    const text = (await fitText(cause.name, { ...bold, width: room })) + number;
    const left = named.length - index;
    const more = left > 1 ? 130 : 0;
    if (index > 0 && pen + 24 + (await textWidth(text, bold)) + more > x + width) {
      await write(`and ${left} more`, plain);
      break;
    }
    const colour = toHex(aspectColour(explanation.aspects.indexOf(cause)));
    parts.push(dot(pen + 9, y - 9, { radius: 8, fill: colour }));
    pen += 26;
    await write(text, bold);
    pen += 6;
  }
  if (rest === "") return parts;
  const isLong = (await textWidth(rest, plain)) > x + width - pen;
  if (!isLong) await write(rest, plain);
  else parts.push(await writeText(await fitText(rest, { ...SECOND, width }), { x, y: y + SECOND_LINE, ...SECOND }));
  return parts;
}

/** What the heat means, under its panel. */
async function heatScale({ x, y, width }: { x: number; y: number; width: number }): Promise<Drawing> {
  const fill = Array.from({ length: 9 }, (_, index) => toHex(heatColour(index / 8)));
  const bar = Math.min(140, width / 2);
  const look = { size: 9, colour: FAINT_INK, y: y + 9 };
  const little = await writeText("little", { x, ...look });
  const start = x + little.width + 8;
  return [
    little,
    { x: start, y, width: bar, height: 9, radius: 3, fill },
    await writeText("much", { x: start + bar + 8, ...look }),
  ];
}

async function noHeat({ x, y }: { x: number; y: number }): Promise<Drawing> {
  return [await writeText("no evidence for this answer here", { x, y: y + 9, size: 9, colour: FAINT_INK })];
}
