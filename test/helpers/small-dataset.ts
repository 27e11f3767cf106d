/** A dataset of five images in which each state of each kind of label occurs, with regions that are neither. */

import { greyPng, writeFiles } from "./write-files.js";

/** 8 x 4 pixels. */
export const WIDTH = 8;
export const HEIGHT = 4;

/** 1 is a crack, 2 something else, 255 neither. */
export const MASK = [
  ...[0, 1, 1, 0, 0, 0, 0, 255],
  ...[0, 1, 0, 0, 2, 2, 0, 255],
  ...[0, 0, 1, 0, 2, 2, 0, 0],
  ...[0, 0, 0, 0, 0, 0, 1, 1],
];

const lines = [
  {
    ...{ image: "images/a.png", split: "train", label: "bad", groups: { patient: "p1" } },
    aspects: {
      crack: { mask: "masks/a.png", values: [1], ignore: [255] },
      bolt: { boxes: [[0.25, 0.125, 0.75, 0.5]], ignoredBoxes: [[0, 0.5, 0.5, 1]] },
      wet: { present: true },
      share: { amount: 0.5 },
    },
  },
  {
    ...{ image: "images/sub/b.png", split: "train", label: "good", groups: { patient: "p2" } },
    aspects: { crack: { mask: null }, bolt: { boxes: [] }, wet: { present: false } },
  },
  { image: "images/c.png", split: "validation", label: "good", groups: { patient: "p3" }, aspects: {} },
  {
    ...{ image: "images/d e.png", split: "test", groups: { patient: "p4" } },
    aspects: {
      crack: { mask: "masks/a.png", values: [2] },
      bolt: {
        boxes: [
          [0, 0, 1, 1],
          [0.5, 0.5, 0.75, 1],
        ],
      },
    },
  },
  {
    ...{ image: "images/e.png", split: "test", label: "bad", groups: { patient: "p4" } },
    aspects: { wet: { present: true }, bolt: { boxes: [] } },
  },
];

/** @param more keys of `dataset.json`. @param change what to make of each line. */
export function smallDataset(
  more: object = {},
  change: (line: Record<string, unknown>, at: number) => object = (line) => line,
): string {
  const images = lines.map(({ image }, at) => [image, greyPng(WIDTH, HEIGHT, [at])]);
  return writeFiles({
    "dataset.json": JSON.stringify({
      ...{ format: "aspectlens-dataset/1", name: "small", task: "single", classes: ["good", "bad"] },
      aspects: [
        { name: "crack", kind: "segmentation" },
        { name: "bolt", kind: "boxes" },
        { name: "wet", kind: "presence" },
        { name: "share", kind: "amount" },
      ],
      ...more,
    }),
    "samples.jsonl": lines.map((line, at) => `${JSON.stringify(change(line, at))}\n`).join(""),
    "masks/a.png": greyPng(WIDTH, HEIGHT, MASK),
    ...Object.fromEntries(images),
  });
}
