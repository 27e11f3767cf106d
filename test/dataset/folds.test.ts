/** Folds: each image is held out once, groups stay whole, classes are in proportion; and some of the images. */

import { beforeAll, describe, expect, test } from "vitest";
import { openDataset, records, splitSize } from "../../src/dataset/dataset.js";
import type { Fold } from "../../src/dataset/folds.js";
import { openPart } from "../../src/dataset/open-part.js";
import { SPLITS } from "../../src/dataset/record.js";
import { writeFiles } from "../helpers/write-files.js";

const lines = Array.from({ length: 60 }, (_, at) => ({
  image: `images/${at}.png`,
  split: at < 40 ? "train" : at < 50 ? "validation" : "test",
  label: at % 5 === 0 ? "rare" : "usual",
  // Patients of two images; a site of four patients.
  groups: { patient: `p${at >> 1}`, site: `s${at >> 3}` },
}));
let directory: string;

beforeAll(() => {
  directory = writeFiles({
    "dataset.json": JSON.stringify({
      ...{ format: "aspectlens-dataset/1", name: "folded", classes: ["rare", "usual"] },
      aspects: [],
    }),
    "samples.jsonl": lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  });
});

async function openFold(fold: Fold, seed = 7) {
  const dataset = await openPart(directory, { fold, seed });
  const found = [];
  for await (const record of records(dataset)) found.push(record);
  return { dataset, found };
}

describe("folds", () => {
  test("hold out every image of train and validation once, and none of test", async () => {
    const held: string[] = [];
    for (const number of [1, 2, 3]) {
      const { dataset, found } = await openFold({ number, of: 3, by: ["patient"] });
      held.push(...found.filter(({ split }) => split === "test").map(({ image }) => image));
      expect(found).toHaveLength(50);
      // 15 % of the other two thirds are validation: 5 of 33.
      expect(Math.abs(splitSize(dataset, "validation") - 5)).toBeLessThanOrEqual(1);
      expect(SPLITS.map((split) => splitSize(dataset, split))).toEqual(
        SPLITS.map((split) => found.filter((record) => record.split === split).length),
      );
    }
    expect(held.sort()).toEqual(
      lines
        .slice(0, 50)
        .map(({ image }) => image)
        .sort(),
    );
  });

  test("divide no group, and give each its share of the classes", async () => {
    for (const number of [1, 2]) {
      const { dataset, found } = await openFold({ number, of: 2 });
      const bySite = new Map<string | undefined, Set<string>>();
      for (const { groups, split } of found)
        bySite.set(groups?.site, (bySite.get(groups?.site) ?? new Set()).add(split));
      for (const splits of bySite.values()) expect(splits.size).toBe(1);
      // 10 of the 50 are rare; sites have one or two of them.
      expect(Math.abs(dataset.summary.classes.rare.test - 5)).toBeLessThanOrEqual(1);
    }
  });

  test("are the same for a seed, others for another, and have a hash of their own", async () => {
    const images = async (seed: number) => {
      const { dataset, found } = await openFold({ number: 1, of: 4, by: ["patient"] }, seed);
      return { hash: dataset.hash, splits: found.map(({ split }) => split) };
    };
    expect(await images(7)).toEqual(await images(7));
    expect((await images(8)).splits).not.toEqual((await images(7)).splits);
    expect((await images(8)).hash).not.toBe((await images(7)).hash);
    expect((await images(7)).hash).not.toBe((await openDataset(directory)).hash);
  });

  test.each([
    // Sites of eight images: seven of them, the last with two.
    [
      "more folds than groups",
      { number: 1, of: 8 },
      /into 8 folds: 50 samples .* which make 7 that share no .*fold\.by/,
    ],
    ["more folds than images", { number: 1, of: 51, by: [] }, /into 51 folds: 50 samples .*Ask for fewer/],
    ["a fold beyond the last", { number: 4, of: 3 }, /is 4 of 3 folds/],
    ["an unknown group", { number: 1, of: 3, by: ["ward"] }, /"ward".*Known: patient, site/],
  ])("refuse %s", async (_, fold, message) => {
    await expect(openFold(fold)).rejects.toThrow(message);
  });
});

test("of a split so many images are taken, evenly, and no more", async () => {
  const dataset = await openPart(directory, { images: { train: 4, validation: 100 }, seed: 7 });
  const train = [];
  for await (const { image } of records(dataset, { split: "train" })) train.push(image);
  expect(train).toEqual([0, 10, 20, 30].map((at) => `images/${at}.png`));
  expect([splitSize(dataset, "validation"), splitSize(dataset, "test")]).toEqual([10, 10]);
  const whole = await openDataset(directory);
  expect(dataset.hash).toBe(whole.hash);
  expect(dataset.whole).toEqual(whole.summary.samples);
  expect(whole.whole).toBeUndefined();
});
