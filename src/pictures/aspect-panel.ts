/** The panel of the aspects: relevant ones in their colours with name and relevance, the others outlined in grey. */

import type { Box } from "../core/box.js";
import { ownValue } from "../core/own-value.js";
import { sidesOf } from "../core/size.js";
import type { AspectExplanation, Explained } from "../explain/explanation.js";
import { percentText } from "../explain/headline.js";
import { MOSTLY } from "../explain/relevance-constants.js";
import { type Drawing, writeText } from "./drawing.js";
import { rankAspects } from "./number-text.js";
import { paintRegion } from "./paint-region.js";
import { fade, type RgbImage } from "./painting.js";
import { aspectColour, type Colour, GREY, inkOn, NEAR_BLACK, toHex, WHITE } from "./palette.js";
import { inFrame, placeLabels, type Rectangle } from "./place-labels.js";
import type { RoundedRectangle } from "./rounded-rectangle.js";
import { fitText, textWidth } from "./text-line.js";

const LABEL_SIZE = 11;

interface Frame {
  readonly width: number;
  readonly height: number;
}

/**
 * @param picture the image as shown in the panel.
 * @param options.frame the panel, with the image at `place`; names may extend beyond the image.
 * @returns pixels with the regions, and a drawing of boxes and names, from the upper left corner of the panel.
 */
export async function aspectPanel(
  { explanation, maps }: Explained,
  picture: RgbImage,
  { frame = picture, place = inFrame(picture, frame) }: { frame?: Frame; place?: Rectangle } = {},
): Promise<{ picture: RgbImage; drawing: Drawing }> {
  const painted = fade(picture);
  const ranked = rankAspects(explanation.aspects).filter(isDrawn);
  const colourOf = (aspect: AspectExplanation) =>
    aspect.isRelevant ? aspectColour(explanation.aspects.indexOf(aspect)) : GREY;
  const boxes: RoundedRectangle[] = [];
  // Least relevant first, so that the most relevant are drawn on top.
  for (const aspect of [...ranked].reverse()) {
    const values = ownValue(maps.regions, aspect.name);
    if (aspect.kind === "boxes") boxes.push(...drawBoxes(aspect, place, colourOf(aspect)));
    else if (values)
      paintRegion(painted, { ...sidesOf(maps.size), values }, { colour: colourOf(aspect), ...lookOf(aspect) });
  }
  const names = await drawNames(ranked, { frame, place, colourOf, topOf: (name, box) => topOf(maps, name, box) });
  return { picture: painted, drawing: [...boxes, ...names] };
}

/** A derived place of an aspect that is not relevant is only clutter, unless much of the evidence lies there. */
export function isDrawn({ isPresent, isRelevant, isPlaceDerived, elsewhere }: AspectExplanation): boolean {
  return isPresent && (isRelevant !== false || !isPlaceDerived || (elsewhere ?? 0) > MOSTLY);
}

/** A derived place has no sharp edge: a paler fill with a thin contour. */
function lookOf({ isRelevant, isPlaceDerived }: AspectExplanation) {
  if (!isRelevant) return { opacity: 0, contour: isPlaceDerived ? 1 : 2, around: WHITE };
  return { opacity: isPlaceDerived ? 0.3 : 0.5, contour: isPlaceDerived ? 1 : 3, around: NEAR_BLACK };
}

function drawBoxes(aspect: AspectExplanation, picture: Rectangle, colour: Colour): RoundedRectangle[] {
  const instances = aspect.instances ?? [];
  return instances.flatMap((instance) => {
    const { isRelevant } = aspect;
    const place = { ...toRectangle(instance.box, picture), radius: 2 };
    const pen = isRelevant ? 3 : 2;
    return [
      { ...place, stroke: toHex(isRelevant ? NEAR_BLACK : WHITE), strokeOpacity: 0.8, strokeWidth: pen + 2 },
      {
        ...{ ...place, stroke: toHex(colour), strokeWidth: pen },
        ...(isRelevant && { fill: toHex(colour), fillOpacity: 0.28 }),
      },
    ];
  });
}

/** The part of a box from the column where its region is highest: a name there lies at the region itself. */
function topOf({ regions, size }: Explained["maps"], name: string, box: Box): Box {
  const region = ownValue(regions, name);
  const [yMin, xMin, yMax, xMax] = box;
  const { height, width } = sidesOf(size);
  const top = Math.round(yMin * height);
  const [left, right] = [xMin, xMax].map((share) => Math.round(share * width));
  const row = region?.subarray(top * width + left, top * width + right).indexOf(1) ?? -1;
  return row > 0 ? [yMin, (left + row) / width, yMax, xMax] : box;
}

interface NamePlaces {
  readonly frame: Frame;
  readonly place: Rectangle;
  readonly colourOf: (aspect: AspectExplanation) => Colour;
  readonly topOf: (name: string, box: Box) => Box;
}

/** A name at each aspect's instance of the highest score. */
async function drawNames(
  aspects: readonly AspectExplanation[],
  { frame, place, colourOf, topOf }: NamePlaces,
): Promise<Drawing> {
  const named = aspects.map(async (aspect) => {
    const [first] = [...(aspect.instances ?? [])].sort(
      (a, b) => (b.score ?? 0) - (a.score ?? 0) || (b.area ?? 0) - (a.area ?? 0),
    );
    if (!first) return [];
    const number = aspect.isRelevant && aspect.share !== null ? ` ${percentText(aspect.share)}` : "";
    const look = { size: LABEL_SIZE, isBold: aspect.isRelevant === true, colour: inkOn(colourOf(aspect)) };
    const room = frame.width * 0.6 - (await textWidth(number, look));
    const text = (await fitText(aspect.name, { ...look, width: room })) + number;
    const width = (await textWidth(text, look)) + 14;
    return [
      { aspect, text, look, width, height: LABEL_SIZE + 11, anchor: toRectangle(topOf(aspect.name, first.box), place) },
    ];
  });
  const labels = (await Promise.all(named)).flat();
  const shown = aspects.flatMap(({ instances }) => instances.map(({ box }) => toRectangle(box, place)));
  const drawn = placeLabels(labels, frame, shown).map(async (label, index) => {
    if (!label) return [];
    const { aspect, text, look } = labels[index];
    const { x, y, height } = label;
    const fill = { fill: toHex(colourOf(aspect)), fillOpacity: aspect.isRelevant ? 1 : 0.95 };
    return [{ ...label, radius: 4, ...fill }, await writeText(text, { x: x + 7, y: y + height - 6, ...look })];
  });
  return (await Promise.all(drawn)).flat();
}

function toRectangle([yMin, xMin, yMax, xMax]: Box, { x, y, width, height }: Rectangle): Rectangle {
  return { x: x + xMin * width, y: y + yMin * height, width: (xMax - xMin) * width, height: (yMax - yMin) * height };
}
