import { describe, expect, test } from "vitest";
import { random } from "../../src/core/random.js";
import { adjustedForMany } from "../../src/metrics/benjamini-hochberg.js";
import { fisherExact, mcNemarExact } from "../../src/metrics/exact-tests.js";
import { wilsonInterval } from "../../src/metrics/wilson.js";

describe("Wilson's interval", () => {
  test("of 93 of 100", () => {
    // z^2 = 3.8415: middle (0.93 + 0.019207) / 1.038415 = 0.914093,
    // half 1.959964 / 1.038415 * sqrt(0.93 * 0.07 / 100 + 3.8415 / 40000) = 1.887459 * 0.027332 = 0.051588
    const [low, high] = wilsonInterval(93, 100);
    expect(low).toBeCloseTo(0.862505, 5);
    expect(high).toBeCloseTo(0.965681, 5);
  });

  test("of none is exact at zero, and ends at z^2 / (n + z^2)", () => {
    const [low, high] = wilsonInterval(0, 10);
    expect(low).toBe(0);
    expect(high).toBeCloseTo(3.8415 / 13.8415, 4);
    expect(wilsonInterval(10, 10)[1]).toBe(1);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });

  test("holds the truth in about 95 % of draws, also for a rare property", () => {
    const stream = random(7, "wilson");
    let hits = 0;
    for (let draw = 0; draw < 1000; draw++) {
      let count = 0;
      for (let image = 0; image < 200; image++) if (stream.next() < 0.03) count++;
      const [low, high] = wilsonInterval(count, 200);
      if (low <= 0.03 && 0.03 <= high) hits++;
    }
    expect(hits).toBeGreaterThan(930);
    expect(hits).toBeLessThan(985);
  });
});

describe("Benjamini and Hochberg's adjustment", () => {
  test("multiplies by the number of tests over the rank, and never falls with p", () => {
    // Sorted 0.005, 0.03, 0.04, 0.9: 4/1 * 0.005, min(4/2 * 0.03, 4/3 * 0.04), 4/3 * 0.04, 0.9
    const adjusted = adjustedForMany([0.005, 0.9, 0.03, 0.04]);
    [0.02, 0.9, 0.16 / 3, 0.16 / 3].forEach((value, index) => {
      expect(adjusted[index]).toBeCloseTo(value, 12);
    });
    expect(adjustedForMany([])).toEqual([]);
    expect(adjustedForMany([1, 1])).toEqual([1, 1]);
  });

  test("of tests without any difference, some are called one in about 5 % of the draws", () => {
    const stream = random(7, "many");
    let draws = 0;
    for (let draw = 0; draw < 1000; draw++) {
      const values = Array.from({ length: 20 }, () => stream.next());
      if (Math.min(...adjustedForMany(values)) <= 0.05) draws++;
    }
    expect(draws).toBeGreaterThan(30);
    expect(draws).toBeLessThan(75);
  });
});

describe("Fisher's exact test", () => {
  test("adds up the tables that are at most as likely", () => {
    // 8 of 10 and 1 of 6: of C(16, 9) = 11440 those with 3 (120), 8 (270) and 9 (10) in the first.
    expect(fisherExact({ count: 8, total: 10 }, { count: 1, total: 6 })).toBeCloseTo(400 / 11440, 10);
    // The lady tasting tea, 3 of 4: (1 + 16 + 16 + 1) / 70.
    expect(fisherExact({ count: 3, total: 4 }, { count: 1, total: 4 })).toBeCloseTo(34 / 70, 10);
  });

  test("is 1 where nothing differs or nothing can, and small where all does", () => {
    expect(fisherExact({ count: 0, total: 9 }, { count: 0, total: 5 })).toBe(1);
    expect(fisherExact({ count: 5, total: 5 }, { count: 7, total: 7 })).toBe(1);
    expect(fisherExact({ count: 400_000, total: 800_000 }, { count: 300_000, total: 600_000 })).toBeCloseTo(1, 2);
    const far = fisherExact({ count: 500, total: 1000 }, { count: 100, total: 1000 });
    expect(far).toBeLessThan(1e-80);
    expect(far).toBeGreaterThan(0);
    expect(fisherExact({ count: 100, total: 1000 }, { count: 500, total: 1000 })).toBeCloseTo(far, 90);
  });
});

test("McNemar's test is the binomial's of what changed", () => {
  // 8 of 10: 2 (1 + 10 + 45) / 1024
  expect(mcNemarExact(8, 2)).toBeCloseTo(112 / 1024, 10);
  expect(mcNemarExact(2, 8)).toBeCloseTo(112 / 1024, 10);
  expect(mcNemarExact(0, 0)).toBe(1);
  expect(mcNemarExact(5, 5)).toBe(1);
  expect(mcNemarExact(0, 20)).toBeCloseTo(2 / 2 ** 20, 12);
});
