import { expect, test } from "vitest";
import { placesIn, turnedSize } from "../../src/core/augmented-view.js";
import { centerCropFor, centerCropOf } from "../../src/core/center-crop.js";
import {
  isSameSize,
  isSize,
  meanSide,
  pixelCount,
  type Size,
  shapeOf,
  sideOf,
  sidesOf,
  sizeFrom,
  sizeKey,
  sizeText,
} from "../../src/core/size.js";

test("a square is one number, anything else height and width", () => {
  expect([sizeFrom(8, 8), sizeFrom(8, 12)]).toEqual([8, [8, 12]]);
  expect([sidesOf(8), sidesOf([8, 12])]).toEqual([
    { height: 8, width: 8 },
    { height: 8, width: 12 },
  ]);
  expect([shapeOf(8), shapeOf([8, 12])]).toEqual([
    [8, 8],
    [8, 12],
  ]);
  expect([pixelCount(8), pixelCount([8, 18]), meanSide(8), meanSide([8, 18])]).toEqual([64, 144, 8, 12]);
  expect([sizeKey(8), sizeKey([8, 12]), sizeText(8), sizeText([8, 12])]).toEqual([
    ...["8", "8x12", "8 x 8", "8 high x 12 wide"],
  ]);
  expect([isSameSize(8, [8, 8]), isSameSize([8, 12], [8, 12]), isSameSize([8, 12], [12, 8])]).toEqual([
    ...[true, true, false],
  ]);
  expect(sideOf(8)).toBe(8);
  expect(() => sideOf([8, 12])).toThrow(/expected a square/);
});

test("of JSON, whole pixels above 0; a square is not written as two", () => {
  const values = [224, [224, 320], [224, 224], [224], [0, 3], 1.5, "224", null, [224, 320, 3]];
  expect(values.map(isSize)).toEqual([true, true, false, false, false, false, false, false, false]);
});

test.each<[Size, number, object]>([
  // The largest of that shape: by the width 100 / 96 = 1.0417, by the height 80 / 64 = 1.25.
  [[64, 96], 1, { left: 0, top: 6, width: 100, height: 67 }],
  [[96, 64], 1, { left: 23, top: 0, width: 53, height: 80 }],
  [[64, 96], 0.5, { left: 25, top: 23, width: 50, height: 33 }],
  [48, 0.5, { left: 30, top: 20, width: 40, height: 40 }],
  [48, 1, { left: 10, top: 0, width: 80, height: 80 }],
])("the middle of 100 x 80 pixels that a network of %j sees at %d", (size, share, crop) => {
  expect(centerCropOf({ width: 100, height: 80 }, centerCropFor(size, share))).toEqual(crop);
});

test("symmetries of a rectangle: rows and columns change places with its sides", () => {
  // Of 2 rows of 3: a b c / d e f.
  const sides = { height: 2, width: 3 };
  const turned = (symmetry: Parameters<typeof placesIn>[1]) => {
    const { first, down, across } = placesIn(sides, symmetry);
    const out: string[] = [];
    for (let row = 0; row < 2; row++)
      for (let column = 0; column < 3; column++) out[first + row * down + column * across] = "abcdef"[3 * row + column];
    return out.join("");
  };
  expect(turned({ flip: false })).toBe("abcdef");
  expect(turned({ flip: true })).toBe("cbafed");
  expect(turned({ flip: false, isUpsideDown: true })).toBe("defabc");
  // 3 rows of 2: a d / b e / c f.
  expect(turned({ flip: false, isTransposed: true })).toBe("adbecf");
  expect(turned({ flip: true, isTransposed: true })).toBe("cfbead");
  expect([
    turnedSize([2, 3], { isTransposed: true }),
    turnedSize([2, 3], {}),
    turnedSize(4, { isTransposed: true }),
  ]).toEqual([[3, 2], [2, 3], 4]);
});
