/** The picture of one explanation: the image, where the answer looked, what it relied on, and the numbers. */

import sharp from "sharp";
import type { Explained, Explanation } from "../explain/explanation.js";
import { aspectPanel } from "./aspect-panel.js";
import { BECAUSE, headline, nothingText, shareText } from "./headline.js";
import { legend, legendHeight } from "./legend.js";
import { type Picture, paintSaliency, rawOf, toBuffer } from "./painting.js";
import { aspectColour, FAINT_INK, heatColour, INK, PAPER, toHex } from "./palette.js";
import { inFrame } from "./place-labels.js";
import { type Shape, shownImage } from "./shown-image.js";
import { fitText, strokeText, textWidth } from "./stroke-font.js";

const PANEL = 400;
/** A panel is at least so large, for names and scale; a narrower picture stands in its middle. */
const NARROWEST = 240;
const LOWEST = 120;
/** Of a picture: a ribbon is shown no thinner. */
const THINNEST = 8;
const LEGEND = 300;
const MARGIN = 28;
const GAP = 20;
const HEADER = 76;
const CAPTION = 26;
const FOOTER = 30;

/**
 * @param image the upright image, or the path of one; small ones are enlarged to panels of 400 pixels.
 * @param options.shape width and height of the original, where the pixels were squeezed into another shape.
 * @returns the bytes of a PNG. Needs no fonts: the letters are strokes of our own.
 */
export async function renderOverlay(
  explained: Explained,
  image: string | Picture,
  { shape: given }: { shape?: Shape } = {},
): Promise<Uint8Array> {
  const { explanation, maps } = explained;
  const { picture, shape } = await shownImage(image, given);
  const panel = await toPanel(picture, shape);
  const frame = { width: Math.max(NARROWEST, panel.width), height: Math.max(LOWEST, panel.height) };
  const place = inFrame(panel, frame);
  const aspects = aspectPanel(explained, panel, { frame, place });
  const left = (index: number) => MARGIN + index * (frame.width + GAP);
  const top = HEADER + CAPTION;
  const width = left(3) + LEGEND + MARGIN + 8;
  const height = Math.max(top + frame.height + FOOTER, HEADER + legendHeight(explanation)) + 8;

  const isSilent = maps.saliency.values.every((value) => value <= 0);
  const captions = ["image", "where it looked", "what it relied on"].map((text, index) =>
    strokeText(text, { x: left(index), y: HEADER + 14, size: 11, colour: FAINT_INK }),
  );
  const vectors = [
    header(explanation, { x: MARGIN, y: 46, width: width - 2 * MARGIN }),
    ...captions,
    legend(explanation, { x: left(3) + 8, y: HEADER + 3, width: LEGEND }),
    isSilent
      ? strokeText("nothing speaks for this answer here", {
          x: left(1),
          y: top + frame.height + 18,
          size: 9,
          colour: FAINT_INK,
        })
      : heatScale({ x: left(1), y: top + frame.height + 9, width: frame.width }),
    `<svg x="${left(2)}" y="${top}" width="${frame.width}" height="${frame.height}">${aspects.vectors}</svg>`,
  ];
  const isFilled = frame.width === panel.width && frame.height === panel.height;
  const frames = (isFilled ? [] : [0, 1, 2]).map(
    (index) => `<rect x="${left(index)}" y="${top}" width="${frame.width}" height="${frame.height}" fill="${PAPER}"/>`,
  );
  const svg = (parts: readonly string[]) =>
    Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${parts.join("")}</svg>`);
  const pictures = [panel, paintSaliency(panel, maps.saliency), aspects.picture];
  const bytes = await sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite([
      ...(isFilled ? [] : [{ input: svg(frames), left: 0, top: 0 }]),
      ...pictures.map((picture, index) => ({
        input: toBuffer(picture),
        raw: rawOf(picture),
        left: left(index) + place.x,
        top: top + place.y,
      })),
      { input: svg(vectors), left: 0, top: 0 },
    ])
    .removeAlpha()
    .png({ compressionLevel: 6 })
    .toBuffer();
  return new Uint8Array(bytes);
}

/** The longer side 400 pixels, in the original's shape. */
async function toPanel(image: Picture, shape: { width: number; height: number }): Promise<Picture> {
  const scale = PANEL / Math.max(shape.width, shape.height);
  const width = Math.max(THINNEST, Math.round(shape.width * scale));
  const height = Math.max(THINNEST, Math.round(shape.height * scale));
  const kernel = width > image.width ? "cubic" : "lanczos3";
  const pixels = await sharp(toBuffer(image), { raw: rawOf(image) })
    .resize(width, height, { fit: "fill", kernel })
    .raw()
    .toBuffer();
  return { width, height, pixels: new Uint8Array(pixels) };
}

/** One line: the answer, then its causes, each behind a dot of its colour; what does not fit is counted. */
function header(explanation: Explanation, { x, y, width }: { x: number; y: number; width: number }): string {
  const { answer, question, causes } = headline(explanation);
  const bold = { size: 19, weight: 0.18, colour: INK };
  const plain = { size: 19, weight: 0.12, colour: FAINT_INK };
  const parts: string[] = [];
  let pen = x;
  const write = (text: string, look: typeof bold) => {
    const fitted = fitText(text, { size: look.size, width: Math.max(0, x + width - pen) });
    parts.push(strokeText(fitted, { x: pen, y, ...look }));
    pen += textWidth(fitted, look) + 14;
  };
  const isPlain = causes.length === 0 && question === BECAUSE;
  write(fitText(isPlain ? `${answer}:` : answer, { size: bold.size, width: width / 2 }), bold);
  if (causes.length > 0 || question !== BECAUSE) write(question, plain);
  if (causes.length === 0) write(nothingText(explanation.aspects), plain);
  causes.every((cause, index) => {
    const text = `${fitText(cause.name, { size: bold.size, width: 300 })} ${shareText(cause.relevance)}`;
    const left = causes.length - index;
    const more = left > 1 ? 130 : 0;
    if (index > 0 && pen + 24 + textWidth(text, bold) + more > x + width) {
      write(`and ${left} more`, plain);
      return false;
    }
    const colour = toHex(aspectColour(explanation.aspects.indexOf(cause)));
    parts.push(`<circle cx="${pen + 9}" cy="${y - 8}" r="8" fill="${colour}"/>`);
    pen += 26;
    write(text, bold);
    pen += 6;
    return true;
  });
  return parts.join("");
}

/** What the heat means, under its panel. */
function heatScale({ x, y, width }: { x: number; y: number; width: number }): string {
  const stops = Array.from({ length: 9 }, (_, index) => {
    const share = index / 8;
    return `<stop offset="${share}" stop-color="${toHex(heatColour(share))}"/>`;
  }).join("");
  const bar = Math.min(140, width / 2);
  const look = { size: 9, colour: FAINT_INK, y: y + 9 };
  return (
    `<linearGradient id="heat">${stops}</linearGradient>` +
    strokeText("little", { x, ...look }) +
    `<rect x="${x + 38}" y="${y}" width="${bar}" height="9" rx="3" fill="url(#heat)"/>` +
    strokeText("much", { x: x + 46 + bar, ...look })
  );
}
