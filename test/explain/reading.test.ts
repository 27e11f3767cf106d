import { describe, expect, test } from "vitest";
import { connectedComponents } from "../../src/core/components.js";
import { InputError, ShapeError } from "../../src/core/errors.js";
import { logit } from "../../src/core/logistic.js";
import { imageOutputs, type NdArray, type NdArrays, ndArray } from "../../src/core/nd-array.js";
import { random } from "../../src/core/random.js";
import { pixelCount } from "../../src/core/size.js";
import { derivedPlace, evidenceDensity } from "../../src/explain/reading/derived-place.js";
import { parseTarget } from "../../src/explain/reading/parse-target.js";
import { predictionOf } from "../../src/explain/reading/prediction.js";
import { type ReadOptions, readExplanation } from "../../src/explain/reading/read-explanation.js";
import { regionsOf } from "../../src/explain/reading/regions.js";
import { scoresOf } from "../../src/explain/reading/scores.js";
import { shareAgainst, sharesOf } from "../../src/explain/reading/shares.js";
import { survivalMap, survivalOver } from "../../src/explain/reading/survival.js";
import { targetWeights } from "../../src/explain/reading/target-weights.js";
import { touchedCells } from "../../src/explain/reading/touched-cells.js";
import { classTargetOf } from "../../src/explain/target.js";
import type { AspectSpec, ClassifierSpec } from "../../src/heads/head-spec.js";
import { scores } from "../reference/explanation.js";
import { scoreAlone } from "./score-alone.js";

const array = (shape: number[], data: ArrayLike<number>) => ndArray(shape, Float32Array.from(data));
/** A mask drawn as rows of `#` and `.`. */
const drawn = (...rows: string[]) => Uint8Array.from(rows.join(""), (mark) => (mark === "#" ? 1 : 0));
const shown = (mask: Uint8Array, width: number) =>
  Array.from({ length: mask.length / width }, (_, y) =>
    Array.from(mask.subarray(y * width, (y + 1) * width), (value) => (value ? "#" : ".")).join(""),
  );

const none = () => {
  throw new Error("asked for a derived place");
};

const classifier: ClassifierSpec = {
  kind: "classifier",
  name: "class",
  taps: ["conv_pw_13"],
  task: "single",
  classes: ["cat", "dog", "cat:dog"],
};

describe("components", () => {
  test("join across corners and not across gaps", () => {
    const mask = drawn("#..#", ".#..", "...#", "...#");
    expect(connectedComponents(mask, { width: 4 }).map((pixels) => [...pixels])).toEqual([[0, 5], [3], [11, 15]]);
    expect(connectedComponents(new Uint8Array(16), { width: 4 })).toEqual([]);
  });

  test("do not run round the edge of a row", () => {
    expect(connectedComponents(drawn("...#", "#...", "....", "...."), { width: 4 })).toHaveLength(2);
  });
});

describe("cells", () => {
  test("touched by pixels are widened by one in all directions", () => {
    // Size 8 on a 4x4 grid: pixel (0, 2) lies in cell (0, 1).
    const region = { elements: new Uint32Array(), boxes: [], pixels: Uint32Array.of(2) };
    const cells = touchedCells(region, { grid: { height: 4, width: 4 }, size: 8 });
    expect(shown(cells, 4)).toEqual(["###.", "###.", "....", "...."]);
  });

  test("touched by a box count where it covers any part of them", () => {
    // 0.5..0.75 is cell 2 of 4 alone; 0.1..0.3 reaches from cell 0 into cell 1.
    const region = { elements: new Uint32Array(), boxes: [[0.5, 0.1, 0.75, 0.3] as const] };
    const cells = touchedCells(region, { grid: { height: 4, width: 4 }, size: 8 });
    expect(shown(cells, 4)).toEqual(["....", "###.", "###.", "###."]);
  });
});

describe("regions", () => {
  const segmentation: AspectSpec = { kind: "segmentation", name: "spot", taps: ["conv_pw_11"], threshold: 0.5 };

  test("of a mask keep every pixel that reaches the threshold, and count no speck as an instance", () => {
    const size = 64;
    const unmasked = array([1, size, size, 1], new Float32Array(size * size).fill(-3));
    // 0.1 % of 4,096 pixels is 4.1: five pixels are an instance, four are a speck. A logit of 0 is a sigmoid of 0.5.
    for (const x of [10, 11, 12, 13, 14]) unmasked.data[5 * size + x] = 0;
    for (const x of [30, 31, 32, 33]) unmasked.data[40 * size + x] = 2;
    const { whole, instances, mask } = regionsOf(unmasked, { spec: segmentation, size, derivedMask: none });
    expect(whole.elements).toHaveLength(9);
    expect(mask?.reduce((sum, value) => sum + value)).toBe(9);
    expect(instances).toHaveLength(1);
    expect(instances?.[0].boxes).toEqual([[5 / 64, 10 / 64, 6 / 64, 15 / 64]]);
  });

  test("of boxes are the heat at their centres, and their boxes filled", () => {
    const unmasked = array([1, 4, 4, 5], new Float32Array(80).fill(-4));
    const centre = (1 * 4 + 2) * 5;
    unmasked.data.set([3, Math.log(0.25 - 1e-6), Math.log(0.5 - 1e-6), 0.5, 0.5], centre);
    const { whole, instances, mask, hasPixels } = regionsOf(unmasked, {
      spec: { kind: "boxes", name: "thing", taps: ["conv_pw_11"], threshold: 0.5 },
      size: 8,
      derivedMask: none,
    });
    expect([...whole.elements]).toEqual([centre]);
    expect(hasPixels).toBe(false);
    expect(instances).toHaveLength(1);
    // Centre (1.5, 2.5) / 4, a quarter high and a half wide: rows 2..3, columns 3..6 of 8.
    for (const [index, edge] of [0.25, 0.375, 0.5, 0.875].entries()) expect(whole.boxes[0][index]).toBeCloseTo(edge, 5);
    expect(shown(mask ?? new Uint8Array(), 8)).toEqual([
      ...Array(2).fill("........"),
      ...Array(2).fill("...####."),
      ...Array(4).fill("........"),
    ]);
  });

  test("of a presence are its one number, or nothing", () => {
    const spec: AspectSpec = { kind: "presence", name: "tag", taps: ["conv_pw_11"], threshold: 0.6 };
    const count = (u: number) =>
      regionsOf(array([1, 1], [u]), { spec, size: 8, derivedMask: () => new Uint8Array(64) }).whole.elements.length;
    expect(count(logit(0.61))).toBe(1);
    expect(count(logit(0.59))).toBe(0);
  });

  test("of a presence that is seen have the derived place, whose parts share the one number", () => {
    const spec: AspectSpec = { kind: "presence", name: "tag", taps: ["conv_pw_11"], threshold: 0.6 };
    const mask = drawn("##......", "##......", ...Array(4).fill("........"), "......##", "......##");
    const seen = regionsOf(array([1, 1], [3]), { spec, size: 8, derivedMask: () => mask });
    expect(seen).toMatchObject({ mask, hasPixels: false, isDerived: true });
    expect([...seen.whole.elements]).toEqual([0]);
    expect([...(seen.whole.pixels ?? [])]).toEqual([0, 1, 8, 9, 54, 55, 62, 63]);
    expect(seen.instances?.map(({ elements, boxes }) => [[...elements], boxes])).toEqual([
      [[0], [[0, 0, 0.25, 0.25]]],
      [[0], [[0.75, 0.75, 1, 1]]],
    ]);
    const absent = regionsOf(array([1, 1], [-3]), { spec, size: 8, derivedMask: none });
    expect(absent.whole.elements).toHaveLength(0);
    expect(absent.instances).toEqual([]);
  });
});

describe("a derived place", () => {
  /** Sums of `d p` and `p^2` at each place. */
  const overlapOf = (side: number, norms: readonly number[]) =>
    array(
      [1, side, side, 2],
      norms.flatMap((norm) => [0, norm ** 2]),
    );
  const at = (side: number, norms: readonly number[]) => ({ tap: "a", index: 0, overlap: overlapOf(side, norms) });

  test("is where the evidence reaches three tenths of its peak, bilinear between the centres of cells", () => {
    // Cells of 4 px. Along the first row |p| is 10 up to the first centre (1.5), then falls to 0 at the next (5.5):
    // 8.75, 6.25, 3.75, 1.25 at pixels 2 to 5, and so down each column. Rows 3 and 4 keep 0.625 and 0.375 of that.
    const place = derivedPlace([at(2, [10, 0, 0, 0])], { size: 8 });
    expect(shown(place, 8)).toEqual([
      "#####...",
      "#####...",
      "#####...",
      "####....",
      "###.....",
      ...Array(3).fill("........"),
    ]);
  });

  test("sums the layers by the evidence that they hold: a cell four times as large counts a quarter at each pixel", () => {
    const fine = Array.from({ length: 16 }, (_, cell) => (cell === 0 ? 1 : 0));
    const density = evidenceDensity([at(4, fine), { ...at(2, [0, 0, 0, 1]), tap: "b" }], { size: 8 });
    expect(density[0]).toBe(16);
    expect(density[63]).toBe(4);
  });

  test("is nowhere without evidence", () => {
    expect(derivedPlace([at(2, [0, 0, 0, 0])], { size: 8 }).some((value) => value === 1)).toBe(false);
  });
});

describe("regions of one number", () => {
  test("of an amount are derived, as those of a presence", () => {
    const spec: AspectSpec = { kind: "amount", form: "number", name: "fat", taps: ["conv_pw_11"], threshold: 0.1 };
    const mask = drawn("##......", "##......", ...Array(6).fill("........"));
    const { instances, isDerived } = regionsOf(array([1, 1], [3]), { spec, size: 8, derivedMask: () => mask });
    expect(instances.map(({ boxes }) => boxes)).toEqual([[[0, 0, 0.25, 0.25]]]);
    expect(isDerived).toBe(true);
    expect(regionsOf(array([1, 1], [-3]), { spec, size: 8, derivedMask: none }).whole.elements).toHaveLength(0);
  });
});

describe("survival", () => {
  const answers = (u: number[], v: number[], e: number[]) => ({
    unmasked: array([1, u.length], u),
    masked: array([1, v.length], v),
    reference: array([1, e.length], e),
  });

  test("is the sum of v - e over that of u - e, not clipped", () => {
    // (1+2 - (-1-1)) / (4+2 - (-1-1)) = 5 / 8; the third element lies outside.
    const given = answers([4, 2, 99], [1, 2, 0], [-1, -1, 0]);
    expect(survivalOver(Uint32Array.of(0, 1), given)).toBe(5 / 8);
    expect(survivalOver(Uint32Array.of(0), answers([4], [-3], [-1]))).toBe(-0.4);
  });

  test("is null where u exceeds e by less than 1 on average, or there is nothing", () => {
    expect(survivalOver(Uint32Array.of(0, 1), answers([1, 0.9], [1, 1], [0, 0]))).toBeNull();
    expect(survivalOver(Uint32Array.of(0, 1), answers([1, 1], [1, 1], [0, 0]))).toBe(1);
    expect(survivalOver(new Uint32Array(), answers([5], [5], [0]))).toBeNull();
  });

  test("is drawn as bytes, clipped, and divided by at least 1", () => {
    // 2/4 -> 128; 5/2 clipped; -1 clipped; 0.25 / max(0.5, 1) -> 64; outside.
    const given = answers([4, 2, 2, 0.5, 9], [2, 5, -1, 0.25, 9], [0, 0, 0, 0, 0]);
    expect([...survivalMap(Uint32Array.of(0, 1, 2, 3), given)]).toEqual([128, 255, 0, 64, 0]);
  });
});

/** By place, the net evidence, taken as all of it. */
function evidence(shape: readonly number[], sums: readonly number[]): NdArray {
  return array(
    [...shape, 2],
    sums.flatMap((sum) => [sum, sum]),
  );
}

describe("the score", () => {
  const tap = {
    evidence: evidence([1, 1, 2], [9, 16]),
    overlap: array([1, 1, 2, 2], [6, 4, 0, 25]),
  };
  /** The ridge of the fit. */
  const RIDGE = 1.001;

  test("of an aspect alone is the square of the cosine of the two evidences, over all elements", () => {
    // 6^2 / (25 * 29).
    expect(scoreAlone([tap])).toBeCloseTo(36 / 725 / RIDGE, 12);
  });

  test("is nothing where the aspect speaks against the answer, which `against` has instead", () => {
    const against = { evidence: tap.evidence, overlap: array([1, 1, 2, 2], [-6, 4, 0, 25]) };
    expect(scoreAlone([against])).toBe(0);
    const [found] = scoresOf([[{ tap: "t", index: 0, overlap: against.overlap }]], { t: { evidence: tap.evidence } });
    expect(found.against).toBeCloseTo(36 / 725 / RIDGE, 12);
  });

  test("of an instance is the square of its own cosine with all of the answer's evidence", () => {
    // 6^2 / (25 * 4).
    expect(scoreAlone([tap], { cells: [Uint8Array.of(1, 0)] })).toBeCloseTo(36 / 100, 12);
    expect(scoreAlone([tap], { cells: [Uint8Array.of(0, 1)] })).toBe(0);
  });

  test("of several taps takes their elements together", () => {
    const other = { evidence: evidence([1, 1, 1], [11]), overlap: array([1, 1, 1, 2], [2, 7]) };
    // (6 + 2)^2 / ((25 + 11) * (29 + 7)).
    expect(scoreAlone([tap, other])).toBeCloseTo((8 / 36) ** 2 / RIDGE, 12);
  });

  test("is 0 where there is no evidence at all, and survives tiny numbers", () => {
    expect(scoreAlone([{ evidence: evidence([1, 1, 1], [0]), overlap: array([1, 1, 1, 2], [0, 3]) }])).toBe(0);
    expect(scoreAlone([{ evidence: evidence([1, 1, 1], [3]), overlap: array([1, 1, 1, 2], [0, 0]) }])).toBe(0);
    const tiny = { evidence: evidence([1, 1, 1], [1e-36]), overlap: array([1, 1, 1, 2], [5e-37, 1e-36]) };
    expect(scoreAlone([tiny])).toBeCloseTo(0.25 / RIDGE, 5);
  });

  describe("beside another aspect", () => {
    /** One place; d, p_1 and p_2 of unit length with these cosines. */
    const beside = ([first, second]: number[], common: number) =>
      scoresOf(
        [first, second].map((cosine, index) => [{ tap: "t", index, overlap: array([1, 1, 1, 2], [cosine, 1]) }]),
        { t: { evidence: evidence([1, 1, 1], [1]), shared: { aspectCount: 2, sums: array([1, 1], [common]) } } },
      ).map(({ score }) => score);
    const near = (...values: number[]) => values.map((value) => expect.closeTo(value, 2));

    test("is the cosine's square where they share nothing", () => {
      expect(beside([0.6, 0.2], 0)).toEqual(near(0.36, 0.04));
    });

    test("leaves what they share to the one that fits better", () => {
      // b = (0.6 - 0.5 * 0.2, 0.2 - 0.5 * 0.6) / 0.75: the second would be negative, so the first takes all it can.
      expect(beside([0.6, 0.2], 0.5)).toEqual(near(0.36, 0));
      // b = (0.6 - 0.25, 0.5 - 0.3) / 0.75 = (0.4667, 0.2667); times the cosines.
      expect(beside([0.6, 0.5], 0.5)).toEqual(near(0.28, 0.1333));
      expect(beside([0.5, 0.6], 0.5)).toEqual(near(0.1333, 0.28));
    });

    test("is shared evenly by two that are one and the same", () => {
      const [first, second] = beside([0.6, 0.6], 1);
      expect(first).toBeCloseTo(0.18, 2);
      expect(second).toBeCloseTo(first, 6);
    });

    test("is what least squares over all subsets of the vectors gives", () => {
      const stream = random(4, "evidence");
      for (let round = 0; round < 30; round++) {
        const draw = () => Array.from({ length: 12 }, () => stream.normal());
        const common = draw();
        const ps = [1, 2, 3, 4].map((weight) => draw().map((value, index) => value + (weight * common[index]) / 4));
        const d = ps[0].map((value, index) => value + 0.5 * ps[3][index] - 0.4 * ps[1][index] + stream.normal());
        const dot = (a: number[], b: number[]) => a.reduce((sum, value, index) => sum + value * b[index], 0);
        const found = scoresOf(
          ps.map((p, index) => [{ tap: "t", index, overlap: array([1, 1, 1, 2], [dot(d, p), dot(p, p)]) }]),
          {
            t: {
              evidence: evidence([1, 1, 1], [dot(d, d)]),
              shared: {
                aspectCount: 4,
                sums: array(
                  [1, 6],
                  ps.flatMap((a, index) => ps.slice(index + 1).map((b) => dot(a, b))),
                ),
              },
            },
          },
        );
        // The ridge of a thousandth.
        for (const [index, expected] of scores(d, ps).entries()) expect(found[index].score).toBeCloseTo(expected, 2);
        expect(found.reduce((sum, { score }) => sum + score, 0)).toBeLessThanOrEqual(1);
      }
    });

    test("counts only what both have at the same layers", () => {
      const own = (tap: string, index: number) => [{ tap, index, overlap: array([1, 1, 2, 2], [1, 2, 0, 0]) }];
      const taps = {
        t: { evidence: evidence([1, 1, 2], [2, 0]), shared: { aspectCount: 2, sums: array([1, 1], [2]) } },
        u: { evidence: evidence([1, 1, 2], [2, 0]) },
      };
      // Of two layers: nothing in common, (1 / 2)^2 each. Of one layer: one and the same, half each.
      const found = (...aspects: ReturnType<typeof own>[]) => scoresOf(aspects, taps).map(({ score }) => score);
      expect(found(own("t", 0), own("u", 0))).toEqual(near(0.25, 0.25));
      expect(found(own("t", 0), own("t", 1))).toEqual(near(0.125, 0.125));
    });
  });
});

describe("shares", () => {
  const saliency = array([1, 2, 2, 1], [1, 2, 3, 4]);
  const cells = (...marks: number[]) => Uint8Array.from(marks);

  test("divide each place among the relevant aspects that hold it, in proportion to their scores", () => {
    const found = sharesOf(saliency, [
      { cells: cells(1, 1, 0, 0), score: 0.3 },
      { cells: cells(0, 1, 1, 0), score: 0.1 },
    ]);
    // 1 + 2 * 3/4 and 2 * 1/4 + 3 of 10.
    expect(found).toEqual({
      held: [expect.closeTo(0.25, 12), expect.closeTo(0.35, 12)],
      elsewhere: expect.closeTo(0.4, 12),
      elsewhereIn: [0, 0],
      outside: expect.closeTo(0.4, 12),
      isPeakHeld: false,
    });
    expect(sharesOf(saliency, [{ cells: cells(0, 0, 0, 1), score: 0.1 }])).toMatchObject({ isPeakHeld: true });
    expect(sharesOf(saliency, [])).toMatchObject({ held: [], elsewhere: 1, outside: 1, isPeakHeld: false });
  });

  test("say in which of the other aspects the rest lies, whole in each, and what lies in none", () => {
    const found = sharesOf(saliency, [
      { cells: cells(1, 1, 0, 0), score: 0.3 },
      { cells: cells(0, 1, 1, 0) },
      { cells: cells(0, 0, 1, 0) },
    ]);
    expect(found).toEqual({
      held: [expect.closeTo(0.3, 12), 0, 0],
      elsewhere: expect.closeTo(0.7, 12),
      elsewhereIn: [0, expect.closeTo(0.3, 12), expect.closeTo(0.3, 12)],
      outside: expect.closeTo(0.4, 12),
      isPeakHeld: false,
    });
  });

  test("are none where there is no saliency", () => {
    expect(sharesOf(array([1, 1, 1, 1], [0]), [])).toBeNull();
  });

  test("of the evidence against the answer take each place by its net", () => {
    expect(shareAgainst(array([1, 1, 3, 2], [6, 9, -2, 3, 0, 5]))).toBe(0.25);
    expect(shareAgainst(array([1, 1, 1, 2], [0, 0]))).toBeNull();
  });
});

describe("predictions", () => {
  test("are a class, labels, or a value", () => {
    const scores = array([1, 3], [0.5, 0.75, 0.25]);
    expect(predictionOf(scores, classifier)).toEqual({
      class: "dog",
      score: 0.75,
      scores: { cat: 0.5, dog: 0.75, "cat:dog": 0.25 },
    });
    expect(predictionOf(scores, { ...classifier, task: "multi" })).toMatchObject({
      class: "dog",
      labels: ["cat", "dog"],
    });
    expect(predictionOf(array([1, 1], [3.5]), { ...classifier, task: "regression", classes: [] })).toEqual({
      value: 3.5,
    });
  });
});

describe("targets", () => {
  test("are a class or a margin, and a colon may belong to a name", () => {
    expect(parseTarget("dog", classifier)).toEqual({ kind: "log-odds", class: "dog" });
    const accented = { ...classifier, classes: ["caf\u00e9", "dog"] };
    expect(parseTarget("cafe\u0301:dog", accented)).toEqual({ kind: "margin", class: "caf\u00e9", other: "dog" });
    expect(parseTarget("dog:cat", classifier)).toEqual({ kind: "margin", class: "dog", other: "cat" });
    expect(parseTarget("cat:dog", classifier)).toEqual({ kind: "log-odds", class: "cat:dog" });
    expect(parseTarget("cat:dog:dog", classifier)).toEqual({ kind: "margin", class: "cat:dog", other: "dog" });
    expect(parseTarget("dog", { ...classifier, task: "multi" })).toEqual({ kind: "logit", class: "dog" });
  });

  test("that are unknown are refused with the classes there are", () => {
    for (const text of ["cow", "cat:cow", "cat:cat", ""])
      expect(() => parseTarget(text, classifier)).toThrow(InputError);
    expect(() => parseTarget("cow", classifier)).toThrow(/cat, dog, cat:dog/);
    expect(() => parseTarget("dog", { ...classifier, task: "regression", classes: [] })).toThrow(/number/);
  });

  test("that are no classes name an aspect, its image, or a unit", () => {
    const parse = (text: string) => parseTarget(text, classifier, { aspects: ["spot", "a:b@1"] });
    expect(parse("logit:dog")).toEqual({ kind: "logit", class: "dog" });
    expect(parse("aspect:spot")).toEqual({ kind: "aspect", aspect: "spot" });
    expect(parse("aspect:a:b@1")).toEqual({ kind: "aspect", aspect: "a:b@1" });
    expect(parse("image:spot")).toEqual({ kind: "image", aspect: "spot", object: 1, background: 1 });
    expect(parse("image:a:b@1@2,-0.5")).toEqual({ kind: "image", aspect: "a:b@1", object: 2, background: -0.5 });
    expect(parse("unit:conv_pw_11/7")).toEqual({ kind: "unit", layer: "conv_pw_11", channel: 7 });
    expect(parse("unit:conv_pw_11/7@2,3")).toEqual({ kind: "unit", layer: "conv_pw_11", channel: 7, place: [2, 3] });
    for (const text of ["aspect:nose", "image:spot@x", "unit:conv_pw_11", "unit:conv_pw_11/x", "logit:cow"])
      expect(() => parse(text), text).toThrow(InputError);
    expect(() => parse("image:nose@1,2")).toThrow(/no such aspect\. The model has: spot, a:b@1\./);
    for (const weights of ["1.2.3,4", "1", "1,2,3", "x", ""])
      expect(() => parse(`image:spot@${weights}`), weights).toThrow(
        `"${weights}" is not two numbers. Write @OBJECT,BACKGROUND`,
      );
    expect(() => parse("image:spot@0,0")).toThrow(/both weights are 0/);
    // A class may be called like a form.
    expect(parseTarget("aspect:spot", { ...classifier, classes: ["aspect:spot"] }, { aspects: ["spot"] })).toEqual({
      kind: "log-odds",
      class: "aspect:spot",
    });
    expect(
      parseTarget("aspect:spot", { ...classifier, task: "regression", classes: [] }, { aspects: ["spot"] }),
    ).toEqual({
      kind: "aspect",
      aspect: "spot",
    });
  });

  test("weigh the logits", () => {
    const weights = (text?: string) => [
      ...targetWeights(text ? classTargetOf(parseTarget(text, classifier)) : undefined, classifier).data,
    ];
    expect(weights()).toEqual([0, 0, 0]);
    expect(weights("dog")).toEqual([0, 1, 0]);
    expect(weights("dog:cat")).toEqual([-1, 1, 0]);
    // Of two classes the margin is the log-odds.
    const margin = { kind: "margin", class: "a", other: "b" } as const;
    expect([...targetWeights(margin, { ...classifier, classes: ["a", "b"] }).data]).toEqual([1, 0]);
    const multi = { ...classifier, task: "multi", classes: ["a", "b"] } as const;
    expect([...targetWeights(margin, multi).data]).toEqual([1, -1]);
    expect(targetWeights({ kind: "value" }, { ...classifier, task: "regression", classes: [] }).data).toEqual(
      Float32Array.of(1),
    );
  });
});

test("one image is taken out of a batch with its first dimension kept", () => {
  const rows = imageOutputs({ a: array([2, 1, 2], [1, 2, 3, 4]), b: array([2], [5, 6]) }, 1);
  expect(rows.a).toEqual({ shape: [1, 1, 2], data: Float32Array.of(3, 4) });
  expect(rows.b).toEqual({ shape: [1], data: Float32Array.of(6) });
});

describe("an explanation", () => {
  const tap = "conv_pw_11";
  const size = 32;
  const options: ReadOptions = {
    spec: {
      trunk: { name: "mobilenet-v1", alpha: 0.25, inputSize: size },
      source: tap,
      heads: [
        { ...classifier, classes: ["benign", "malignant"] },
        { kind: "segmentation", name: "nucleus", taps: [tap], threshold: 0.5 },
        { kind: "presence", name: "vessel", taps: [tap], threshold: 0.5 },
      ],
    },
    scale: { kind: "probability", line: 0.1, slope: 2, by: "general" },
    image: "images/x.jpg",
  };
  /** A nucleus in the left upper quarter, seen by the head as u = 4 there and -4 elsewhere. */
  const quarter = (inside: number, outside: number) =>
    array(
      [1, size, size, 1],
      Array.from({ length: size * size }, (_, i) => (i < 512 && i % size < 16 ? inside : outside)),
    );
  const outputs = (changes: Record<string, NdArray> = {}): NdArrays => ({
    logits: array([1, 2], [-1, 2]),
    scores: array([1, 2], [0.05, 0.95]),
    "nucleus/unmasked": quarter(4, -4),
    "nucleus/masked": quarter(2, -4),
    "nucleus/reference": quarter(-4, -4),
    [`nucleus/overlap/${tap}`]: array([1, 2, 2, 2], [3, 4, 0, 0, 0, 0, 0, 0]),
    "vessel/unmasked": array([1, 1], [-2]),
    "vessel/masked": array([1, 1], [-3]),
    "vessel/reference": array([1, 1], [-4]),
    [`vessel/overlap/${tap}`]: array([1, 2, 2, 2], [0, 1, 0, 0, 0, 0, 0, 0]),
    [`evidence/${tap}`]: evidence([1, 2, 2], [4, 0, 0, 5]),
    [`pairs/${tap}`]: array([1, 1], [0]),
    [`saliency/${tap}`]: array([1, 2, 2, 1], [1, 0, 0, 0]),
    ...changes,
  });

  test("holds every number of the design", () => {
    const { explanation, maps } = readExplanation(outputs(), options);
    const presence = 1 / (1 + Math.exp(-4));
    // Survival (2 + 4) / (4 + 4); score 3^2 / (9 * 4), less the ridge; relevance 1 / (1 + (0.1 / 0.25)^2); on a grid of
    // 2x2 the widened quarter is everything.
    const numbers = { presence: expect.closeTo(presence, 12), survival: 0.75, score: expect.closeTo(1 / 4, 3) };
    expect(explanation).toEqual({
      format: "aspectlens-explanation/2",
      targetAspect: null,
      absenceOf: [],
      image: "images/x.jpg",
      prediction: {
        class: "malignant",
        score: expect.closeTo(0.95, 6),
        scores: { benign: expect.closeTo(0.05, 6), malignant: expect.closeTo(0.95, 6) },
      },
      target: { kind: "log-odds", class: "malignant" },
      saliency: "evidence",
      masking: "multiply",
      scale: { kind: "probability", line: 0.1, slope: 2, by: "general" },
      headline: { case: "named", text: "malignant 95 % because of nucleus (decisive)" },
      aspects: [
        {
          name: "nucleus",
          kind: "segmentation",
          ...numbers,
          relevance: expect.closeTo(1 / 1.16, 3),
          relevanceInterval: null,
          isPresent: true,
          isRelevant: true,
          share: 1,
          elsewhere: 0,
          strength: "decisive",
          against: 0,
          area: 0.25,
          mask: "x.nucleus.png",
          survivalMap: "x.nucleus.survival.png",
          instances: [{ box: [0, 0, 0.5, 0.5], area: 0.25, ...numbers }],
        },
        {
          name: "vessel",
          kind: "presence",
          presence: expect.closeTo(1 / (1 + Math.exp(2)), 12),
          score: null,
          relevance: null,
          survival: null,
          relevanceInterval: null,
          isPresent: false,
          isRelevant: false,
          share: 0,
          elsewhere: 0,
          strength: null,
          against: null,
          area: 0,
          mask: null,
          instances: [],
          isPlaceDerived: true,
        },
      ],
      elsewhere: 0,
      outside: 0,
      against: 0,
    });
    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(Object.keys(maps.regions)).toEqual(["nucleus"]);
    expect(maps.regions.nucleus.reduce((sum, value) => sum + value)).toBe(256);
    // 0.75 * 255 = 191.25.
    expect([maps.survival.nucleus[0], maps.survival.nucleus[31]]).toEqual([191, 0]);
    expect(maps.saliency).toMatchObject({ height: 2, width: 2, values: Float32Array.of(1, 0, 0, 0) });
  });

  test("calls nothing relevant below a relevance of 0.5, and then all of the map lies elsewhere", () => {
    const scale = { kind: "probability", line: 0.26, slope: 2, by: "causes" } as const;
    const { explanation } = readExplanation(outputs(), { ...options, scale });
    expect(explanation.headline).toEqual({
      case: "elsewhere",
      text: "malignant 95 %: no known aspect explains this; most of the evidence lies in nucleus",
    });
    expect(explanation.elsewhere).toBe(1);
    expect(explanation.aspects[0]).toMatchObject({ isPresent: true, isRelevant: false, share: 0, strength: null });
    expect(explanation.aspects[0].relevance).toBeLessThan(0.5);
  });

  test("has no relevance where the scale is no probability: above chance or not, or ranked alone", () => {
    const aspectWith = (scale: ReadOptions["scale"]) => {
      const { explanation } = readExplanation(outputs(), { ...options, scale });
      return { aspect: explanation.aspects[0], explanation };
    };
    const above = aspectWith({ kind: "above-chance", line: 0.2 });
    expect(above.aspect).toMatchObject({ relevance: null, isRelevant: true, share: 1 });
    expect(aspectWith({ kind: "above-chance", line: 0.3 }).aspect).toMatchObject({ isRelevant: false, share: 0 });
    const { aspect, explanation } = aspectWith({ kind: "uncalibrated" });
    expect(aspect).toMatchObject({ relevance: null, isRelevant: null, share: null, strength: null });
    expect(explanation).toMatchObject({ elsewhere: null, headline: { case: "ranked" } });
  });

  test("of an aspect says how sure its head is, and that an aspect that is not seen gives nothing to explain", () => {
    const about = (aspect: string, changes: Record<string, NdArray> = {}) =>
      readExplanation(outputs(changes), { ...options, target: { kind: "aspect", aspect } }).explanation;
    const vessel = about("vessel");
    expect(vessel.aspects.map(({ name }) => name)).toEqual(["nucleus"]);
    expect(vessel.targetAspect).toEqual({ presence: expect.closeTo(1 / (1 + Math.exp(2)), 6), isPresent: false });
    // A head of one number has one below its threshold too.
    expect(vessel.headline.case).toBe("named");
    const noMap = { [`saliency/${tap}`]: array([1, 2, 2, 1], [0, 0, 0, 0]) };
    const nucleus = about("nucleus", { ...noMap, "nucleus/unmasked": quarter(-3, -4) });
    expect(nucleus.targetAspect).toEqual({ presence: expect.closeTo(1 / (1 + Math.exp(3)), 6), isPresent: false });
    expect(nucleus.headline.case).toBe("target-absent");
    expect(about("nucleus", noMap).targetAspect?.isPresent).toBe(true);
    expect(about("nucleus", noMap).headline.case).not.toBe("target-absent");
    expect(about("vessel", noMap).headline.case).not.toBe("target-absent");
    const image = (background: number) =>
      readExplanation(outputs({ "nucleus/unmasked": quarter(-3, -4) }), {
        ...options,
        target: { kind: "image", aspect: "nucleus", object: 1, background },
      }).explanation.headline.case;
    expect([image(0), image(1)]).toEqual(["target-absent", expect.not.stringMatching(/target-absent/)]);
    expect(readExplanation(outputs(), options).explanation.targetAspect).toBeNull();
  });

  test("gives no relevance where a head cannot tell its answer from nothing", () => {
    const { explanation } = readExplanation(outputs({ "nucleus/reference": quarter(3.5, -4) }), options);
    expect(explanation.aspects[0]).toMatchObject({
      score: null,
      relevance: null,
      survival: null,
      isPresent: true,
      isRelevant: false,
    });
    expect(explanation.headline.case).toBe("unreadable");
    expect(explanation.aspects[0].presence).toBeGreaterThan(0.9);
  });

  test("of an absent mask has an area of 0, no files and no instances", () => {
    const { explanation, maps } = readExplanation(outputs({ "nucleus/unmasked": quarter(-1, -4) }), options);
    expect(explanation.aspects[0]).toMatchObject({
      presence: expect.closeTo(1 / (1 + Math.E), 12),
      relevance: null,
      isPresent: false,
      area: 0,
      mask: null,
      survivalMap: null,
      instances: [],
    });
    expect(maps.regions).toEqual({});
  });

  test("derives the place of a presence, with which it takes part in the pictures and in the shares", () => {
    const changes = {
      "vessel/unmasked": array([1, 1], [3]),
      [`vessel/overlap/${tap}`]: array([1, 2, 2, 2], [4, 4, 0, 0, 0, 0, 0, 0]),
    };
    const { explanation, maps } = readExplanation(outputs(changes), options);
    const [, vessel] = explanation.aspects;
    expect(vessel).toMatchObject({ isPresent: true, isPlaceDerived: true, mask: "x.vessel.png" });
    expect(vessel).not.toHaveProperty("survivalMap");
    expect(vessel.instances).toHaveLength(1);
    // One number: the instance has the aspect's own.
    const { presence, survival, area, share } = vessel;
    expect(vessel.instances[0]).toMatchObject({ presence, survival, area });
    expect(maps.regions.vessel.filter((value) => value === 1).length / pixelCount(maps.size)).toBe(area);
    expect(maps.survival).not.toHaveProperty("vessel");
    // Two aspects at all places: in proportion to their scores, 1/4 and 4^2 / (9 * 4).
    expect(share).toBeCloseTo(4 / 9 / (1 / 4 + 4 / 9), 3);
    expect(explanation.elsewhere).toBe(0);
  });

  test("names the absences that the predicted class needs, of aspects that are not seen by heads that see", () => {
    const absences = { malignant: { vessel: 0.97, nucleus: 1, gone: 1 }, benign: { vessel: 1 } };
    const of = (changes: Partial<ReadOptions>) =>
      readExplanation(outputs(), { ...options, absences, ...changes }).explanation.absenceOf;
    expect(of({})).toEqual(["vessel"]);
    expect(of({ absences: { malignant: { vessel: 0.94 } } })).toEqual([]);
    expect(of({ unseen: ["vessel"] })).toEqual([]);
    expect(of({ target: { kind: "logit", class: "malignant" } })).toEqual(["vessel"]);
    expect(of({ target: { kind: "log-odds", class: "benign" } })).toEqual([]);
    expect(of({ target: { kind: "margin", class: "malignant", other: "benign" } })).toEqual(["vessel"]);
    expect(of({ target: { kind: "margin", class: "benign", other: "malignant" } })).toEqual([]);
  });

  test("keeps the target that was asked for", () => {
    const target = { kind: "margin", class: "benign", other: "malignant" } as const;
    expect(readExplanation(outputs(), { ...options, target }).explanation.target).toEqual(target);
  });

  test("is refused where an output is missing, or holds several images", () => {
    const { "vessel/masked": _, ...missing } = outputs();
    expect(() => readExplanation(missing, options)).toThrow(ShapeError);
    expect(() => readExplanation(missing, options)).toThrow(/"vessel\/masked".*got none/);
    expect(() => readExplanation(outputs({ logits: array([2, 2], [0, 1, 0, 1]) }), options)).toThrow(
      /"logits".*\[2, 2\]/,
    );
  });
});
