/** What augmentation makes of training images: a row an image, plain first, with masks and boxes drawn in. */

import sharp from "sharp";
import type { Sample } from "../core/annotation.js";
import { type Sides, type Size, sidesOf } from "../core/size.js";
import { type Drawing, type PlacedImage, renderPng, writeText } from "./drawing.js";
import { paintRegion } from "./paint-region.js";
import { type RgbImage, rawOf, toBuffer } from "./painting.js";
import { aspectColour, FAINT_INK, INK, NEAR_BLACK, toHex } from "./palette.js";
import { fitText } from "./text-line.js";

/** Side of a view, pixels. */
const CELL = 180;
const GAP = 12;
const MARGIN = 24;
const HEADER = 40;
const LEGEND = 28;

/**
 * @param rows of each image its views, the first without augmentation, all of one size.
 * @param options.aspects names, in the dataset's order, which gives each its colour.
 * @param options.size of the views, pixels.
 * @returns the bytes of a PNG.
 */
export async function augmentationSheet(
  rows: readonly (readonly Sample[])[],
  { aspects, size }: { aspects: readonly string[]; size: Size },
): Promise<Uint8Array> {
  const columns = Math.max(...rows.map((views) => views.length));
  const left = (column: number) => MARGIN + column * (CELL + GAP);
  const top = (row: number) => MARGIN + HEADER + row * (CELL + GAP);
  const width = left(columns) - GAP + MARGIN;
  const drawing: Drawing[number][] = [
    await writeText("plain", { x: left(0), y: MARGIN + 22, size: 11, colour: FAINT_INK }),
    await writeText("as training sees it", { x: left(1), y: MARGIN + 22, size: 11, colour: FAINT_INK }),
  ];
  const images: PlacedImage[] = [];
  for (const [row, views] of rows.entries()) {
    for (const [column, view] of views.entries()) {
      const place = { left: left(column), top: top(row) };
      images.push({ image: await paintedView(view, aspects, sidesOf(size)), ...place });
      drawing.push(...boxesOf(view, aspects, place));
    }
  }
  const bottom = top(rows.length) + 8;
  let x = MARGIN;
  for (const [index, name] of aspects.entries()) {
    const room = width - MARGIN - x - 20;
    const text = await writeText(await fitText(name, { size: 11, width: Math.max(0, room) }), {
      ...{ x: x + 20, y: bottom + 12, size: 11, colour: INK },
    });
    if (text.width === 0) break;
    drawing.push({ x, y: bottom, width: 14, height: 14, radius: 3, fill: toHex(aspectColour(index)) }, text);
    x += 20 + text.width + 24;
  }
  return renderPng(drawing, { width, height: bottom + LEGEND, images });
}

async function paintedView({ image, aspects }: Sample, names: readonly string[], sides: Sides): Promise<RgbImage> {
  const seen = { ...sides, pixels: image };
  const pixels = await sharp(toBuffer(seen), { raw: rawOf(seen) })
    .resize(CELL, CELL, { fit: "fill" })
    .raw()
    .toBuffer();
  const view = { width: CELL, height: CELL, pixels: new Uint8Array(pixels) };
  for (const [index, name] of names.entries()) {
    const mask = aspects[name]?.mask;
    if (!mask) continue;
    const look = { colour: aspectColour(index), opacity: 0.35, contour: 2, around: NEAR_BLACK };
    paintRegion(view, { ...sides, values: mask }, look);
  }
  return view;
}

function boxesOf(
  { aspects }: Sample,
  names: readonly string[],
  { left, top }: { left: number; top: number },
): Drawing[number][] {
  return names.flatMap((name, index) =>
    (aspects[name]?.mask ? [] : (aspects[name]?.boxes ?? [])).map(([yMin, xMin, yMax, xMax]) => {
      const size = { width: CELL * (xMax - xMin), height: CELL * (yMax - yMin) };
      const outline = { stroke: toHex(aspectColour(index)), strokeWidth: 2 };
      return { x: left + CELL * xMin, y: top + CELL * yMin, ...size, ...outline };
    }),
  );
}
