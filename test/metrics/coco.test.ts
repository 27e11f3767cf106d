/** COCO's average precision against cases worked out by hand. */

import { describe, expect, test } from "vitest";
import type { Box } from "../../src/core/box.js";
import { detectionTally } from "../../src/metrics/coco-average-precision.js";
import { matchDetections, OVERLAPS } from "../../src/metrics/coco-matching.js";

interface Image {
  readonly found?: readonly (readonly [score: number, box: Box])[];
  readonly boxes?: readonly Box[];
  readonly crowds?: readonly Box[];
}

function tallyOf(images: readonly Image[]) {
  const tally = detectionTally();
  images.forEach(({ found = [], boxes = [], crowds = [] }, image) => {
    const detections = found.map(([score, box]) => ({ score, box }));
    tally.add(image, matchDetections(detections, { boxes, crowds }), boxes.length);
  });
  return tally;
}

/** A tenth of the image high and wide, the n-th of a row; another height changes the overlap with it to that share. */
const box = (n: number, height = 1): Box => [0, 0.1 * n, 0.1 * height, 0.1 * n + 0.1];

test("the overlaps are 0.50 to 0.95", () => {
  expect(OVERLAPS.map((overlap) => overlap.toFixed(2)).join()).toBe(
    "0.50,0.55,0.60,0.65,0.70,0.75,0.80,0.85,0.90,0.95",
  );
});

describe("precision at 101 points of recall", () => {
  test("right, wrong, right, of three boxes", () => {
    const tally = tallyOf([{ boxes: [box(0), box(1), box(2)], found: [[0.9, box(0)], [0.8, box(5)], [0.7, box(1)]] }]); // biome-ignore format: one image
    // Recall 1/3, 1/3, 2/3 at precision 1, 1/2, 2/3. Points 0 to 0.33 (34 of them) take 1, 0.34 to 0.66 (33) take 2/3,
    // the other 34 are never reached.
    expect(tally.precisionAt(0)).toBeCloseTo((34 * 1 + 33 * (2 / 3)) / 101, 12);
    expect(tally.meanPrecision()).toBeCloseTo((34 * 1 + 33 * (2 / 3)) / 101, 12); // the boxes fit exactly
  });

  test("a recall that is exactly a point reaches it", () => {
    const tally = tallyOf([{ boxes: [box(0), box(1)], found: [[0.9, box(0)]] }]);
    expect(tally.precisionAt(0)).toBeCloseTo(51 / 101, 12); // 0 to 0.50
  });

  test("a later, better precision holds for lower recalls too", () => {
    const tally = tallyOf([{ boxes: [box(0), box(1)], found: [[0.9, box(5)], [0.8, box(0)], [0.7, box(1)]] }]); // biome-ignore format: one image
    // Precision 0, 1/2, 2/3 at recall 0, 1/2, 1.
    expect(tally.precisionAt(0)).toBeCloseTo(2 / 3, 12);
  });

  test("all overlaps together: a box that overlaps by 0.72 is right at five of ten", () => {
    const tally = tallyOf([{ boxes: [box(0)], found: [[0.9, box(0, 0.72)]] }]);
    expect(OVERLAPS.map((_, index) => tally.precisionAt(index))).toEqual([1, 1, 1, 1, 1, 0, 0, 0, 0, 0]);
    expect(tally.meanPrecision()).toBe(1 / 2);
  });
});

describe("no expert's box", () => {
  test("in any image: not evaluated, whatever was found", () => {
    expect(tallyOf([{ found: [[0.9, box(0)]] }]).precisionAt(0)).toBeNull();
    expect(tallyOf([{}]).meanPrecision()).toBeNull();
  });

  test("in some image: what is found there is wrong", () => {
    const tally = tallyOf([{ boxes: [box(0)], found: [[0.5, box(0)]] }, { found: [[0.9, box(0)]] }]); // biome-ignore format: two images
    expect(tally.precisionAt(0)).toBe(1 / 2);
  });

  test("nothing found where there is one: 0", () => {
    expect(tallyOf([{ boxes: [box(0)] }]).precisionAt(0)).toBe(0);
  });
});

describe("ties", () => {
  test("of equal scores the earlier image's comes first", () => {
    const right: Image = { boxes: [box(0)], found: [[0.5, box(0)]] };
    const wrong: Image = { found: [[0.5, box(0)]] };
    expect(tallyOf([right, wrong]).precisionAt(0)).toBe(1);
    expect(tallyOf([wrong, right]).precisionAt(0)).toBe(1 / 2);
  });

  test("of two detections of one box the better is right, of equal ones the first", () => {
    const found = matchDetections([{ score: 0.5, box: box(0) }, { score: 0.9, box: box(0) }], { boxes: [box(0)] }); // biome-ignore format: one call
    expect(found.map(({ score, found }) => [score, found & 1])).toEqual([[0.9, 1], [0.5, 0]]); // biome-ignore format: pairs
    const equal = matchDetections([{ score: 0.5, box: box(0, 0.6) }, { score: 0.5, box: box(0) }], { boxes: [box(0)] }); // biome-ignore format: one call
    expect(equal.map(({ found }) => found & 1)).toEqual([1, 0]);
  });

  test("a detection takes the box that it overlaps most, and of equal ones the last", () => {
    // Columns of an image of 32, exact in binary: the one between shares 6 of 10 with either, those two 4 of 12.
    const columns = (from: number, to: number): Box => [0, from / 32, 1 / 8, to / 32];
    const [left, right, between] = [columns(0, 8), columns(4, 12), columns(2, 10)];
    const foundWith = (second: Box) =>
      matchDetections(
        [
          { score: 0.9, box: between },
          { score: 0.8, box: second },
        ],
        { boxes: [left, right] },
      ).map(({ found }) => found & 1);
    expect(foundWith(left)).toEqual([1, 1]); // the one between took the right one
    expect(foundWith(right)).toEqual([1, 0]);
  });
});

describe("crowds", () => {
  test("what lies in one is neither right nor wrong, any number of times", () => {
    const crowd: Box = [0.5, 0, 1, 1];
    const inside: Box = [0.6, 0.2, 0.7, 0.3];
    const tally = tallyOf([
      { boxes: [box(0)], crowds: [crowd], found: [[0.9, inside], [0.8, inside], [0.7, box(0)]] },
    ]); // biome-ignore format: one image
    expect(tally.precisionAt(0)).toBe(1);
    expect(tally.boxCount()).toBe(1);
  });

  test("the share of the detection that lies in it counts, not of their union", () => {
    const crowd: Box = [0.5, 0, 1, 1];
    const half: Box = [0.25, 0, 0.75, 0.125];
    const less: Box = [0.25 - 1 / 64, 0, 0.75 - 1 / 64, 0.125];
    expect(matchDetections([{ score: 1, box: half }], { boxes: [], crowds: [crowd] })[0].ignored).toBe(1);
    expect(matchDetections([{ score: 1, box: less }], { boxes: [], crowds: [crowd] })[0].ignored).toBe(0);
  });

  test("a box goes before a crowd that fits better", () => {
    const [one] = matchDetections([{ score: 1, box: box(0, 0.6) }], { boxes: [box(0)], crowds: [[0, 0, 1, 1]] });
    expect(one.found & 1).toBe(1);
    expect(one.ignored & 1).toBe(0);
    // At an overlap of 0.65 the box is out of reach, and the crowd takes it.
    expect(one.found & (1 << 3)).toBe(0);
    expect(one.ignored & (1 << 3)).toBe(1 << 3);
  });

  test("crowds alone are no boxes: not evaluated", () => {
    expect(tallyOf([{ crowds: [box(0)], found: [[0.9, box(0)]] }]).precisionAt(0)).toBeNull();
  });
});

test("at most the best hundred of an image count", () => {
  const found = Array.from({ length: 101 }, (_, i) => ({ score: i === 0 ? 0.1 : 0.9, box: box(i === 0 ? 0 : 5) }));
  expect(matchDetections(found, { boxes: [box(0)] }).some(({ found }) => found > 0)).toBe(false);
});

test("weights are the same as giving an image as often", () => {
  const images: Image[] = [
    { boxes: [box(0), box(1)], found: [[0.9, box(0)], [0.4, box(5)]] },
    { boxes: [box(2)], found: [[0.6, box(5)], [0.5, box(2)]] },
    { found: [[0.7, box(0)]] },
  ]; // biome-ignore format: three images
  const weights = [2, 0, 1];
  const repeated = images.flatMap((image, index) => Array.from({ length: weights[index] }, () => image));
  expect(tallyOf(images).precisionAt(0, weights)).toBeCloseTo(tallyOf(repeated).precisionAt(0) ?? Number.NaN, 12);
  expect(tallyOf(images).countsFrom(0.5, weights)).toEqual({ right: 2, found: 3, boxes: 4 });
});
