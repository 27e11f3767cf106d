/** Each finding of the survey, on a small dataset that is made to have it, and on one that does not. */

import { expect, test } from "vitest";
import type { Box } from "../../../src/core/box.js";
import type { Manifest } from "../../../src/dataset/manifest.js";
import type { AspectRecord, Split } from "../../../src/dataset/record.js";
import { coOccurrence } from "../../../src/dataset/survey/co-occurrence.js";
import { nearDuplicates } from "../../../src/dataset/survey/near-duplicates.js";
import { oddImages } from "../../../src/dataset/survey/odd-images.js";
import { GLANCE, type SeenSample } from "../../../src/dataset/survey/seen-sample.js";
import { suspiciousLabels } from "../../../src/dataset/survey/suspicious-labels.js";
import { thingSizes } from "../../../src/dataset/survey/thing-sizes.js";

const manifest: Manifest = {
  ...{ name: "given", task: "single", classes: ["a", "b"], samples: "samples.jsonl", causes: {} },
  aspects: [
    { name: "x", kind: "boxes" },
    { name: "y", kind: "segmentation" },
    { name: "z", kind: "presence" },
  ],
};

interface Given {
  readonly split?: Split;
  readonly label?: string;
  readonly aspects?: Readonly<Record<string, AspectRecord>>;
  readonly colour?: (x: number, y: number) => readonly [number, number, number];
  readonly size?: { width: number; height: number };
  readonly masks?: Readonly<Record<string, Float32Array>>;
  readonly isCopy?: boolean;
}

function sample(line: number, given: Given): SeenSample {
  const { split = "train", label, aspects = {}, colour = texture(line), size = { width: 100, height: 100 } } = given;
  const pixels = new Uint8Array(GLANCE * GLANCE * 3);
  for (let y = 0; y < GLANCE; y++) for (let x = 0; x < GLANCE; x++) pixels.set(colour(x, y), 3 * (y * GLANCE + x));
  return {
    record: { image: `${line}.png`, split, target: label === undefined ? {} : { label }, aspects, where: `${line}` },
    ...{ line, isCopy: given.isCopy ?? false, masks: new Map(Object.entries(given.masks ?? {})) },
    image: { ...size, pixels },
  };
}

/** Waves that differ from one seed to the next. */
function texture(seed: number, { shift = 0 } = {}): NonNullable<Given["colour"]> {
  return (x, y) => {
    const level = 120 + shift + 50 * Math.sin(x / (2 + (seed % 7)) + seed) + 40 * Math.cos(y / (3 + (seed % 5)) + seed);
    return [level, level - 10, level + 10];
  };
}

test("an image that is a little brighter is found in another split; other images and byte-equal copies are not", () => {
  const part = nearDuplicates();
  for (let line = 1; line <= 12; line++) part.add(sample(line, {}));
  part.add(sample(13, { split: "test", colour: texture(4, { shift: 2 }) }));
  part.add(sample(14, { split: "test", colour: texture(5), isCopy: true }));
  part.add(sample(15, { colour: texture(6, { shift: 1 }) }));
  const { pairs, acrossCount } = part.result();
  expect(pairs.map(({ first, second }) => [first.line, second.line])).toEqual([
    [4, 13],
    [6, 15],
  ]);
  expect(acrossCount).toBe(2);
});

test("images without structure are no duplicates of one another", () => {
  const part = nearDuplicates();
  for (let line = 1; line <= 3; line++) part.add(sample(line, { colour: () => [200, 200, 200] }));
  expect(part.result().pairs).toEqual([]);
});

const box: readonly Box[] = [[0.1, 0.1, 0.3, 0.3]];

test("what always comes together is said, unless it is a declared cause, too rare, or there are exceptions", () => {
  const given = (own: Partial<Manifest>, exceptions: number, count = 60) => {
    const part = coOccurrence({ ...manifest, ...own });
    for (let line = 0; line < count; line++) {
      const isA = line % 2 === 0;
      const aspects = { x: { boxes: isA !== line < exceptions ? box : [] }, z: { present: line % 3 === 0 } };
      part.add(sample(line, { label: isA ? "a" : "b", aspects }));
    }
    return part.result();
  };
  expect(given({}, 0).together).toEqual([
    expect.stringMatching(/^class "a" and aspect "x" always come together \(30 images with both, 30 with neither\)/),
  ]);
  expect(given({ causes: { a: ["x"] } }, 0).together).toEqual([]);
  expect(given({}, 0, 18).together).toEqual([]);
  expect(given({}, 1).together).toEqual([]); // 1 of 60 is more than 1 %
  expect(given({}, 2, 200).together).toEqual([expect.stringMatching(/come, but for 2 of 200 images, together/)]);
  expect(given({}, 0).classes.a.z).toEqual({ both: 10, firstOnly: 20, secondOnly: 10, neither: 20 });
});

test("a class and an aspect of one name are not said to come together: no image could have one alone", () => {
  const aspects = ["gray_cat", "gray"].map((name) => ({ name, kind: "presence" as const }));
  const part = coOccurrence({ ...manifest, classes: ["gray/cat", "none"], aspects });
  for (let line = 0; line < 40; line++) {
    const present = line % 2 === 0;
    const label = present ? "gray/cat" : "none";
    part.add(sample(line, { label, aspects: { gray_cat: { present }, gray: { present } } }));
  }
  expect(
    part
      .result()
      .together.map((text) => text.split(" always")[0])
      .sort(),
  ).toEqual(['aspect "gray_cat" and aspect "gray"', 'class "gray/cat" and aspect "gray"']);
});

test("two aspects that come together are said too, and unlabelled ones do not count", () => {
  const part = coOccurrence(manifest);
  for (let line = 0; line < 40; line++) {
    const isThere = line % 2 === 0;
    part.add(sample(line, { aspects: { y: { mask: isThere ? "m.png" : null }, z: { present: isThere } } }));
    part.add(sample(line, { aspects: { y: { mask: null } } }));
  }
  expect(part.result().together).toEqual([expect.stringMatching(/^aspect "y" and aspect "z" always come together/)]);
});

test("sizes are counted by octave at the model's size, places as shares of the images that show it", () => {
  const part = thingSizes(manifest, { inputSize: 64 });
  const mask = new Float32Array(64 * 64);
  mask.fill(1, 0, 4 * 64); // the upper four rows: 256 pixels, a side of 16
  part.add(sample(1, { aspects: { x: { boxes: [[0, 0, 0.125, 0.125]] }, y: { mask: "m.png" } }, masks: { y: mask } }));
  part.add(sample(2, { aspects: { x: { boxes: [[0.5, 0.5, 1, 1]] } }, size: { width: 30, height: 20 } }));
  part.add(sample(3, { aspects: { x: { boxes: [] } } }));
  const { sides, locations, images } = part.result();
  expect(sides.x).toEqual([0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]); // 8 pixels and 32 pixels
  expect(sides.y[4]).toBe(1);
  expect(locations.x.count).toBe(2);
  expect(locations.x.values[0]).toBe(0.5);
  expect(locations.x.values[32 * 31 + 31]).toBe(0.5);
  expect(locations.x.values[31]).toBe(0);
  expect(locations.y.values[0]).toBe(1);
  expect(locations.y.values[2 * 32]).toBe(0);
  expect(images).toEqual([
    ["100 x 100", 2],
    ["30 x 20", 1],
  ]);
});

test("odd images: dark, blank, another size, grey among colours, other colours; ordinary ones are not", () => {
  const part = oddImages();
  for (let line = 1; line <= 60; line++) part.add(sample(line, {}));
  expect(part.result()).toEqual([]);
  part.add(sample(61, { colour: () => [3, 2, 3] }));
  part.add(sample(62, { colour: () => [120, 110, 130] }));
  part.add(sample(63, { size: { width: 50, height: 40 } }));
  const wave = texture(3);
  part.add(sample(64, { colour: (x, y) => [wave(x, y)[0], wave(x, y)[0], wave(x, y)[0]] }));
  part.add(sample(65, { colour: (x, y) => [250, wave(x, y)[1], 10] }));
  expect(part.result()).toEqual([
    { line: 61, text: "almost black" },
    { line: 62, text: "blank" },
    { line: 63, text: "50 x 40; most are 100 x 100" },
    { line: 64, text: "grey; most are coloured" },
    { line: 65, text: "colours or contrast unlike the rest" },
  ]);
});

test("suspicious labels: boxes of a pixel, twice the same box, masks that cover all, sizes far off", () => {
  const part = suspiciousLabels(manifest);
  for (let line = 1; line <= 40; line++) part.add(sample(line, { aspects: { x: { boxes: box } } }));
  expect(part.result().count).toBe(0);
  part.add(sample(41, { aspects: { x: { boxes: [[0.1, 0.1, 0.11, 0.3]] } } }));
  part.add(sample(42, { aspects: { x: { boxes: [...box, ...box] } } }));
  part.add(sample(43, { aspects: { y: { mask: "m.png" } }, masks: { y: new Float32Array(16).fill(1) } }));
  part.add(sample(44, { aspects: { x: { boxes: [[0, 0, 1, 1]] } } }));
  const { shown, count } = part.result();
  expect(shown.map(({ line, text }) => `${line} ${text}`)).toEqual([
    "41 box of 20.0 x 1.0 pixels",
    "42 the same box twice",
    "43 mask covers 100 % of the image",
    expect.stringMatching(/^44 \d+ times larger than usual/), // area 1 against 0.04: 25 times, by quarter octaves
    expect.stringMatching(/^41 \d+ times smaller than usual/),
  ]);
  expect(count).toBe(5);
});
