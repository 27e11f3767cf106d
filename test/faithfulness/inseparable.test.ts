import { expect, test } from "vitest";
import type { GroundTruthComparison } from "../../src/explain/calibration/ground-truth.js";
import { inseparableTally } from "../../src/faithfulness/inseparable.js";
import { explanation } from "../pictures/fixtures.js";

function image(label: string, { causes = [], distractors = [] }: Partial<Record<"causes" | "distractors", string[]>>) {
  const prediction = { class: label, score: 1, scores: { [label]: 1 } };
  const found = { explanation: { ...explanation, prediction }, isRight: true, possibleCauses: 1, causes, distractors };
  return found satisfies GroundTruthComparison;
}

function found(images: readonly GroundTruthComparison[]): string[] {
  const tally = inseparableTally();
  for (const one of images) tally.add(one);
  return tally.result();
}

test("names an aspect that is in all images of one class and in no other, unless it is its cause", () => {
  const ill = Array.from({ length: 6 }, () => image("ill", { causes: ["cell"], distractors: ["tag", "dust"] }));
  const well = Array.from({ length: 5 }, () => image("well", { distractors: ["dust"] }));
  expect(found([...ill, ...well])).toEqual([
    '"tag" is in all 6 images of "ill", and in none of the 5 others: no explanation can tell it from whatever else the ' +
      "class has. Add images with one of them alone.",
  ]);
  expect(found([...ill, ...well.slice(1)])).toEqual([]);
  expect(found([...ill, image("ill", {}), ...well])).toEqual([]);
  expect(found([...ill, ...well, image("well", { distractors: ["tag"] })])).toEqual([]);
  expect(found([...ill.map((one) => ({ ...one, isRight: false })), ...well])).toEqual([]);
});
