/** Each rule of what to try next, on a run that is made to need it, and on one that does not. */

import { expect, test } from "vitest";
import { adviceFor, blindHeads } from "../../src/review/advice.js";
import type { RunFacts } from "../../src/review/run-facts.js";

const enough = { labelled: 500, empty: 500, unlabelled: 0 };
const review = { constant: 0.1, precision: {}, reliability: [], best: [], worst: [] };

interface Given {
  readonly iou?: number | null;
  readonly head?: Partial<RunFacts["heads"][number]>;
  readonly side?: number;
  readonly scores?: readonly number[];
  readonly losses?: readonly number[];
  readonly best?: number;
}

function given({
  iou = 0.5,
  head = {},
  side = 40,
  scores = [0.5],
  losses = scores.map(() => 1),
  best = 1,
}: Given): RunFacts {
  return {
    ...{ title: "run", score: "mean", inputSize: 64, config: {}, stages: [{ train: "all", epochs: scores.length }] },
    heads: [{ name: "x", kind: "segmentation", labels: enough, stride: 16, finerTap: "early", ...head }],
    history: scores.map((score, index) => ({
      ...{ stage: 0, epoch: index + 1, seconds: 1, learningRate: 1, losses: { total: losses[index] }, score },
      validation: iou === null ? {} : { x: { kind: "segmentation", iou, dice: null, count: 9 } },
    })),
    best: { stage: 0, epoch: best },
    reviews: { x: { ...review, medianSide: side } },
  };
}

const texts = (run: RunFacts) => adviceFor(run).map(({ text }) => text);

test("a head with enough labels and large things, and a run of one epoch, need nothing", () => {
  expect(texts(given({}))).toEqual([]);
});

test.each<[string, Given, RegExp]>([
  [
    "things of a few pixels: a larger input",
    { side: 6, head: { stride: 2 } },
    /smaller than 6 px .*trunk\.inputSize=128/,
  ],
  ["things of less than two cells: an earlier layer", { side: 31 }, /stride 16.*heads\.x\.tap=early/],
  [
    "few images that show it: more labels",
    { head: { labels: { labelled: 12, empty: 500, unlabelled: 30 } } },
    /only 12 training images show it.*30 images are not labelled/,
  ],
  ["none labelled as empty", { head: { labels: { labelled: 500, empty: 0, unlabelled: 9 } } }, /free of it/],
  ["not evaluated", { iou: null }, /was not evaluated/],
  ["still rising at the end", { scores: [0.1, 0.2, 0.3, 0.4, 0.5], best: 5 }, /still rising.*stages\.0\.epochs=10/],
  [
    "losses fall while the score does not rise",
    { scores: [0.3, 0.5, 0.4, 0.4, 0.4], losses: [3, 2, 1, 1, 1], best: 2 },
    /After epoch 2 .* another 50 %.*by heart/,
  ],
  ["sees nothing for no other reason", { iou: 0.11 }, /are the labels right/],
])("%s", (_, facts, pattern) => {
  const found = texts(given(facts));
  expect(found).toHaveLength(1);
  expect(found[0]).toMatch(pattern);
});

test("an input is never advised to be larger than the images", () => {
  const small = (imageSide: number) => texts({ ...given({ side: 6, head: { stride: 2 } }), imageSide });
  expect(small(100)).toEqual([expect.stringMatching(/trunk\.inputSize=96,/)]);
  expect(small(80)).toEqual([expect.stringMatching(/The images, 80 px on the longer side, hold no more/)]);
});

test("a run on some of the images is to be trained in full first, whatever else stands out", () => {
  const few = given({ side: 6, head: { stride: 2, labels: { labelled: 3, empty: 0, unlabelled: 0 } } });
  expect(texts({ ...few, part: { train: 40, of: 400 } })).toEqual([expect.stringMatching(/^Train in full first/)]);
});

test("a good head is left alone, however few its labels", () => {
  expect(texts(given({ iou: 0.95, side: 6, head: { labels: { labelled: 3, empty: 0, unlabelled: 0 } } }))).toEqual([]);
});

test("blind is a head that is at most 0.02 better than a constant answer", () => {
  const why = "score 0.12 on the validation images, the same answer for every image 0.10";
  expect(blindHeads(given({ iou: 0.12 }))).toEqual([{ name: "x", why }]);
  expect(blindHeads(given({ iou: 0.13 }))).toEqual([]);
});

test("blind is a head without training labels, however good its score", () => {
  const untaught = given({ iou: 1, head: { labels: { labelled: 0, empty: 0, unlabelled: 90 } } });
  expect(blindHeads(untaught)).toEqual([{ name: "x", why: "no training image is labelled for it" }]);
  expect(texts(untaught)).toEqual([expect.stringMatching(/^was not trained/)]);
  // One that was trained before, on other images.
  expect(blindHeads(given({ iou: 1, head: { labels: undefined } }))).toEqual([]);
});

test("the pair of classes that makes most mistakes is named", () => {
  const run = given({});
  const confusion = [
    [5, 4],
    [1, 5],
  ];
  const metrics = { kind: "classifier", task: "single", accuracy: 0.67, majorityBaseline: 0.6, confusion, count: 15 };
  const validation = { class: { ...metrics, recall: { cat: 0.5, dog: 0.8 } } };
  const told = texts({
    ...run,
    heads: [{ name: "class", kind: "classifier", labels: enough }],
    history: [{ ...run.history[0], validation }],
    reviews: {},
  });
  expect(told).toEqual([expect.stringMatching(/^takes cat for dog in 4 of 5 mistakes/)]);
});
