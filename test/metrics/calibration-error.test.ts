import { expect, test } from "vitest";
import { calibrationError } from "../../src/metrics/calibration-error.js";

test("by hand: bins of a fifteenth, each by its count", () => {
  // 0.95 and 0.97 share the last bin: said 0.96, came true 1/2. 0.5 is alone in the eighth: said 0.5, came true 1.
  const { error, bins } = calibrationError([0.95, 0.97, 0.5], [1, 0, 1]);
  expect(error).toBeCloseTo((2 / 3) * (0.96 - 0.5) + (1 / 3) * 0.5, 12);
  expect(bins).toEqual([
    { count: 1, said: 0.5, cameTrue: 1 },
    { count: 2, said: expect.closeTo(0.96, 12), cameTrue: 0.5 },
  ]);
});

test("certainty lies in the last bin; of nothing nothing is known", () => {
  expect(calibrationError([1, 1], [1, 1])).toEqual({ error: 0, bins: [{ count: 2, said: 1, cameTrue: 1 }] });
  expect(calibrationError([], [])).toEqual({ error: null, bins: [] });
});
