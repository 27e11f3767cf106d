import sharp from "sharp";
import { expect, test } from "vitest";
import type { Sample } from "../../src/core/annotation.js";
import { augmentationSheet } from "../../src/pictures/augmentation-sheet.js";
import { aspectColour } from "../../src/pictures/palette.js";

/** A grey image whose left half has the first aspect, and a box of the second around its middle. */
const sample: Sample = {
  path: "a.png",
  image: new Uint8Array(3 * 16 * 16).fill(128),
  target: {},
  aspects: {
    crack: { mask: Uint8Array.from({ length: 256 }, (_, i) => (i % 16 < 8 ? 1 : 0)) },
    knob: { boxes: [[0.25, 0.25, 0.75, 0.75]] },
  },
};

test("a row an image, a column a view, with masks and boxes in their aspects' colours, named below", async () => {
  const png = await augmentationSheet([[sample, sample, sample], [sample]], { aspects: ["crack", "knob"], size: 16 });
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([24 + 3 * 192 - 12 + 24, 24 + 40 + 2 * 192 + 8 + 28]);
  const at = (x: number, y: number) => [...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3)];
  const [top, left] = [24 + 40, 24];
  const mixed = aspectColour(0).map((part) => 128 + 0.35 * (part - 128));
  at(left + 20, top + 90).forEach((part, k) => {
    expect(Math.abs(part - mixed[k])).toBeLessThan(3);
  });
  expect(at(left + 170, top + 20)).toEqual([128, 128, 128]);
  expect(at(left + 135, top + 90)).toEqual([...aspectColour(1)]); // the box's right edge
  expect(at(left + 192 + 100, top + 192 + 90)).toEqual([255, 255, 255]); // the second image has one view
});
