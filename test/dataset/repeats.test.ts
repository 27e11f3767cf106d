import { describe, expect, test } from "vitest";
import { permutation, random } from "../../src/core/random.js";
import { drawCount, drawEpoch, repeatFactors } from "../../src/dataset/repeats.js";

const range = (count: number) => Array.from({ length: count }, (_, index) => index);

describe("repeat factors", () => {
  test("by hand: half, an eighth and a hundredth of the images, drawn from an eighth on", () => {
    const shown = new Map([
      ["common", range(50)],
      ["seldom", range(100).slice(0, 12)],
      ["rare", [3, 99]],
    ]);
    const factors = repeatFactors(shown, { count: 100, least: 0.125 });
    expect(factors[99]).toBeCloseTo(2.5, 12); // sqrt(0.125 / 0.02)
    expect(factors[3]).toBeCloseTo(2.5, 12); // by its rarest
    expect(factors[0]).toBeCloseTo(Math.sqrt(0.125 / 0.12), 12);
    expect(factors[20]).toBe(1);
    expect(factors[60]).toBe(1);
  });

  test("are at most 4, and 1 where nothing is to be repeated", () => {
    const shown = new Map([["rare", [0]]]);
    expect(repeatFactors(shown, { count: 10_000, least: 0.125 })[0]).toBe(4);
    expect([...repeatFactors(shown, { count: 100, least: 0 })]).toEqual(new Array(100).fill(1));
    expect([...repeatFactors(shown, { count: 1, least: 0 })]).toEqual([1]);
  });

  test("are divided by the smallest: ten classes of ten images each are all drawn once", () => {
    const classes = range(10).map((name): [string, number[]] => [
      `class:${name}`,
      range(10).map((at) => 10 * name + at),
    ]);
    expect([...repeatFactors(new Map(classes), { count: 100, least: 1 })]).toEqual(new Array(100).fill(1));
    // One more that shows nothing changes nothing.
    expect([...repeatFactors(new Map(classes), { count: 101, least: 1 })]).toEqual(new Array(101).fill(1));
    // Of two classes with 80 and 20 images: sqrt(1 / 0.2) / sqrt(1 / 0.8).
    const two = new Map([
      ["class:often", range(80)],
      ["class:seldom", range(20).map((at) => 80 + at)],
    ]);
    const factors = repeatFactors(two, { count: 100, least: 1 });
    expect(factors[0]).toBe(1);
    expect(factors[99]).toBeCloseTo(2, 12);
  });
});

describe("the draws of an epoch", () => {
  test("with factors of 1 are a permutation, the same as ever", () => {
    const { indices, copies } = drawEpoch(new Float64Array(10).fill(1), random(5, "order", 0));
    expect([...indices]).toEqual([...permutation(10, random(5, "order", 0))]);
    expect(copies.every((copy) => copy === 0)).toBe(true);
  });

  test("hold each image its factor's number of times, rounded down or up, and copies are numbered", () => {
    const factors = Float64Array.from({ length: 200 }, (_, index) => (index < 20 ? 2.5 : 1));
    expect(drawCount(factors)).toBe(230);
    const totals = new Float64Array(200);
    for (let epoch = 0; epoch < 50; epoch++) {
      const { indices, copies } = drawEpoch(factors, random(7, "order", epoch));
      expect(indices).toHaveLength(230);
      const drawn = new Map<number, number[]>();
      indices.forEach((index, at) => {
        drawn.set(index, [...(drawn.get(index) ?? []), copies[at]]);
        totals[index]++;
      });
      for (const [index, numbers] of drawn) {
        expect([...numbers].sort()).toEqual(range(numbers.length));
        expect(Math.abs(numbers.length - factors[index])).toBeLessThan(1);
      }
      expect(drawn.size).toBe(200);
    }
    for (let index = 0; index < 200; index++) expect(Math.abs(totals[index] / 50 - factors[index])).toBeLessThan(0.3);
  });
});
