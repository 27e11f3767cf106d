import { describe, expect, test } from "vitest";
import { evaluationLines } from "../../src/cli/evaluation-lines.js";
import { ndArray } from "../../src/core/nd-array.js";
import { splitTally } from "../../src/evaluation/split-evaluation.js";
import type { HeadSpec } from "../../src/heads/head-spec.js";

const heads: readonly HeadSpec[] = [
  { name: "class", kind: "classifier", task: "single", taps: [], classes: ["a", "b"] },
  { name: "crack", kind: "presence", taps: [], threshold: 0.5 },
  { name: "rust", kind: "presence", taps: [], threshold: 0.5 },
];

/** Images of class a, of which the model takes every `wrongEvery`-th for b; those of site A are all right. */
function evaluate(count: number, { groupsOf }: { groupsOf?: (image: number) => Record<string, string> } = {}) {
  const tally = splitTally(heads, { size: 4 });
  for (let image = 0; image < count; image++) {
    const isRight = image % 4 !== 3;
    tally.add({
      outputs: {
        class: ndArray([1, 2], Float32Array.of(isRight ? 2 : 0, 1)),
        crack: ndArray([1, 1], Float32Array.of(image % 2 === 0 ? 1 : -1)),
        rust: ndArray([1, 1]),
      },
      row: 0,
      labelOf: (head) => ({ class: { label: "a" }, crack: { present: image % 2 === 0 } })[head],
      groups: groupsOf?.(image),
    });
  }
  return tally;
}

test("every head has its metrics and their intervals; one without labels has none", () => {
  const { heads, groups, intervals } = evaluate(40).result();
  expect(heads.class).toMatchObject({ accuracy: 3 / 4, count: 40 });
  const [low, high] = heads.class.intervals.accuracy ?? [];
  expect(low).toBeGreaterThan(0.55);
  expect(low).toBeLessThan(0.7); // 0.75 - 1.96 * sqrt(0.75 * 0.25 / 40) = 0.62
  expect(high).toBeGreaterThan(0.8);
  expect(heads.crack.intervals).toMatchObject({ auc: [1, 1], f1: [1, 1] });
  expect(heads.rust).toMatchObject({ auc: null, count: 0, intervals: {} });
  expect(intervals).toEqual({ level: 0.95, drawn: "image" });
  expect(groups).toBeUndefined();
});

test("the same seed gives the same intervals", () => {
  const tally = evaluate(40);
  expect(tally.result({ seed: 2 })).toEqual(tally.result({ seed: 2 }));
});

describe("groups", () => {
  /** Site A holds three of four images, all that are right; site B the others; patients lie within a site. */
  const groupsOf = (image: number) => ({
    site: image % 4 === 3 ? "B" : "A",
    patient: `${image % 4 === 3 ? "b" : "a"}${image % 8}`,
  });

  test("are each measured over their own images", () => {
    const { groups } = evaluate(40, { groupsOf }).result();
    expect(groups?.site.A).toMatchObject({ class: { accuracy: 1, count: 30 }, crack: { auc: 1, count: 30 } });
    expect(groups?.site.B).toMatchObject({ class: { accuracy: 0, count: 10 }, crack: { auc: null } });
    expect(Object.keys(groups?.patient ?? {})).toEqual(["a0", "a1", "a2", "a4", "a5", "a6", "b3", "b7"]);
  });

  test("with names that every object has, and images that name none", () => {
    const named = (image: number): Record<string, string> => (image === 0 ? {} : { constructor: "__proto__" });
    const { groups } = evaluate(4, { groupsOf: named }).result();
    expect(Object.keys(groups ?? {})).toEqual(["constructor"]);
    expect(Object.entries(groups?.constructor ?? {})).toMatchObject([["__proto__", { class: { count: 3 } }]]);
  });

  test("are drawn whole where there are ten: the name with the most values", () => {
    const byPatient = evaluate(120, {
      groupsOf: (image) => ({ site: "A", patient: `p${Math.floor(image / 10)}` }),
    }).result();
    expect(byPatient.intervals.drawn).toBe("patient");
    expect(evaluate(40, { groupsOf }).result().intervals.drawn).toBe("image"); // 8 patients
  });

  test("of more than two hundred values are drawn, and not listed", () => {
    const { groups, intervals } = evaluate(201, {
      groupsOf: (image) => ({ patient: `p${image}`, site: "A" }),
    }).result();
    expect(intervals.drawn).toBe("patient");
    expect(Object.keys(groups ?? {})).toEqual(["site"]);
  });
});

test("people read values, intervals, what would be reached without the model, and what was not evaluated", () => {
  const groupsOf = (image: number) => ({ site: image % 4 === 3 ? "B" : "A" });
  const lines = evaluationLines(evaluate(40, { groupsOf }).result());
  const text = lines.join("\n");
  expect(text).toContain("class (classifier, single): 40 labelled images");
  expect(text).toMatch(/accuracy +0\.750 {2}0\.\d{3} to 0\.\d{3} {2}1\.000, always "a"/);
  expect(text).toMatch(/F1 +1\.000 {2}1\.000 to 1\.000 {2}0\.667, always yes/);
  expect(text).toContain("rust (presence): not evaluated (0 labels)");
  expect(text).toMatch(/^ {2}B +0\.000 \(10\) +- \(10\)/m);
  expect(lines.at(-1)).toBe("intervals: 95 %, by drawing images again and again (bootstrap)");
  expect(text).not.toMatch(/null|NaN|undefined|not evaluated$/m);
});
