/** Regions as clients draw them, as masks of a model's input. */

import { InputError } from "../core/errors.js";
import { pixelCount, type Size, sidesOf } from "../core/size.js";
import { drawShape } from "../dataset/formats/spans.js";

/** Shares of the image that the model sees, 0..1: `[y, x]`, a box `[yMin, xMin, yMax, xMax]`, or corners `[y, x]`. */
export interface SentRegion {
  readonly point?: readonly number[];
  readonly box?: readonly number[];
  readonly polygon?: readonly (readonly number[])[];
}

const SHARE = { type: "number", minimum: 0, maximum: 1 };
const POINT = { type: "array", items: SHARE, minItems: 2, maxItems: 2 };

/** JSON Schema of a region; a region has one of the three. */
export const REGION = {
  type: "object",
  additionalProperties: false,
  minProperties: 1,
  maxProperties: 1,
  properties: {
    point: { ...POINT, description: "[y, x], 0 to 1 of the image" },
    box: { type: "array", items: SHARE, minItems: 4, maxItems: 4, description: "[yMin, xMin, yMax, xMax]" },
    polygon: { type: "array", items: POINT, minItems: 3, maxItems: 1000, description: "corners, [y, x]" },
  },
};

/** Around a point, a share of the shorter side: what a fingertip means. */
const RADIUS = 0.04;

/** @returns `[height * width]` of 0 and 1. @throws InputError where it covers no pixel. */
export function drawnMask({ point, box, polygon }: SentRegion, size: Size): Uint8Array {
  const { height, width } = sidesOf(size);
  const mask = new Uint8Array(pixelCount(size));
  const radius = RADIUS * Math.min(height, width);
  const shape = point
    ? ({
        kind: "ellipse",
        centre: [point[1] * width, point[0] * height],
        radii: [radius, radius],
        rotation: 0,
      } as const)
    : ({
        kind: "polygons",
        parts: [(polygon ?? corners(box ?? [])).map(([y, x]) => [x * width, y * height] as const)],
      } as const);
  drawShape(shape, { height, width, scaleX: 1, scaleY: 1 }, (row, from, to) => {
    mask.fill(1, row * width + from, row * width + to);
  });
  if (mask.includes(1)) return mask;
  throw new InputError("regions: one covers no pixel of what the model sees.", { cure: "Draw it larger." });
}

function corners([yMin, xMin, yMax, xMax]: readonly number[]): readonly (readonly number[])[] {
  return [
    [yMin, xMin],
    [yMin, xMax],
    [yMax, xMax],
    [yMax, xMin],
  ];
}
