import { describe, expect, test } from "vitest";
import { enlargeInside } from "../../src/core/enlarge-region.js";
import { enlargeSmoothly } from "../../src/pictures/enlarge-smoothly.js";
import { explanationTable, showsColours } from "../../src/pictures/explanation-table.js";
import { headlineText, percentText, rankAspects, relevantFrom, shareText } from "../../src/pictures/headline.js";
import { placeLabels } from "../../src/pictures/place-labels.js";
import { explanation, necrosis } from "./fixtures.js";

describe("headline", () => {
  test("says the answer because of its causes, most relevant first", () => {
    expect(headlineText(explanation)).toBe("malignant 97 % because of: necrosis 0.58, mitosis 0.41");
  });

  test("says that nothing explains it where no aspect is relevant", () => {
    const aspects = explanation.aspects.map((aspect) => ({ ...aspect, isRelevant: false }));
    expect(headlineText({ ...explanation, aspects })).toBe("malignant 97 %: no known aspect explains this");
  });

  test("asks about the class that was chosen where it is not the predicted one", () => {
    const other = { ...explanation, aspects: [necrosis], target: { kind: "log-odds", class: "benign" } as const };
    expect(headlineText(other)).toBe("malignant 97 % why benign (3 %): necrosis 0.58");
    const margin = { ...other, target: { kind: "margin", class: "benign", other: "malignant" } as const };
    expect(headlineText(margin)).toBe("malignant 97 % why benign rather than malignant: necrosis 0.58");
  });

  test("tells a class's own score from its odds", () => {
    const own = { ...explanation, aspects: [necrosis], target: { kind: "logit", class: "malignant" } as const };
    expect(headlineText(own)).toBe("malignant 97 % why the logit of malignant: necrosis 0.58");
  });

  test("says the question also where nothing answers it, unless it is the usual one", () => {
    const aspects = explanation.aspects.map((aspect) => ({ ...aspect, isRelevant: false }));
    const other = { ...explanation, aspects, target: { kind: "log-odds", class: "benign" } as const };
    expect(headlineText(other)).toBe("malignant 97 %; why benign (3 %): no known aspect explains this");
    const absent = { ...other, aspects: aspects.map((aspect) => ({ ...aspect, isPresent: false })) };
    expect(headlineText(absent)).toBe("malignant 97 %; why benign (3 %): no known aspect is seen here");
    const inner = { ...other, target: { kind: "aspect", aspect: "vessel" } as const };
    expect(headlineText(inner)).toBe("malignant 97 %; why vessel: no known aspect explains this");
  });

  test("tells an image without aspects from one whose aspects do not matter", () => {
    const aspects = explanation.aspects.map((aspect) => ({ ...aspect, isRelevant: false }));
    expect(headlineText({ ...explanation, aspects })).toBe("malignant 97 %: no known aspect explains this");
    const absent = aspects.map((aspect) => ({ ...aspect, isPresent: false }));
    expect(headlineText({ ...explanation, aspects: absent })).toBe("malignant 97 %: no known aspect is seen here");
  });

  test("speaks of several labels, and of a value", () => {
    const scores = { old: 0.8, wet: 0.7, red: 0.1 };
    const prediction = { class: "old", score: 0.8, scores, labels: ["old", "wet"] };
    const several = {
      ...explanation,
      prediction,
      target: { kind: "logit", class: "old" } as const,
      aspects: [necrosis],
    };
    expect(headlineText(several)).toBe("old 80 %, wet 70 % why old (80 %): necrosis 0.58");
    const value = { ...explanation, prediction: { value: 3.2471 }, target: { kind: "value" } as const, aspects: [] };
    expect(headlineText(value)).toBe("3.25: no known aspect is seen here");
  });

  test("never writes a zero with a sign", () => {
    expect([-0.001, -0.02, 0.004, null].map(shareText)).toEqual(["0.00", "-0.02", "0.00", "–"]);
  });

  test("what had to be reached is read on the scale of relevance", () => {
    const beside = { ...explanation, threshold: 0.6, thresholdBeside: 0.3 };
    // It reached 0.41 apart, where 0.3 were asked: of its relevance of 0.2 that is 0.3 / 0.41.
    const [lesser] = [{ ...necrosis, relevance: 0.2, relevanceApart: 0.41 }];
    expect(relevantFrom(lesser, beside)).toBeCloseTo((0.2 * 0.3) / 0.41, 12);
    expect(relevantFrom({ ...lesser, isRelevant: false }, beside)).toBe(0.6);
    expect(relevantFrom({ ...necrosis, relevance: 0.7 }, beside)).toBe(0.6);
  });

  test("never rounds to a certainty that is not there", () => {
    expect([1, 0.9999, 0.97, 0.001, 0].map(percentText)).toEqual(["100 %", "> 99 %", "97 %", "< 1 %", "0 %"]);
  });

  test("ranks relevant before present before absent", () => {
    expect(rankAspects(explanation.aspects).map(({ name }) => name)).toEqual([
      "necrosis",
      "mitosis",
      "nucleus",
      "vessel",
    ]);
  });
});

describe("explanationTable", () => {
  test("aligns a line for each aspect under its titles", () => {
    const lines = explanationTable(explanation).split("\n");
    expect(lines[0]).toBe("tissue.png: malignant 97 % because of: necrosis 0.58, mitosis 0.41");
    const column = lines[1].indexOf("survival");
    expect(lines[2].slice(column, column + 4)).toBe("0.71");
    expect(lines[2]).toContain("███████░░░░░ 0.58"); // 0.58 * 12 = 6.96
    expect(lines[5].trim()).toBe("vessel    presence      no 0.08");
    expect(lines[6]).toBe("  relevant from 0.31; 11 % of the saliency unexplained");
  });

  test("holds escape codes only where asked", () => {
    expect(explanationTable(explanation)).not.toContain("\u001b");
    expect(explanationTable(explanation, { colours: true })).toContain("\u001b[32m");
  });

  test("shows colours on a terminal without NO_COLOR alone", () => {
    expect(showsColours({ isTTY: true }, {})).toBe(true);
    expect(showsColours({ isTTY: true }, { NO_COLOR: "1" })).toBe(false);
    expect(showsColours({}, {})).toBe(false);
  });
});

describe("placeLabels", () => {
  test("puts a name above what it names, and the next one where it does not cover the first", () => {
    const anchor = { x: 50, y: 50, width: 20, height: 20 };
    const label = { width: 60, height: 20, anchor };
    const [first, second] = placeLabels([label, label], { width: 200, height: 200 });
    expect(first).toEqual({ x: 50, y: 27, width: 60, height: 20 });
    expect(second).toEqual({ x: 50, y: 73, width: 60, height: 20 });
  });

  test("keeps names inside the frame and leaves out what has no room", () => {
    const label = { width: 90, height: 20, anchor: { x: 90, y: 0, width: 10, height: 5 } };
    const places = placeLabels([label, label], { width: 100, height: 40 });
    expect(places[0]).toEqual({ x: 7, y: 8, width: 90, height: 20 });
    expect(places[1]).toBeNull();
  });
});

describe("enlarge", () => {
  test("interpolates between cell centres and holds the border, also in the margin", () => {
    // Two cells on four pixels: centres at 0.5 and 1.5 cells; pixels at 0.25, 0.75, 1.25, 1.75: values 0, 0.25, 0.75, 1.
    const wide = enlargeInside({ width: 2, height: 1, values: [0, 1] }, { width: 4, height: 1 });
    expect([...wide]).toEqual([0, 0, 1, 1]);
    const higher = enlargeInside({ width: 2, height: 1, values: [0, 2.1] }, { width: 4, height: 1, margin: 1 });
    expect([...higher.subarray(6, 12)]).toEqual([0, 0, 1, 1, 1, 1]);
    expect([...higher.subarray(0, 6)]).toEqual([...higher.subarray(12)]);
  });

  test("by splines keeps a constant and never goes below zero", () => {
    const same = enlargeSmoothly({ width: 3, height: 3, values: new Array(9).fill(2) }, { width: 7, height: 5 });
    for (const value of same) expect(value).toBeCloseTo(2, 6);
    const peak = enlargeSmoothly({ width: 3, height: 3, values: [0, 0, 0, 0, 1, 0, 0, 0, 0] }, { width: 9, height: 9 });
    expect(Math.min(...peak)).toBeGreaterThan(0);
    expect(peak[40]).toBeCloseTo((4 / 6) ** 2, 6); // at the cell's own centre
  });
});
