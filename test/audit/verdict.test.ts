/** Intervals against limits, worked by hand: z^2 = 3.841459. */

import { describe, expect, test } from "vitest";
import { changeVerdict, shareVerdict } from "../../src/audit/verdict.js";
import { differenceInterval, pairedDifferenceInterval } from "../../src/metrics/newcombe.js";
import { wilsonInterval } from "../../src/metrics/wilson.js";

const atMost = (limit: number) => ({ side: "atMost", limit }) as const;
const atLeast = (limit: number) => ({ side: "atLeast", limit }) as const;

describe("a share", () => {
  // 0 of n: high = z^2 / (n + z^2), so 188 images give 0.02002 and 189 give 0.01992.
  test("of none of 188 images is not known to be at most 2 %; 189 decide", () => {
    expect(shareVerdict({ count: 0, total: 188 }, atMost(0.02))).toMatchObject({ status: "undecided", needed: 189 });
    expect(shareVerdict({ count: 0, total: 189 }, atMost(0.02))).toMatchObject({ status: "passed", needed: null });
  });

  // n of n: low = n / (n + z^2), so 15 images give 0.7961 and 16 give 0.8064.
  test("of all of 15 images is not known to be at least 80 %; 16 decide", () => {
    expect(shareVerdict({ count: 15, total: 15 }, atLeast(0.8))).toMatchObject({ status: "undecided", needed: 16 });
    expect(shareVerdict({ count: 16, total: 16 }, atLeast(0.8))).toMatchObject({ status: "passed", share: 1 });
  });

  // 3 of 200 = 0.015; z^2 * 0.02 * 0.98 / 0.005^2 = 3011.7.
  test("near its limit needs as many images as Wilson's interval says", () => {
    const { status, needed } = shareVerdict({ count: 3, total: 200 }, atMost(0.02));
    expect([status, needed]).toEqual(["undecided", 3012]);
    expect(wilsonInterval(0.015 * 3011, 3011)[1]).toBeGreaterThan(0.02);
    expect(wilsonInterval(0.015 * 3012, 3012)[1]).toBeLessThan(0.02);
  });

  // 10 of 100: (0.1 + 0.0192073 -+ 1.9599640 * sqrt(0.0009 + 0.0000960365)) / 1.0384146 = 0.055229, 0.174366.
  test("fails where the lower bound lies above the limit, not where the share does", () => {
    const [low, high] = shareVerdict({ count: 10, total: 100 }, atMost(0.055)).interval;
    expect(low).toBeCloseTo(0.055229, 5);
    expect(high).toBeCloseTo(0.174366, 5);
    expect(shareVerdict({ count: 10, total: 100 }, atMost(0.055)).status).toBe("failed");
    expect(shareVerdict({ count: 10, total: 100 }, atMost(0.056)).status).toBe("undecided");
    expect(shareVerdict({ count: 90, total: 100 }, atLeast(0.945)).status).toBe("failed");
    expect(shareVerdict({ count: 90, total: 100 }, atLeast(0.944)).status).toBe("undecided");
  });

  test("of no images is undecided, and the best case says how many are needed", () => {
    expect(shareVerdict({ count: 0, total: 0 }, atMost(0.02))).toEqual({
      ...{ status: "undecided", share: 0, interval: [0, 1], needed: 189 },
    });
    expect(shareVerdict({ count: 0, total: 0 }, atLeast(0.8)).needed).toBe(16);
    expect(shareVerdict({ count: 0, total: 0 }, atMost(0)).needed).toBe(1);
  });

  test("that is the limit itself is decided by no number of images", () => {
    expect(shareVerdict({ count: 5, total: 100 }, atMost(0.05))).toMatchObject({ status: "undecided", needed: null });
  });

  test("none at all, and all of them: any exception fails", () => {
    expect(shareVerdict({ count: 0, total: 3 }, atMost(0)).status).toBe("passed");
    expect(shareVerdict({ count: 1, total: 1000 }, atMost(0)).status).toBe("failed");
    expect(shareVerdict({ count: 3, total: 3 }, atLeast(1)).status).toBe("passed");
    expect(shareVerdict({ count: 999, total: 1000 }, atLeast(1)).status).toBe("failed");
  });
});

describe("a difference", () => {
  test("of different images: Newcombe's own example", () => {
    const [low, high] = differenceInterval({ count: 56, total: 70 }, { count: 48, total: 80 });
    expect(low).toBeCloseTo(0.0524, 4);
    expect(high).toBeCloseTo(0.3339, 4);
  });

  // 10 of 100 each time: 0.1 - 0.055229 = 0.044771 below, 0.174366 - 0.1 = 0.074366 above; root of both squares 0.086803.
  test("of the same images is narrower, by how alike both are", () => {
    const [, unpaired] = differenceInterval({ count: 10, total: 100 }, { count: 10, total: 100 });
    expect(unpaired).toBeCloseTo(0.086803, 5);
    // Phi: (5 * 85 - 5 * 5 - 50) / sqrt(10 * 90 * 10 * 90) = 350 / 900; 0.0075349 - 2 * 350/900 * 0.0033295 = 0.0049453.
    const pairs = { both: 5, firstOnly: 5, secondOnly: 5, neither: 85 };
    expect(pairedDifferenceInterval(pairs)[1]).toBeCloseTo(Math.sqrt(0.0049453), 4);
    // Where fewer agree than by chance, it is wider: (0 - 100) / 900.
    const apart = pairedDifferenceInterval({ both: 0, firstOnly: 10, secondOnly: 10, neither: 80 });
    expect(apart[1]).toBeCloseTo(Math.sqrt(0.0075349 + (2 / 9) * 0.0033295), 4);
  });

  test("nothing counted says nothing", () => {
    expect(differenceInterval({ count: 0, total: 0 }, { count: 1, total: 2 })).toEqual([-1, 1]);
    expect(pairedDifferenceInterval({ both: 0, firstOnly: 0, secondOnly: 0, neither: 0 })).toEqual([-1, 1]);
    const none = { here: { count: 0, total: 0 }, there: { count: 3, total: 9 } };
    // 0 of n: z^2 / (n + z^2) <= 0.1 from n = 34.6 on.
    expect(changeVerdict(none, { limit: 0.1 })).toMatchObject({ status: "undecided", needed: 35 });
  });

  test("fails in both directions, and says how many images decide", () => {
    const more = { here: { count: 56, total: 70 }, there: { count: 48, total: 80 } };
    const less = { here: more.there, there: more.here };
    expect(changeVerdict(more, { limit: 0.05 }).status).toBe("failed");
    expect(changeVerdict(less, { limit: 0.05 }).status).toBe("failed");
    expect(changeVerdict(more, { limit: 0.34 }).status).toBe("passed");
    const { status, needed } = changeVerdict(more, { limit: 0.1 });
    expect(status).toBe("undecided");
    const lowAt = (images: number) =>
      differenceInterval(
        { count: 0.8 * images, total: images },
        { count: (0.6 * images * 8) / 7, total: (images * 8) / 7 },
      )[0];
    expect(lowAt(needed as number)).toBeGreaterThan(0.1);
    expect(lowAt((needed as number) - 1)).toBeLessThanOrEqual(0.1);
  });

  test("of the same images that all stayed as they were passes", () => {
    const pairs = { both: 50, firstOnly: 0, secondOnly: 0, neither: 950 };
    expect(changeVerdict({ pairs }, { limit: 0.02 })).toMatchObject({ status: "passed", share: 0 });
  });
});
