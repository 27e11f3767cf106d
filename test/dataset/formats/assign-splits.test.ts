/** Splits: in proportion, by groups, repeatable. */

import { describe, expect, test } from "vitest";
import { assignSplits, type Drawable } from "../../../src/dataset/formats/assign-splits.js";
import { DEFAULT_SPLITS } from "../../../src/dataset/formats/mapping.js";
import type { Split } from "../../../src/dataset/record.js";

const counts = (splits: readonly Split[]) => ({
  train: splits.filter((split) => split === "train").length,
  validation: splits.filter((split) => split === "validation").length,
  test: splits.filter((split) => split === "test").length,
});
const images = (count: number, make: (index: number) => Partial<Drawable>): Drawable[] =>
  Array.from({ length: count }, (_, index) => ({ labels: [], groups: {}, ...make(index) }));

describe("assignSplits", () => {
  test("gives each split its share of the images and of each label", () => {
    const all = images(200, (index) => ({
      labels: [index % 10 === 0 ? "class rare" : "class usual", ...(index % 4 === 0 ? ["crack"] : [])],
    }));
    const splits = assignSplits(all, DEFAULT_SPLITS);
    expect(counts(splits)).toEqual({ train: 140, validation: 30, test: 30 });
    // Of 20, 14 : 3 : 3; of 50, 35 : 7.5 : 7.5.
    expect(counts(splits.filter((_, at) => all[at].labels[0] === "class rare"))).toEqual({
      train: 14,
      validation: 3,
      test: 3,
    });
    const cracks = counts(splits.filter((_, at) => all[at].labels.includes("crack")));
    expect(Math.abs(cracks.train - 35)).toBeLessThanOrEqual(1);
    expect(Math.abs(cracks.validation - cracks.test)).toBeLessThanOrEqual(1);
  });

  test("the same seed gives the same, another seed another", () => {
    const all = images(50, () => ({}));
    expect(assignSplits(all, DEFAULT_SPLITS)).toEqual(assignSplits(all, DEFAULT_SPLITS));
    expect(assignSplits(all, DEFAULT_SPLITS)).not.toEqual(assignSplits(all, { ...DEFAULT_SPLITS, seed: 8 }));
  });

  test("no group is divided, also not one that is joined through another", () => {
    // Patients of three images each; patients 0 and 1 share a device.
    const all = images(60, (index) => {
      const patient = Math.floor(index / 3);
      return { groups: { patient: `p${patient}`, device: patient < 2 ? "d" : `d${patient}` } };
    });
    const splits = assignSplits(all, { ...DEFAULT_SPLITS, by: ["patient", "device"] });
    for (let first = 0; first < 60; first += 3) expect(new Set(splits.slice(first, first + 3)).size).toBe(1);
    expect(new Set(splits.slice(0, 6)).size).toBe(1);
    expect(counts(splits)).toEqual({ train: 42, validation: 9, test: 9 });
  });

  test("keeps what the export says, and draws the others", () => {
    const all = images(12, (index) => (index < 6 ? { split: "test" } : {}));
    const splits = assignSplits(all, DEFAULT_SPLITS);
    expect(splits.slice(0, 6)).toEqual(new Array(6).fill("test"));
    expect(counts(splits.slice(6))).toEqual({ train: 4, validation: 1, test: 1 });
    expect(counts(assignSplits(all, { ...DEFAULT_SPLITS, keep: false }))).toEqual({ train: 8, validation: 2, test: 2 });
  });

  test("takes validation from the training images where the export has none", () => {
    const all = images(120, (index) => ({ split: index < 100 ? "train" : "test" }));
    // 0.15 of 0.85 are validation: 17.6 of 100.
    const { train, validation, test: tests } = counts(assignSplits(all, DEFAULT_SPLITS));
    expect([train, validation, tests]).toEqual([82, 18, 20]);
    const without = { ...DEFAULT_SPLITS, shares: { train: 1, validation: 0, test: 0 } };
    expect(counts(assignSplits(all, without)).validation).toBe(0);
  });
});
