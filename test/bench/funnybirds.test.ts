/** FunnyBirds: classes, scenes, part maps and protocols, on cases that are worked by hand. */

import { describe, expect, test } from "vitest";
import { contrastPair, drawClasses, PARTS } from "../../bench/funnybirds/birds.js";
import { dilatedThings, sumsOverThings, visibleObjects, visibleParts } from "../../bench/funnybirds/part-maps.js";
import { partsPath, SUBSETS, shotOf } from "../../bench/funnybirds/pictures.js";
import {
  accuracy,
  backgroundIndependence,
  bestLevel,
  completeness,
  deletionCheck,
  distractibility,
  type Explanation,
  type Judged,
  preservationCheck,
  scoresAt,
  singleDeletion,
  spearman,
  sufficientSets,
  syntheticDataCheck,
  targetSensitivity,
} from "../../bench/funnybirds/protocols.js";

const [BEAK, EYE, FOOT, TAIL, WING] = [1, 2, 4, 8, 16];
const ALL = 31;

/** Class 0 shares beak and eye with class 1, foot and tail with class 2, the wing alone with class 3. */
const classes = [
  { beak: 0, eye: 0, foot: 0, tail: 0, wing: 0 },
  { beak: 0, eye: 0, foot: 1, tail: 1, wing: 1 },
  { beak: 1, eye: 1, foot: 0, tail: 0, wing: 2 },
  { beak: 2, eye: 2, foot: 2, tail: 2, wing: 0 },
];

/** Logits of the four classes for each choice of parts. */
function kept(logitsOf: (bits: number) => number[]): number[][] {
  return Array.from({ length: 32 }, (_, bits) => logitsOf(bits));
}

/** Class 0 wins by its wing; beak and eye speak for class 1, foot and tail for class 2. */
const model = kept((bits) => [
  (bits & WING ? 8 : 0) + (bits & BEAK ? 1 : 0) + 2,
  (bits & BEAK ? 2 : 0) + (bits & EYE ? 1 : 0),
  (bits & FOOT ? 3 : 0) + (bits & TAIL ? 2 : 0),
  0,
]);
const parts = (given: number[], objects: number[] = []): Explanation => ({
  parts: given,
  objects,
  sum: [...given, ...objects].reduce((sum, value) => sum + value, 0),
});
/** Explains 0 by the wing alone, 1 by beak and eye, 2 by foot and tail. */
const truth = new Map([
  [0, parts([1, 0, 0, 0, 8])],
  [1, parts([2, 1, 0, 0, 0])],
  [2, parts([0, 0, 3, 2, 0])],
]);
const image: Judged = { label: 0, kept: model, objects: [], explained: truth };

describe("classes", () => {
  test("are unique, each with a pair that shares two other parts each", () => {
    const drawn = drawClasses({ count: 50, seed: 7 });
    expect(new Set(drawn.map((bird) => JSON.stringify(bird))).size).toBe(50);
    for (const index of drawn.keys()) {
      const pair = contrastPair(drawn, index);
      expect(new Set([...(pair?.sharedWithA ?? []), ...(pair?.sharedWithB ?? [])]).size).toBe(4);
    }
    expect(drawClasses({ count: 50, seed: 7 })).toEqual(drawn);
    expect(drawClasses({ count: 50, seed: 8 })).not.toEqual(drawn);
  });

  test("a pair shares two parts each with the class, and none of them is the same", () => {
    expect(contrastPair(classes, 0)).toEqual({
      a: 1,
      b: 2,
      sharedWithA: ["beak", "eye"],
      sharedWithB: ["foot", "tail"],
    });
    expect(contrastPair(classes, 3)).toBeUndefined();
  });
});

describe("images", () => {
  const shot = (split: "train" | "test", index: number) => shotOf(split, index, { seed: 7, classCount: 50 });

  test("are the same from the same seed, and those of test are whole", () => {
    expect(shot("train", 3)).toEqual(shot("train", 3));
    expect(shot("train", 3).scene).not.toEqual(shot("test", 3).scene);
    for (let index = 0; index < 100; index++) expect(shot("test", index).kept).toEqual(PARTS);
  });

  test("of training lack parts in half of the cases, none of which is spared", () => {
    const all = Array.from({ length: 2000 }, (_, index) => shot("train", index));
    // Half are left whole, and of the others one in six loses none: 1 / 2 + 1 / 12; three standard deviations are 33.
    expect(Math.abs(all.filter((one) => one.kept.length === 5).length - 2000 * (7 / 12))).toBeLessThan(66);
    for (const part of PARTS) {
      // A part is lost in half of the half, on average.
      expect(Math.abs(all.filter((one) => !one.kept.includes(part)).length - 500)).toBeLessThan(60);
    }
    for (const { scene } of all) {
      expect(scene.objects.length).toBeLessThanOrEqual(34);
      for (const { position } of scene.objects) {
        expect(Math.hypot(...position)).toBeGreaterThanOrEqual(99.99);
        expect(Math.hypot(...position)).toBeLessThanOrEqual(200.01);
      }
      expect(Math.hypot(...scene.light)).toBeCloseTo(300);
    }
  });

  test("every choice of parts has a file of its own", () => {
    const paths = SUBSETS.map((some) => partsPath(shot("test", 0), some));
    expect(new Set(paths).size).toBe(32);
    expect(SUBSETS[EYE | WING]).toEqual(["eye", "wing"]);
  });
});

describe("part maps", () => {
  // 7 x 6; part 1 at (1, 1), part 5 at (4, 2), the third background object at the right edge.
  const [width, height] = [7, 6];
  const data = new Uint8Array(width * height);
  data[1 * width + 1] = 1;
  data[2 * width + 4] = 5;
  data[5 * width + 6] = 12;
  const map = { data, width, height };

  test("say what is seen", () => {
    expect(visibleParts(map)).toEqual(["beak", "wing"]);
    expect(visibleObjects(map)).toEqual([2]);
  });

  test("give a thing what lies within two pixels of it, and shared pixels to both", () => {
    const attribution = new Float32Array(width * height).fill(1);
    attribution[1 * width + 3] = -10; // two right of part 1, and beside part 5
    const sums = sumsOverThings(attribution, dilatedThings(map));
    // Part 1: rows 0..3 and columns 0..3 are 16 pixels, of which one has -10 in place of 1.
    expect(sums.get(1)).toBe(16 - 11);
    // Part 5: rows 0..4 and columns 2..6 are 25 pixels.
    expect(sums.get(5)).toBe(25 - 11);
    // The object: rows 3..5 and columns 4..6.
    expect(sums.get(12)).toBe(9);
    expect(sums.size).toBe(3);
  });
});

describe("protocols", () => {
  test("sufficient sets exclude all other classes, and hold nothing that is not needed", () => {
    // The wing excludes 1 and 2, but 3 has it too; anything else excludes 3.
    expect(sufficientSets(classes, 0).toSorted((a, b) => a - b)).toEqual(
      [BEAK | FOOT, EYE | FOOT, BEAK | TAIL, EYE | TAIL, BEAK | WING, EYE | WING, FOOT | WING, TAIL | WING].toSorted(
        (a, b) => a - b,
      ),
    );
    expect(sufficientSets(classes, 1).toSorted((a, b) => a - b)).toEqual([FOOT, TAIL, WING]);
  });

  test("ranks are correlated with ties at their mean", () => {
    expect(spearman([1, 2, 3, 4, 5], [2, 3, 5, 9, 10])).toBe(1);
    expect(spearman([1, 2, 3], [3, 2, 1])).toBe(-1);
    // Ranks -1.5, -0.5, 0.5, 1.5 and -1, -1, 0.5, 1.5: 4.5 / sqrt(5 * 4.5).
    expect(spearman([1, 2, 3, 4], [0, 0, 1, 2])).toBeCloseTo(4.5 / Math.sqrt(5 * 4.5));
    expect(spearman([1, 2, 3], [7, 7, 7])).toBeNull();
  });

  test("the data check takes the best covered sufficient set, of right answers alone", () => {
    // The wing has 8 of 9 and the beak 1 of 9: both are named at 0.1, the wing alone at 0.2.
    expect(syntheticDataCheck([image], classes, 0.1)).toBe(1);
    expect(syntheticDataCheck([image], classes, 0.2)).toBe(0.5);
    const wrong = { ...image, label: 3 };
    expect(syntheticDataCheck([image, wrong], classes, 0.2)).toBe(0.5);
    expect(accuracy([image, wrong])).toBe(0.5);
  });

  test("preservation keeps what is named, deletion removes it", () => {
    // Kept the wing alone: 10 of 0 beats all. Without the wing: 3 of class 0 against 5 of class 2.
    expect(preservationCheck([image], 0.2)).toBe(1);
    expect(deletionCheck([image], 0.2)).toBe(1);
    // Explained by the beak alone, the beak keeps class 0 (3 against 2), and its removal changes nothing.
    const byBeak = { ...image, explained: new Map([[0, parts([1, 0, 0, 0, 0])]]) };
    expect(preservationCheck([byBeak], 0.2)).toBe(1);
    expect(deletionCheck([byBeak], 0.2)).toBe(0);
    // By the foot: kept alone, 2 of class 0 against 3 of class 2.
    expect(preservationCheck([{ ...image, explained: new Map([[0, parts([0, 0, 1, 0, 0])]]) }], 0.2)).toBe(0);
  });

  test("both checks explain the answer, also where it is wrong", () => {
    const wrong = { ...image, label: 3, explained: new Map([[0, parts([0, 0, 0, 0, 1])]]) };
    expect(preservationCheck([wrong], 0.2)).toBe(1);
    expect(deletionCheck([wrong], 0.2)).toBe(1);
  });

  test("distracting is what is named and changes the logit by less than a twentieth, or raises it", () => {
    // f = 11: 5 % are 0.55. Eye, foot and tail do not change it; of two objects one takes 0.5, the other 0.6.
    const distracted = {
      ...image,
      objects: [[10.5], [10.4]],
      explained: new Map([[0, parts([1, 4, 0, 0, 1], [4, 4])]]),
    };
    // Irrelevant: eye, foot, tail, the first object; named: eye and that object.
    expect(distractibility([distracted], 0.2)).toBe(0.5);
    expect(backgroundIndependence([distracted])).toBe(0.5);
    expect(backgroundIndependence([{ ...distracted, objects: [[12], [10.4]] }])).toBe(0.5);
    // Nothing is irrelevant: left out.
    const needy = { ...image, kept: kept((bits) => [PARTS.filter((_, i) => (bits >> i) & 1).length, 0, 0, 0]) };
    expect(distractibility([needy], 0.2)).toBeNull();
    expect(distractibility([needy, distracted], 0.2)).toBe(0.5);
  });

  test("single deletion compares ranks of the five parts", () => {
    // Lost 1, 0, 0, 0, 8 against given 1, 0, 0, 0, 8.
    expect(singleDeletion([image])).toBeCloseTo(1);
    const opposite = { ...image, explained: new Map([[0, parts([-1, 0, 0, 0, -8])]]) };
    expect(singleDeletion([opposite])).toBeCloseTo(0);
    const flat = { ...image, explained: new Map([[0, parts([1, 1, 1, 1, 1])]]) };
    expect(singleDeletion([flat])).toBeNull();
    expect(singleDeletion([image, flat])).toBeCloseTo(1);
  });

  test("target sensitivity wants the shared parts weighed by their own class", () => {
    expect(targetSensitivity([image], classes)).toBe(1);
    const explained = (a: Explanation, b: Explanation) => ({
      ...image,
      explained: new Map([
        [1, a],
        [2, b],
      ]),
    });
    const [ofA, ofB] = [parts([2, 1, 0, 0, 0]), parts([0, 0, 3, 2, 0])];
    expect(targetSensitivity([explained(ofB, ofA)], classes)).toBe(0);
    expect(targetSensitivity([explained(ofA, ofA)], classes)).toBe(0);
    // Beak and eye have 3 for a and 1 for b; foot and tail 9 for a and 5 for b.
    expect(targetSensitivity([explained(parts([2, 1, 9, 0, 0]), parts([1, 0, 3, 2, 0]))], classes)).toBe(0.5);
    // A model to which the parts say nothing is left out.
    expect(targetSensitivity([{ ...image, kept: kept(() => [1, 0, 0, 0]) }], classes)).toBeNull();
  });

  test("the score is the mean of three, at the level with the best completeness", () => {
    // At 0.2: data check 0.5, preservation 1, deletion 1; nothing irrelevant is named: (2.5 / 3 + 1) / 2.
    expect(completeness([image], classes, 0.2).completeness).toBeCloseTo((2.5 / 3 + 1) / 2);
    // Below 1 / 9 the beak is named too, and the data check is full.
    const level = bestLevel([image], classes);
    expect(level).toBe(0.01);
    expect(scoresAt([image], classes, level).score).toBeCloseTo(1);
    expect(scoresAt([image], classes, 0.2).score).toBeCloseTo(((2.5 / 3 + 1) / 2 + 2) / 3);
  });

  test("nothing is named by an explanation that gives nothing", () => {
    const silent = { ...image, explained: new Map([[0, parts([0, 0, 0, 0, 0])]]) };
    expect(syntheticDataCheck([silent], classes, 0.01)).toBe(0);
    // Only the body is left: 2 of class 0, 0 of the others.
    expect(preservationCheck([silent], 0.01)).toBe(1);
    expect(deletionCheck([silent], 0.01)).toBe(0);
    expect(model[ALL][0]).toBe(11);
  });
});
