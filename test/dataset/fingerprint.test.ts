import { join } from "node:path";
import { encode as encodePng } from "fast-png";
import { expect, test } from "vitest";
import { openDataset } from "../../src/dataset/dataset.js";
import { takeFingerprint } from "../../src/dataset/fingerprint.js";
import { fromRaw, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();

/** A grey 20 x 10 image with a 4 x 4 square, a 2 x 2 one, and a speck of one pixel where `speck`. */
const mask = (speck = false) =>
  fromRaw(
    rgb(20, 10, (x, y) => {
      const isIn = (x < 4 && y < 4) || (x >= 10 && x < 12 && y >= 5 && y < 7) || (speck && x === 18 && y === 9);
      return isIn ? [255, 255, 255] : [0, 0, 0];
    }),
    20,
    10,
  )
    .toColourspace("b-w")
    .png()
    .toBuffer();

const image = () =>
  fromRaw(
    rgb(20, 10, (x, y) => [x, y, 0]),
    20,
    10,
  )
    .png()
    .toBuffer();

test("sizes, counts and what each image shows, by hand", async () => {
  const files = { "a.png": await image(), "b.png": await image(), "c.png": await image(), "m.png": await mask() };
  const aspects = [
    { name: "crack", kind: "segmentation" },
    { name: "knob", kind: "boxes" },
    { name: "dust", kind: "presence" },
  ];
  const lines = [
    {
      image: "a.png",
      split: "train",
      label: "a",
      aspects: {
        crack: { mask: "m.png" },
        knob: {
          boxes: [
            [0, 0, 0.5, 0.5],
            [0.5, 0.5, 0.6, 0.6],
          ],
        },
      },
    },
    { image: "b.png", split: "train", label: "b", aspects: { crack: { mask: null }, dust: { present: true } } },
    { image: "c.png", split: "train", label: "b" },
    { image: "c.png", split: "test", label: "b", aspects: { crack: { mask: "m.png" } } },
  ];
  const dataset = await openDataset(await writeDataset(join(folder, "set"), { lines, files, manifest: { aspects } }));
  const { fingerprint, shown } = await takeFingerprint(dataset);
  const { crack, knob, dust } = fingerprint.heads;
  expect(fingerprint.count).toBe(3);
  expect(fingerprint.imageSide.median).toBe(20);
  expect(fingerprint.heads.class).toMatchObject({ labelled: 3, positive: 1 });
  // Parts of 16 and 4 of 200 pixels.
  expect(crack).toMatchObject({ kind: "segmentation", labelled: 2, positive: 1 });
  expect(crack.side?.median).toBeCloseTo((Math.sqrt(16 / 200) + Math.sqrt(4 / 200)) / 2, 6);
  expect(crack.area).toBeCloseTo(0.1, 6);
  expect(knob.side?.least).toBeCloseTo(0.1 + 0.1 * 0.4, 6);
  expect(dust).toEqual({ kind: "presence", labelled: 1, positive: 1 });
  expect(Object.fromEntries(shown)).toEqual({
    ...{ "class:a": [0], "class:b": [1, 2] },
    ...{ crack: [0], knob: [0], dust: [1] },
  });
});

test("remarks on twelve bits in files of sixteen", async () => {
  const dark = (largest: number) =>
    encodePng({ width: 2, height: 2, data: Uint16Array.of(0, largest, 0, 0), channels: 1, depth: 16 });
  const files = { "a.png": dark(2830), "b.png": await image(), "c.png": dark(4000) };
  const lines = Object.keys(files).map((name) => ({ image: name, split: "train", label: "a" }));
  const dataset = await openDataset(await writeDataset(join(folder, "dark"), { lines, files }));
  const { fingerprint } = await takeFingerprint(dataset);
  expect(fingerprint.remark).toMatch(/^2 of 3 images that were looked at: a\.png: its values end at \d+ of 65535/);
});
