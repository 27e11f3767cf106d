import { join } from "node:path";
import { expect, test } from "vitest";
import { checkDataset } from "../../src/dataset/check.js";
import type { Fault } from "../../src/dataset/fault.js";
import { synthesize } from "../../src/dataset/synth/synthesize.js";
import { fromRaw, pngBytes, rgb, temporaryFolder, writeDataset } from "./given.js";

const folder = await temporaryFolder();
const image = (shade: number) =>
  fromRaw(
    rgb(20, 10, (x) => [shade, x, 0]),
    20,
    10,
  )
    .png()
    .toBuffer();
const rows = (height: number, value: number) =>
  Array.from({ length: height }, () => Array.from({ length: 20 }, () => value));
const jpegMask = await fromRaw(new Uint8Array(200).fill(255), 20, 10, 1).toColourspace("b-w").jpeg().toBuffer();

const aspects = [
  { name: "nucleus", kind: "segmentation" },
  { name: "nodule", kind: "boxes" },
  { name: "unused", kind: "presence" },
  { name: "stain", kind: "amount" },
];
const sample = (name: string, changes: object = {}) => ({ image: name, split: "train", label: "a", ...changes });
const nucleus = (mask: object) => ({ aspects: { nucleus: mask } });

const directory = await writeDataset(join(folder, "set"), {
  manifest: { classes: ["a", "b", "c"], aspects },
  lines: [
    sample("1.png", nucleus({ mask: "m.png" })),
    sample("2.png", { aspects: { nodule: { boxes: [[0, 0, 1.5, 1]] } } }),
    sample("3.png", { label: "d" }),
    "not json",
    sample("none.png"),
    sample("cut.jpg", nucleus({ mask: "tall.png" })),
    sample("4.png", nucleus({ mask: "tall.png" })),
    sample("5.png", nucleus({ mask: "m.jpg" })),
    sample("6.png", nucleus({ mask: "m.png", values: [7] })),
    sample("1.png", { split: "test", label: "b" }),
    sample("copy-of-2.png"),
    sample("2.png"),
    sample("7.png", { aspects: { nodule: { boxes: [], mask: "m.png" }, stain: { map: "indices.png" } } }),
    sample("8.png", { aspects: { nodule: { boxes: [] }, nucleus: { mask: null } } }),
  ],
  files: {
    ...Object.fromEntries(
      await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(async (i) => [`${i}.png`, await image(i * 20)] as const)),
    ),
    "copy-of-2.png": await image(40),
    "cut.jpg": (
      await fromRaw(
        rgb(20, 10, (x, y) => [x * 9, y * 9, 50]),
        20,
        10,
      )
        .jpeg()
        .toBuffer()
    ).subarray(0, -30),
    "m.png": pngBytes(rows(10, 1)),
    "tall.png": pngBytes(rows(11, 1)),
    "m.jpg": jpegMask,
    "indices.png": pngBytes(rows(10, 1), { colourType: 3, palette: [0, 0, 0, 1, 1, 1] }),
  },
});
const samplesFile = join(directory, "samples.jsonl");

test("lists every fault with its line, and goes on after each", async () => {
  const seen: Fault[] = [];
  const report = await checkDataset(directory, { onFault: (fault) => seen.push(fault) });
  const found = report.faults.map(({ severity, line, message }) => [severity, line ?? 0, message]);
  const expected: [string, number, RegExp][] = [
    ["error", 2, /box 1 \[0,0,1\.5,1\] reaches outside the image/],
    ["error", 3, /label: unknown "d"/],
    ["error", 4, /is not JSON/],
    ["error", 5, /none\.png: no such file/],
    ["error", 6, /cut\.jpg: cannot be decoded whole|cut\.jpg: not an image/],
    ["error", 7, /tall\.png: 20 x 11 pixels; its image has 20 x 10/],
    ["warning", 10, /1\.png: the same image as in line 1, which is in split "train" while this is in "test"/],
    ["warning", 12, /2\.png: the same image as in line 11\. Remove one/],
    ["warning", 13, /aspect "nodule": "mask" says that it is there, "boxes" that it is not/],
    ["error", 13, /indices\.png: its pixels are palette indices, not amounts/],
    [
      "warning",
      1,
      /m\.png: every pixel is aspect "nucleus"\. .* The same holds for 3 more \(aspects "nucleus", "nodule"\)/,
    ],
    ["warning", 8, /m\.jpg: a JPEG/],
    ["warning", 9, /m\.png: no pixel of aspect "nucleus" \(the file holds 1, "values" picks 7\); it counts as empty/],
    ["warning", 0, /split "validation" is empty/],
    ["warning", 0, /class "b" has no training sample/],
    ["warning", 0, /class "c" is never used/],
    ["warning", 0, /aspect "nodule" is empty in every labelled training sample/],
    ["warning", 0, /aspect "unused" is labelled in no training sample/],
    ["warning", 0, /class "a" is in no test sample, of 1 labelled for it; it cannot be judged there/],
  ];
  expect(found).toEqual(expected.map(([severity, line, message]) => [severity, line, expect.stringMatching(message)]));
  expect(seen).toEqual(report.faults);
  expect([report.errorCount, report.warningCount, report.isUsable]).toEqual([7, 12, false]);
  for (const { file, line, message } of report.faults) {
    expect(message.startsWith(line === undefined ? `${file}: ` : `${samplesFile}:${line}: `)).toBe(true);
    expect(message).not.toContain("\n");
    if (line !== undefined) expect(message.split(samplesFile)).toHaveLength(2);
  }
});

test("counts the states of each head by split over the lines that could be read", async () => {
  const { heads, samples, classes } = await checkDataset(directory);
  expect(samples).toEqual({ train: 10, validation: 0, test: 1 });
  expect(heads.nucleus).toEqual({
    kind: "segmentation",
    states: {
      train: { labelled: 4, empty: 2, unlabelled: 4 },
      validation: { labelled: 0, empty: 0, unlabelled: 0 },
      test: { labelled: 0, empty: 0, unlabelled: 1 },
    },
  });
  expect(heads.nodule.states.train).toEqual({ labelled: 0, empty: 2, unlabelled: 8 });
  expect(classes.a.train).toBe(10);
});

test("without decoding, still finds missing files and repeated paths", async () => {
  const { faults } = await checkDataset(directory, { decode: false });
  const lines = faults.map((fault) => fault.line).filter((line) => line !== undefined);
  expect(lines).toEqual([2, 3, 4, 5, 10, 13]);
});

test("finds nothing wrong with a set that was drawn", async () => {
  // A seed with which each split shows everything.
  await synthesize(join(folder, "tissue"), { count: 40, size: 64, seed: 12 });
  const report = await checkDataset(join(folder, "tissue"));
  expect(report.faults).toEqual([]);
  expect(report).toMatchObject({ format: "aspectlens-check/1", name: "tissue", isUsable: true });
});

test("throws where there is nothing to list", async () => {
  await expect(checkDataset(join(folder, "nowhere"))).rejects.toThrow("cannot be read");
});
