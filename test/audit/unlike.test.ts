/** How unusual images are by another report: worked by hand on two aspects. */

import { expect, test } from "vitest";
import { judgeBy } from "../../src/audit/unlike.js";

const pattern = (states: string, count: number) => ({ class: "a", pattern: states, count });

test("the p-value is the share of the other report's images that are at least as unlikely", () => {
  // Both aspects come and go together, in 990 images of 1,000; 8 and 2 have one alone.
  const reference = [pattern("00", 500), pattern("22", 490), pattern("20", 8), pattern("02", 2)];
  const found = judgeBy(reference, [pattern("00", 1), pattern("22", 1), pattern("20", 1), pattern("02", 1)], 2);
  expect(found.map(({ p }) => p)).toEqual([1, 0.5, 0.01, 0.002]);
});

test("what never occurs there is more unusual than anything that does", () => {
  const reference = [pattern("00", 500), pattern("22", 490), pattern("20", 8), pattern("02", 2)];
  expect(judgeBy(reference, [pattern("11", 1)], 2)).toEqual([{ class: "a", pattern: "11", p: 0 }]);
});
