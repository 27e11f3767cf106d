import { describe, expect, test } from "vitest";
import { fromFloat16, toFloat16 } from "../../src/core/float16.js";

describe("half precision", () => {
  test("numbers of the standard: one, the largest, the smallest normal and subnormal, a third", () => {
    expect([1, -2, 65504, 2 ** -14, 2 ** -24, 1 / 3].map(toFloat16)).toEqual([
      0x3c00, 0xc000, 0x7bff, 0x0400, 0x0001, 0x3555,
    ]);
    expect(fromFloat16(0x3555)).toBe(0.333251953125);
  });

  test("each of the 63,488 finite patterns comes back, the sign of zero too", () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      if ((bits & 0x7c00) !== 0x7c00) expect(toFloat16(fromFloat16(bits))).toBe(bits);
    }
  });

  test("what lies between two goes to the nearer, half way to the even one", () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [low, high] = [fromFloat16(bits), fromFloat16(bits + 1)];
      const step = high - low;
      expect(toFloat16(low + 0.49 * step)).toBe(bits);
      expect(toFloat16(low + 0.51 * step)).toBe(bits + 1);
      expect(toFloat16(low + 0.5 * step)).toBe(bits % 2 === 0 ? bits : bits + 1);
    }
  });

  test("too large becomes infinite, no number stays none", () => {
    expect(toFloat16(65519)).toBe(0x7bff);
    expect(toFloat16(65520)).toBe(0x7c00);
    expect(fromFloat16(toFloat16(-1e9))).toBe(Number.NEGATIVE_INFINITY);
    expect(fromFloat16(toFloat16(Number.NaN))).toBeNaN();
  });
});
