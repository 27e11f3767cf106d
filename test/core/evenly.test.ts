import { expect, test } from "vitest";
import { evenly } from "../../src/core/evenly.js";

test("at most so many places, from the first on, in equal steps; all where there are fewer", () => {
  expect(evenly(10, 4)).toEqual([0, 2, 5, 7]);
  expect(evenly(3, 4)).toEqual([0, 1, 2]);
  expect(evenly(0, 4)).toEqual([]);
  expect(evenly(1000, 64)).toHaveLength(64);
});
