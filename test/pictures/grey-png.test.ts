import sharp from "sharp";
import { expect, test } from "vitest";
import { greyPng } from "../../src/pictures/grey-png.js";

test("rows that repeat the one above, and a smaller picture after a larger one, are read the same", async () => {
  for (const [width, height] of [
    [40, 30],
    [9, 7],
  ]) {
    const values = Uint8Array.from(
      { length: width * height },
      (_, i) => (Math.floor(i / width / 3) * 50 + (i % width)) % 256,
    );
    const image = sharp(greyPng(values, { width, height }), { failOn: "warning" });
    expect([...(await image.toColourspace("b-w").raw().toBuffer())]).toEqual([...values]);
  }
});

test.each([
  [1, 1],
  [7, 3],
  [300, 200],
])("another library reads the same %i x %i values, as 8-bit grey", async (width, height) => {
  const values = Uint8Array.from({ length: width * height }, (_, i) => (i % 5 === 0 ? 255 : (i * 7) % 256));
  const image = sharp(greyPng(values, { width, height }), { failOn: "warning" });
  expect(await image.metadata()).toMatchObject({ format: "png", width, height, channels: 1, depth: "uchar" });
  expect([...(await image.toColourspace("b-w").raw().toBuffer())]).toEqual([...values]);
});
