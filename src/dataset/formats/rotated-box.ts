/** The corners of rotated boxes and the angles at which tools turn them: clockwise on the screen, y pointing down. */

import type { Point, Shape } from "./annotated-set.js";

export interface BoxEdges {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * @param box before it is turned.
 * @param rotation degrees, clockwise.
 * @param about the point that stays where it is.
 * @returns a plain box where the rotation is a multiple of 360 degrees, else its four corners.
 */
export function turnedBox(box: BoxEdges, { rotation, about }: { rotation: number; about: Point }): Shape {
  const { x, y, width, height } = box;
  if (rotation % 360 === 0) return { kind: "box", x, y, width, height };
  const [cos, sin] = [Math.cos((rotation * Math.PI) / 180), Math.sin((rotation * Math.PI) / 180)];
  const turned = ([px, py]: Point): Point => {
    const [dx, dy] = [px - about[0], py - about[1]];
    return [about[0] + dx * cos - dy * sin, about[1] + dx * sin + dy * cos];
  };
  const corners: Point[] = [
    [x, y],
    [x + width, y],
    [x + width, y + height],
    [x, y + height],
  ];
  return { kind: "polygons", parts: [corners.map(turned)], isRotatedBox: true };
}
