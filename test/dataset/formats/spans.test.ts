/** Pixels of shapes, worked out by hand: a pixel belongs to a shape if its centre does. */

import { describe, expect, test } from "vitest";
import { boundsOf, type DrawnShape, drawShape } from "../../../src/dataset/formats/spans.js";

/** Rows of `#` and `.`. */
const drawn = (shape: DrawnShape, width: number, height: number, scale = 1) => {
  const rows = Array.from({ length: height }, () => Array.from({ length: width }, () => "."));
  drawShape(shape, { width, height, scaleX: scale, scaleY: scale }, (row, from, to) => rows[row].fill("#", from, to));
  return rows.map((row) => row.join(""));
};
const polygon = (...points: [number, number][]): DrawnShape => ({ kind: "polygons", parts: [points] });

describe("drawShape", () => {
  test("a box of whole pixels, and one of half ones", () => {
    expect(drawn({ kind: "box", x: 1, y: 0, width: 2, height: 1 }, 4, 2)).toEqual([".##.", "...."]);
    // 0.5..2.5 holds the centres 0.5 (at its left edge) and 1.5, not 2.5 (at its right edge).
    expect(drawn({ kind: "box", x: 0.5, y: 0, width: 2, height: 1 }, 4, 1)).toEqual(["##.."]);
  });

  test("neighbours that share an edge share no pixel and leave none out", () => {
    const left = drawn(polygon([0, 0], [2.5, 0], [1.5, 4], [0, 4]), 4, 4);
    const right = drawn(polygon([2.5, 0], [4, 0], [4, 4], [1.5, 4]), 4, 4);
    for (const [row, text] of left.entries())
      for (const [x, mark] of [...text].entries()) expect([mark, right[row][x]].sort()).toEqual(["#", "."]);
  });

  test("a triangle has the pixels whose centres are below its slope", () => {
    // x < y: at the centre 0.5 of the first row none but x = 0.5, which lies on the edge and is out.
    expect(drawn(polygon([0, 0], [4, 4], [0, 4]), 4, 4)).toEqual(["....", "#...", "##..", "###."]);
  });

  test("parts of one object are joined, also where they overlap", () => {
    const parts = [
      [
        [0, 0],
        [2, 0],
        [2, 1],
        [0, 1],
      ],
      [
        [1, 0],
        [3, 0],
        [3, 1],
        [1, 1],
      ],
    ] as [number, number][][];
    expect(drawn({ kind: "polygons", parts }, 4, 1)).toEqual(["###."]);
  });

  test("what reaches outside is cut off", () => {
    expect(drawn({ kind: "box", x: -5, y: -5, width: 7, height: 6 }, 3, 2)).toEqual(["##.", "..."]);
  });

  test("a circle, and an ellipse upright and turned", () => {
    // Radius 1.5 about (2, 2): the nearest centres are 0.71 away, the next, such as (0.5, 1.5), 1.58.
    const circle: DrawnShape = { kind: "ellipse", centre: [2, 2], radii: [1.5, 1.5], rotation: 0 };
    expect(drawn(circle, 4, 4)).toEqual(["....", ".##.", ".##.", "...."]);
    const flat: DrawnShape = { kind: "ellipse", centre: [2.5, 1.5], radii: [2.2, 0.6], rotation: 0 };
    expect(drawn(flat, 5, 3)).toEqual([".....", "#####", "....."]);
    const upright: DrawnShape = { ...flat, centre: [1.5, 2.5], rotation: 90 };
    expect(drawn(upright, 3, 5)).toEqual([".#.", ".#.", ".#.", ".#.", ".#."]);
    // Clockwise in an image: from the upper left to the lower right.
    expect(drawn({ ...flat, centre: [1.5, 1.5], rotation: 45 }, 3, 3)).toEqual(["#..", ".#.", "..#"]);
  });

  test("runs along columns and along rows", () => {
    const runs = Uint32Array.from([1, 2, 2, 1]);
    const rectangle = { left: 1, top: 0, width: 2, height: 3, runs };
    // Down the columns: 1 out, 2 in; 2 out, 1 in.
    expect(drawn({ kind: "runs", along: "columns", ...rectangle }, 4, 3)).toEqual(["....", ".#..", ".##."]);
    // Along the rows of 2: out, in | in, out | out, in.
    expect(drawn({ kind: "runs", along: "rows", ...rectangle }, 4, 3)).toEqual(["..#.", ".#..", "..#."]);
  });

  test("coordinates of a larger image are scaled", () => {
    expect(drawn({ kind: "box", x: 4, y: 0, width: 4, height: 4 }, 4, 2, 0.5)).toEqual(["..##", "..##"]);
    const runs: DrawnShape = {
      ...{ kind: "runs", along: "rows", left: 0, top: 0, width: 4, height: 2 },
      runs: Uint32Array.from([2, 2, 2, 2]),
    };
    expect(drawn(runs, 2, 1, 0.5)).toEqual([".#"]);
  });
});

test("boundsOf: the box around each shape", () => {
  expect(boundsOf(polygon([1, 2], [5, 3], [2, 9]))).toEqual([1, 2, 5, 9]);
  expect(boundsOf({ kind: "ellipse", centre: [5, 5], radii: [3, 1], rotation: 90 })).toEqual([4, 2, 6, 8]);
  const columns: DrawnShape = {
    ...{ kind: "runs", along: "columns", left: 10, top: 20, width: 3, height: 4 },
    runs: Uint32Array.from([5, 2, 5]),
  };
  // Pixels 5 and 6 down the columns of 4: column 1, rows 1 and 2.
  expect(boundsOf(columns)).toEqual([11, 21, 12, 23]);
  expect(boundsOf({ ...columns, runs: Uint32Array.from([5, 4, 3]) })).toEqual([11, 20, 13, 24]);
  expect(boundsOf({ ...columns, runs: Uint32Array.from([12]) })).toBeUndefined();
});
