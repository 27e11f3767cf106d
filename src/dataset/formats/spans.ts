/** Which pixels a shape covers: those whose centre lies in it. */

import type { Point, Shape } from "./annotated-set.js";

/** A shape that has a place and needs no file. */
export type DrawnShape = Exclude<Shape, { kind: "image" } | { kind: "mask-file" }>;

/** The image's own pixels, and how many of them a unit of the shape's coordinates is. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Pixels `from` up to but not including `to` of a row; they may be given twice. */
export type OnSpan = (row: number, from: number, to: number) => void;

/** `[left, top, right, bottom]` in units of the shape; `undefined` where it covers nothing. */
export type Bounds = readonly [left: number, top: number, right: number, bottom: number];

/** Calls `onSpan` for all pixels in the image whose centre lies in the shape. */
export function drawShape(shape: DrawnShape, frame: Frame, onSpan: OnSpan): void {
  const bounds = boundsOf(shape);
  if (!bounds) return;
  const inRow = rowsOf(shape);
  const first = Math.max(0, Math.floor(bounds[1] * frame.scaleY) - 1);
  const last = Math.min(frame.height - 1, Math.ceil(bounds[3] * frame.scaleY) + 1);
  for (let row = first; row <= last; row++) {
    inRow((row + 0.5) / frame.scaleY, (left, right) => {
      // The first centre at or right of an edge is in, and the first at or right of the other edge is out.
      const from = Math.max(0, Math.ceil(left * frame.scaleX - 0.5));
      const to = Math.min(frame.width, Math.ceil(right * frame.scaleX - 0.5));
      if (from < to) onSpan(row, from, to);
    });
  }
}

export function boundsOf(shape: DrawnShape): Bounds | undefined {
  switch (shape.kind) {
    case "box":
      return [shape.x, shape.y, shape.x + shape.width, shape.y + shape.height];
    case "polygons":
      return boundsOfPoints(shape.parts);
    case "ellipse": {
      const { centre, radii } = shape;
      const [cos, sin] = turn(shape.rotation);
      const [x, y] = [Math.hypot(radii[0] * cos, radii[1] * sin), Math.hypot(radii[0] * sin, radii[1] * cos)];
      return [centre[0] - x, centre[1] - y, centre[0] + x, centre[1] + y];
    }
    case "runs":
      return boundsOfRuns(shape);
  }
}

type InRow = (y: number, onInterval: (left: number, right: number) => void) => void;

/** The intervals of a line at height `y`, in units of the shape. */
function rowsOf(shape: DrawnShape): InRow {
  switch (shape.kind) {
    case "box":
      return (y, onInterval) => {
        if (y >= shape.y && y < shape.y + shape.height) onInterval(shape.x, shape.x + shape.width);
      };
    case "polygons":
      return (y, onInterval) => {
        for (const part of shape.parts) crossings(part, y, onInterval);
      };
    case "ellipse":
      return ellipseRow(shape);
    case "runs":
      return runsRow(shape);
  }
}

/** Between the first and second crossing of the outline, the third and fourth, and so on: the even-odd rule. */
function crossings(part: readonly Point[], y: number, onInterval: (left: number, right: number) => void): void {
  const at: number[] = [];
  for (let index = 0; index < part.length; index++) {
    const [x0, y0] = part[index];
    const [x1, y1] = part[(index + 1) % part.length];
    if (y0 <= y !== y1 <= y) at.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  }
  at.sort((a, b) => a - b);
  for (let index = 0; index + 1 < at.length; index += 2) onInterval(at[index], at[index + 1]);
}

function ellipseRow({ centre, radii, rotation }: Extract<Shape, { kind: "ellipse" }>): InRow {
  const [cos, sin] = turn(rotation);
  const [p, q] = [1 / radii[0] ** 2, 1 / radii[1] ** 2];
  // ((x cos + y sin) / a)^2 + ((y cos - x sin) / b)^2 <= 1, solved for x.
  const a = cos * cos * p + sin * sin * q;
  return (y, onInterval) => {
    const dy = y - centre[1];
    const b = dy * cos * sin * (p - q);
    const c = dy * dy * (sin * sin * p + cos * cos * q) - 1;
    const discriminant = b * b - a * c;
    if (discriminant < 0) return;
    const half = Math.sqrt(discriminant) / a;
    onInterval(centre[0] - b / a - half, centre[0] - b / a + half);
  };
}

type Runs = Extract<Shape, { kind: "runs" }>;

/** A line's pixels, those that follow each other taken together. */
function runsRow(shape: Runs): InRow {
  const bits = bitsOf(shape);
  const { left, top, width, height } = shape;
  return (y, onInterval) => {
    const row = Math.floor(y) - top;
    if (row < 0 || row >= height) return;
    for (let x = 0; x < width; x++) {
      if (!bits[row * width + x]) continue;
      const from = x;
      while (x + 1 < width && bits[row * width + x + 1]) x++;
      onInterval(left + from, left + x + 1);
    }
  };
}

/** `[height * width]`, row-major, 1 in the object. */
function bitsOf({ width, height, along, runs }: Runs): Uint8Array {
  const bits = new Uint8Array(width * height);
  let at = 0;
  for (const [index, length] of runs.entries()) {
    if (index % 2 === 1 && along === "rows") bits.fill(1, at, at + length);
    if (index % 2 === 1 && along === "columns")
      for (let k = at; k < at + length; k++) bits[(k % height) * width + Math.floor(k / height)] = 1;
    at += length;
  }
  return bits;
}

function boundsOfRuns(shape: Runs): Bounds | undefined {
  const { left, top, width, height, along, runs } = shape;
  let [minX, minY, maxX, maxY] = [width, height, -1, -1];
  const [major, minor] = along === "rows" ? [width, height] : [height, width];
  let at = 0;
  for (const [index, length] of runs.entries()) {
    const [from, to] = [at, at + length];
    at = to;
    if (index % 2 === 0 || length === 0) continue;
    const [firstLine, lastLine] = [Math.floor(from / major), Math.min(minor, Math.ceil(to / major)) - 1];
    const isWhole = lastLine > firstLine;
    const [firstPlace, lastPlace] = isWhole ? [0, major - 1] : [from % major, (to - 1) % major];
    const [x0, x1, y0, y1] =
      along === "rows" ? [firstPlace, lastPlace, firstLine, lastLine] : [firstLine, lastLine, firstPlace, lastPlace];
    minX = Math.min(minX, x0);
    maxX = Math.max(maxX, x1);
    minY = Math.min(minY, y0);
    maxY = Math.max(maxY, y1);
  }
  return maxX < 0 ? undefined : [left + minX, top + minY, left + maxX + 1, top + maxY + 1];
}

function boundsOfPoints(parts: readonly (readonly Point[])[]): Bounds | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const part of parts)
    for (const [x, y] of part) {
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  return left <= right ? [left, top, right, bottom] : undefined;
}

/** Cosine and sine of degrees; exact for quarters. */
function turn(degrees: number): [number, number] {
  const quarter = (((degrees % 360) + 360) % 360) / 90;
  const exact = [
    [1, 0],
    [0, 1],
    [-1, 0],
    [0, -1],
  ] as const;
  const [cos, sin] = Number.isInteger(quarter) ? exact[quarter] : [];
  const angle = (degrees * Math.PI) / 180;
  return [cos ?? Math.cos(angle), sin ?? Math.sin(angle)];
}
