/** The examples' split: fair to each class, and the same for the same seed. */

import { expect, test } from "vitest";
import { stratify } from "../../examples/support/stratify.js";

const SHARES = { test: 0.25, validation: 0.15, train: 0.6 };
const items = [
  ...Array.from({ length: 40 }, (_, index) => ({ name: `many-${index}`, kind: "many" })),
  ...Array.from({ length: 12 }, (_, index) => ({ name: `few-${index}`, kind: "few" })),
  { name: "alone", kind: "one" },
];

function countsOf(kind: string, splits: Map<(typeof items)[number], string>) {
  const counts: Record<string, number> = { train: 0, validation: 0, test: 0 };
  for (const item of items) if (item.kind === kind) counts[splits.get(item) ?? "none"]++;
  return counts;
}

test("shares out each class in the same proportions", () => {
  const splits = stratify(items, { classOf: (item) => item.kind, shares: SHARES, seed: 7 });
  expect(splits.size).toBe(items.length);
  expect(countsOf("many", splits)).toEqual({ test: 10, validation: 6, train: 24 });
  expect(countsOf("few", splits)).toEqual({ test: 3, validation: 2, train: 7 }); // 0.15 of 12 is 1.8
});

test("leaves a class of one to the last split", () => {
  const splits = stratify(items, { classOf: (item) => item.kind, shares: SHARES, seed: 7 });
  expect(countsOf("one", splits)).toEqual({ test: 0, validation: 0, train: 1 });
});

test("draws the same split from the same seed, another from another", () => {
  const draw = (seed: number) => {
    const splits = stratify(items, { classOf: (item) => item.kind, shares: SHARES, seed });
    return items.map((item) => splits.get(item));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(8)).not.toEqual(draw(7));
});
