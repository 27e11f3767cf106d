import { describe, expect, test } from "vitest";
import { enlargeInside } from "../../src/core/enlarge-region.js";
import { enlargeSmoothly } from "../../src/pictures/enlarge-smoothly.js";
import { explanationTable, showsColours } from "../../src/pictures/explanation-table.js";
import { placeLabels } from "../../src/pictures/place-labels.js";
import { explanation, mapped, mitosis, necrosis, nucleus, ranked, unexplained, vessel } from "./fixtures.js";

describe("explanationTable", () => {
  test("aligns a line for each aspect under its titles", () => {
    const lines = explanationTable(explanation).split("\n");
    expect(lines[0]).toBe("tissue.png: malignant 97 % because of necrosis (decisive) and mitosis (strong)");
    const at = (line: string, title: string, length: number) => line.slice(lines[1].indexOf(title)).slice(0, length);
    expect(at(lines[2], "share of evidence", 17)).toBe("███████░░░░░ 58 %"); // 0.58 * 12 = 6.96
    expect(at(lines[2], "relevance", 4)).toBe("0.95");
    expect(at(lines[2], "score", 5)).toBe("0.083");
    expect(at(lines[2], "survival", 4)).toBe("0.71");
    expect(lines[2].trimEnd()).toMatch(/ decisive$/);
    expect(at(lines[4], "relevance", 17)).toBe("0.06 [0.02, 0.11]");
    expect(lines[4].trimEnd()).toMatch(/ no$/);
    expect(lines[5].trim()).toBe("vessel    presence      no 0.08");
    expect(lines[6]).toBe(
      "  relevant from a relevance of 0.50 on; 11 % of the evidence lies elsewhere; " +
        "4 % of all evidence speaks against the answer",
    );
  });

  test("says of an aspect that is seen and has no score that it cannot be read", () => {
    const seen = {
      ...necrosis,
      score: null,
      relevance: null,
      survival: null,
      isRelevant: false,
      share: 0,
      elsewhere: 0,
      strength: null,
    };
    const [, , line] = explanationTable({ ...explanation, aspects: [seen] }).split("\n");
    expect(line.trimEnd()).toMatch(/ not readable$/);
  });

  test("says where aspects are mapped to, how good that is, and of which it carries too little", () => {
    const poor = { ...mapped(nucleus, 0.31), score: null, relevance: null, survival: null, against: null };
    const aspects = [mapped(necrosis, 0.934), mitosis, poor, mapped(vessel, null)];
    const lines = explanationTable({ ...explanation, aspects }).split("\n");
    const at = (line: string) => line.slice(lines[1].indexOf("mapped to"));
    expect(lines.slice(2, 6).map(at)).toEqual(["cells 0.93", "", "cells 0.31", "cells –"]);
    expect(lines[4]).toContain(" mapping too poor ");
    expect(lines[7]).toMatch(/^ {2}mapped to: the network, and how well .* \(1 alike, 0 by chance\)$/);
    expect(explanationTable(explanation)).not.toContain("mapped");
  });

  test("calls nothing relevant or not where scores only rank", () => {
    const [, , ...lines] = explanationTable(ranked.explanation).split("\n");
    expect(lines[0].trimEnd()).toMatch(/ – +– +0\.083 +0\.71$/);
    expect(lines.at(-2)).toMatch(/^ {2}not calibrated: scores rank the aspects; 4 % of all/);
    expect(explanationTable(ranked.explanation, { colours: true })).not.toContain("\u001b[32m");
  });

  test("holds escape codes only where asked", () => {
    expect(explanationTable(explanation)).not.toContain("\u001b");
    expect(explanationTable(explanation, { colours: true })).toContain("\u001b[32m");
    expect(explanationTable(unexplained.explanation, { colours: true })).not.toContain("\u001b[32m");
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

  test("covers nothing that is shown where a place beside its own thing is free, else takes the first place", () => {
    const anchor = { x: 50, y: 50, width: 20, height: 20 };
    const label = { width: 60, height: 20, anchor };
    const above = { x: 60, y: 30, width: 10, height: 10 };
    const below = { ...above, y: 75 };
    const frame = { width: 200, height: 200 };
    expect(placeLabels([label], frame, [anchor, above])).toEqual([{ x: 50, y: 73, width: 60, height: 20 }]);
    expect(placeLabels([label], frame, [anchor, above, below])).toEqual([{ x: 73, y: 50, width: 60, height: 20 }]);
    const everywhere = { x: 0, y: 0, width: 200, height: 200 };
    expect(placeLabels([label], frame, [everywhere])).toEqual([{ x: 50, y: 27, width: 60, height: 20 }]);
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
