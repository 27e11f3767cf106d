import { describe, expect, test } from "vitest";
import { inpaint } from "../../src/faithfulness/inpaint.js";

/** Grey by row and column. */
function image(size: number, value: (row: number, column: number) => number): Uint8Array {
  return Uint8Array.from({ length: 3 * size * size }, (_, index) => {
    const at = Math.floor(index / 3);
    return value(Math.floor(at / size), at % size);
  });
}

function hole(size: number, isOpen: (row: number, column: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: size * size }, (_, at) => (isOpen(Math.floor(at / size), at % size) ? 1 : 0));
}

describe("painting over", () => {
  test("fills a hole in one colour with that colour, at any size", () => {
    for (const size of [1, 2, 7, 32]) {
      const middle = (row: number, column: number) => row > size / 4 && row < size / 2 && column > size / 4;
      const pixels = image(size, (row, column) => (middle(row, column) ? 250 : 80));
      expect([...inpaint(pixels, { size, hole: hole(size, middle) })], `${size}`).toEqual(
        [...pixels].map((value) => (value === 250 ? 80 : value)),
      );
    }
  });

  test("works out by hand: one unknown pixel of four is the mean of the others", () => {
    // 10, 20, 60 known: the one coarse pixel is 30, and all that is pushed down to the corner.
    const filled = inpaint(
      image(2, (row, column) => [10, 20, 60, 255][2 * row + column]),
      { size: 2, hole: Uint8Array.of(0, 0, 0, 1) },
    );
    expect([...filled]).toEqual([10, 20, 60, 30].flatMap((value) => [value, value, value]));
  });

  test("goes from one side's colour to the other's, and leaves the rest as it was", () => {
    const size = 32;
    const gap = (_: number, column: number) => column >= 8 && column < 24;
    const pixels = image(size, (_, column) => (column < 8 ? 40 : column < 24 ? 255 : 200));
    const filled = inpaint(pixels, { size, hole: hole(size, gap) });
    const row = Array.from({ length: size }, (_, column) => filled[3 * (16 * size + column)]);
    expect(row.slice(0, 8)).toEqual(new Array(8).fill(40));
    expect(row.slice(24)).toEqual(new Array(8).fill(200));
    expect(row).toEqual([...row].sort((a, b) => a - b));
    expect(Math.max(...row.slice(1).map((value, index) => value - row[index]))).toBeLessThan(40);
  });

  test("leaves an image alone that is nothing but hole, or has none", () => {
    const pixels = image(8, (row, column) => 10 * row + column);
    expect(inpaint(pixels, { size: 8, hole: new Uint8Array(64).fill(1) })).toEqual(pixels);
    expect(inpaint(pixels, { size: 8, hole: new Uint8Array(64) })).toEqual(pixels);
  });
});
