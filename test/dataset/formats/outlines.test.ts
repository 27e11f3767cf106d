/** Outlines of masks, worked out by hand, and filled again. */

import { expect, test } from "vitest";
import { outlinesOf } from "../../../src/dataset/formats/outlines.js";

/** Rows of `.` and `#`. */
const outlines = (...rows: string[]) => {
  const size = { width: rows[0].length, height: rows.length };
  return outlinesOf(
    Uint8Array.from(rows.join(""), (cell) => (cell === "#" ? 1 : 0)),
    size,
  );
};

test("a pixel has four corners, clockwise from the left upper one", () => {
  expect(outlines("...", ".#.")).toEqual([
    [
      [1, 1],
      [2, 1],
      [2, 2],
      [1, 2],
    ],
  ]);
});

test("corners stand only where the outline turns", () => {
  expect(outlines("##.", "###")).toEqual([
    [
      [0, 0],
      [2, 0],
      [2, 1],
      [3, 1],
      [3, 2],
      [0, 2],
    ],
  ]);
});

test("pixels that touch by a corner are regions of their own", () => {
  expect(outlines("#.", ".#")).toHaveLength(2);
  expect(outlines("##.", "#.#", "###")).toHaveLength(1);
});

test("a hole is filled", () => {
  expect(outlines("###", "#.#", "###")).toEqual([
    [
      [0, 0],
      [3, 0],
      [3, 3],
      [0, 3],
    ],
  ]);
});

test("nothing has no outline", () => {
  expect(outlines("...")).toEqual([]);
});

test("any mask without holes comes back from its outlines, by the even-odd rule at the centres of pixels", () => {
  let state = 1;
  const random = () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
  for (let round = 0; round < 50; round++) {
    const [width, height] = [2 + Math.floor(random() * 9), 2 + Math.floor(random() * 9)];
    const size = { width, height };
    const pixels = Uint8Array.from({ length: width * height }, () => (random() < 0.6 ? 1 : 0));
    const fill = (outline: readonly (readonly [number, number])[], into: Uint8Array) => {
      for (let at = 0; at < into.length; at++) {
        const [x, y] = [(at % width) + 0.5, Math.floor(at / width) + 0.5];
        let isIn = false;
        for (const [k, [x0, y0]] of outline.entries()) {
          const [x1, y1] = outline[(k + 1) % outline.length];
          if (x0 === x1 && y0 <= y !== y1 <= y && x0 > x) isIn = !isIn;
        }
        if (isIn) into[at] = 1;
      }
    };
    const filled = new Uint8Array(pixels.length);
    for (const outline of outlinesOf(pixels, size)) fill(outline, filled);
    // What is marked is filled; what is filled beside it is a hole, from which no way leads to the edge.
    const outside = Uint8Array.from(pixels, (pixel) => 1 - pixel);
    const open = [...outside.keys()].filter(
      (at) =>
        outside[at] && (at % width === 0 || at % width === width - 1 || at < width || at >= outside.length - width),
    );
    const reached = new Set(open);
    for (let at = open.pop(); at !== undefined; at = open.pop())
      for (const dy of [-1, 0, 1])
        for (const dx of [-1, 0, 1]) {
          const [x, y] = [(at % width) + dx, Math.floor(at / width) + dy];
          const next = y * width + x;
          if (x < 0 || y < 0 || x >= width || y >= height || !outside[next] || reached.has(next)) continue;
          // Regions that touch by a corner close a way that goes through it.
          if (dx !== 0 && dy !== 0) continue;
          reached.add(next);
          open.push(next);
        }
    for (const [at, pixel] of pixels.entries()) {
      if (pixel) expect(filled[at]).toBe(1);
      else if (reached.has(at)) expect(filled[at]).toBe(0);
    }
  }
});
