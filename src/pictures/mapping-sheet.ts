/** What aspect heads say of images from their network's own features, and beside it from mapped ones: a row an image. */

import type { NdArray } from "../core/nd-array.js";
import type { Size } from "../core/size.js";
import { resizePixels } from "../dataset/resize-image.js";
import { percentText } from "../explain/headline.js";
import { type Drawing, type PlacedImage, paintDrawing, toJpeg, writeText } from "./drawing.js";
import { paintSaliency, type RgbImage } from "./painting.js";
import { FAINT_INK, INK } from "./palette.js";
import { fitText } from "./text-line.js";

/** Side of a map, pixels. */
const CELL = 150;
const GAP = 8;
/** Between aspects. */
const WIDE_GAP = 28;
const MARGIN = 24;
const HEADER = 44;
/** Further aspects have no room. */
const MOST_ASPECTS = 4;

/** One image, as the classifier sees it, and by aspect its chances 0..1, `[height, width]` of places, or `[1, 1]` of a number. */
export interface MappingRow {
  /** `[height, width, 3]` RGB 0..255. */
  readonly image: Uint8Array;
  readonly answers: Readonly<Record<string, { readonly own: NdArray; readonly mapped: NdArray }>>;
}

/**
 * @param options.size of the images, pixels.
 * @returns the bytes of a JPEG, with the first four aspects. All maps have one scale, 0..1.
 */
export async function mappingSheet(
  rows: readonly MappingRow[],
  { size }: { readonly size: Size },
): Promise<Uint8Array> {
  const aspects = Object.keys(rows[0]?.answers ?? {}).slice(0, MOST_ASPECTS);
  const pair = 2 * CELL + GAP;
  const left = (aspect: number, part: number) =>
    MARGIN + CELL + WIDE_GAP + aspect * (pair + WIDE_GAP) + part * (CELL + GAP);
  const top = (row: number) => MARGIN + HEADER + row * (CELL + GAP);
  const width = left(aspects.length, 0) - WIDE_GAP + MARGIN;
  const drawing: Drawing[number][] = [];
  const images: PlacedImage[] = [];
  for (const [index, name] of aspects.entries()) {
    const title = await fitText(name, { size: 14, width: pair });
    const small = { y: MARGIN + 36, size: 11, colour: FAINT_INK };
    drawing.push(
      await writeText(title, { x: left(index, 0), y: MARGIN + 16, size: 14, colour: INK }),
      await writeText("on its own features", { x: left(index, 0), ...small }),
      await writeText("on mapped features", { x: left(index, 1), ...small }),
    );
  }
  for (const [row, { image, answers }] of rows.entries()) {
    const panel = await enlarged(image, size);
    images.push({ image: panel, left: MARGIN, top: top(row) });
    for (const [index, name] of aspects.entries())
      for (const [part, answer] of [answers[name].own, answers[name].mapped].entries()) {
        const place = { left: left(index, part), top: top(row) };
        const [height, columns] = answer.shape;
        if (height * columns > 1) {
          const grid = { height, width: columns, values: Float32Array.from(answer.data) };
          images.push({ image: paintSaliency(panel, grid, { most: 1 }), ...place });
          continue;
        }
        const middle = { x: place.left + CELL / 2, y: place.top + CELL / 2, anchor: "middle" } as const;
        drawing.push(await writeText(percentText(answer.data[0]), { ...middle, size: 22, colour: INK }));
      }
  }
  const height = top(rows.length) - GAP + MARGIN;
  return toJpeg(paintDrawing(drawing, { width, height, images }));
}

async function enlarged(pixels: Uint8Array, from: Size): Promise<RgbImage> {
  return { width: CELL, height: CELL, pixels: await resizePixels(pixels, { from, to: CELL }) };
}
