/** The picture of the aspects: relevant ones in their colours with name and number, the others outlined grey. */

import type { Box } from "../core/box.js";
import { ownValue } from "../core/own-value.js";
import type { AspectExplanation, Explained } from "../explain/explanation.js";
import { rankAspects, shareText } from "./headline.js";
import { fade, type Picture, paintRegion } from "./painting.js";
import { aspectColour, type Colour, GREY, inkOn, NEAR_BLACK, toHex, WHITE } from "./palette.js";
import { inFrame, placeLabels, type Rectangle } from "./place-labels.js";
import { fitText, strokeText, textWidth } from "./stroke-font.js";

const LABEL_SIZE = 11;

interface Frame {
  readonly width: number;
  readonly height: number;
}

/**
 * @param picture the image as it is shown.
 * @param options.frame the panel that it stands in, at `place`; names may reach beyond the image.
 * @returns pixels with the regions, and SVG of boxes and names to lay over the panel, from its upper left corner.
 */
export function aspectPanel(
  { explanation, maps }: Explained,
  picture: Picture,
  { frame = picture, place = inFrame(picture, frame) }: { frame?: Frame; place?: Rectangle } = {},
): { picture: Picture; vectors: string } {
  const painted = fade(picture);
  const ranked = rankAspects(explanation.aspects).filter((aspect) => aspect.isPresent);
  const colourOf = (aspect: AspectExplanation) =>
    aspect.isRelevant ? aspectColour(explanation.aspects.indexOf(aspect)) : GREY;
  const boxes: string[] = [];
  // Least relevant first, so that what matters lies on top.
  for (const aspect of [...ranked].reverse()) {
    const values = ownValue(maps.regions, aspect.name);
    if (aspect.kind === "boxes") boxes.push(drawBoxes(aspect, place, colourOf(aspect)));
    else if (values) {
      const look = aspect.isRelevant
        ? { opacity: 0.5, contour: 3, around: NEAR_BLACK }
        : { opacity: 0, contour: 2, around: WHITE };
      paintRegion(painted, { width: maps.size, height: maps.size, values }, { colour: colourOf(aspect), ...look });
    }
  }
  return { picture: painted, vectors: boxes.join("") + drawNames(ranked, { frame, place, colourOf }) };
}

/** Of a relevant aspect, those instances are filled that come near the most relevant one. */
const NEAR_THE_FIRST = 0.5;

function drawBoxes(aspect: AspectExplanation, picture: Rectangle, colour: Colour): string {
  const instances = aspect.instances ?? [];
  const most = Math.max(...instances.map(({ relevance }) => relevance ?? 0));
  return instances
    .map((instance) => {
      const { x, y, width, height } = toRectangle(instance.box, picture);
      const isRelevant = aspect.isRelevant && (instance.relevance ?? 0) >= NEAR_THE_FIRST * most;
      const place = `x="${x}" y="${y}" width="${width}" height="${height}" rx="2"`;
      const fill = isRelevant ? `fill="${toHex(colour)}" fill-opacity="0.28"` : `fill="none"`;
      const pen = isRelevant ? 3 : 2;
      return (
        `<rect ${place} fill="none" stroke="${toHex(isRelevant ? NEAR_BLACK : WHITE)}" stroke-opacity="0.8" stroke-width="${pen + 2}"/>` +
        `<rect ${place} ${fill} stroke="${toHex(colour)}" stroke-width="${pen}"/>`
      );
    })
    .join("");
}

/** A name at each aspect's most telling instance. */
function drawNames(
  aspects: readonly AspectExplanation[],
  { frame, place, colourOf }: { frame: Frame; place: Rectangle; colourOf: (aspect: AspectExplanation) => Colour },
): string {
  const named = aspects.flatMap((aspect) => {
    const [first] = [...(aspect.instances ?? [])].sort(
      (a, b) => (b.relevance ?? 0) - (a.relevance ?? 0) || (b.area ?? 0) - (a.area ?? 0),
    );
    if (!first) return [];
    const number = aspect.isRelevant ? ` ${shareText(aspect.relevance)}` : "";
    const room = frame.width * 0.6 - textWidth(number, { size: LABEL_SIZE });
    const text = fitText(aspect.name, { size: LABEL_SIZE, width: room }) + number;
    const width = textWidth(text, { size: LABEL_SIZE }) + 14;
    return [{ aspect, text, width, height: LABEL_SIZE + 11, anchor: toRectangle(first.box, place) }];
  });
  return placeLabels(named, frame)
    .map((label, index) => {
      if (!label) return "";
      const { aspect, text } = named[index];
      const colour = colourOf(aspect);
      const look = aspect.isRelevant ? `fill="${toHex(colour)}"` : `fill="${toHex(colour)}" fill-opacity="0.95"`;
      return (
        `<rect x="${label.x}" y="${label.y}" width="${label.width}" height="${label.height}" rx="4" ${look}/>` +
        strokeText(text, {
          x: label.x + 7,
          y: label.y + label.height - 7,
          size: LABEL_SIZE,
          colour: inkOn(colour),
          weight: aspect.isRelevant ? 0.16 : 0.12,
        })
      );
    })
    .join("");
}

function toRectangle([yMin, xMin, yMax, xMax]: Box, { x, y, width, height }: Rectangle): Rectangle {
  return { x: x + xMin * width, y: y + yMin * height, width: (xMax - xMin) * width, height: (yMax - yMin) * height };
}
