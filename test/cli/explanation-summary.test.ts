import { expect, test } from "vitest";
import { summaryOf } from "../../src/cli/explanation-summary.js";
import { explanation, mitosis, necrosis } from "../pictures/fixtures.js";

test("counts reasons, those that are not stable apart, and images without any", () => {
  const summary = summaryOf();
  const shaken = { ...mitosis, relevanceInterval: [0.1, 0.9] as const };
  summary.add({ ...explanation, image: "a.png", aspects: [necrosis, shaken] });
  summary.add({ ...explanation, image: "b.png", aspects: [necrosis, { ...mitosis, relevanceInterval: [0.6, 1] }] });
  summary.add({ ...explanation, image: "c.png", aspects: [shaken] });
  const nothing = { ...necrosis, isRelevant: false };
  summary.add({ ...explanation, image: "d.png", aspects: [nothing], headline: { case: "elsewhere", text: "" } });
  summary.add({ ...explanation, image: "e.png", aspects: [necrosis], absenceOf: ["vessel"] });
  expect(summary.lines({ skipped: 1 })).toEqual([
    "5 images explained, 1 skipped",
    "  because of: mitosis in 3 (not stable in 2), necrosis in 3",
    "  no known aspect explains this: 1",
    "  what is not seen is a reason beside others: 1",
  ]);
});
