import { describe, expect, test } from "vitest";
import type { Annotation, Sample } from "../../src/core/annotation.js";
import {
  fitLow,
  thresholdAgainstDistractors,
  thresholdAgainstRandomized,
  thresholdThatSeparates,
} from "../../src/explain/calibration/fit-threshold.js";
import {
  compareWithGroundTruth,
  type GroundTruthComparison,
  rankedRelevances,
} from "../../src/explain/calibration/ground-truth.js";
import type { AspectExplanation, Explanation } from "../../src/explain/explanation.js";
import { relevantOnes } from "../../src/explain/reading/relevant-aspects.js";
import { measureFaithfulness } from "../../src/faithfulness/measure-faithfulness.js";
import { createTally } from "../../src/faithfulness/tally.js";

interface Seen {
  readonly presence?: number;
  readonly relevance: number | null;
  readonly survival?: number;
}

/** An explanation whose answer is `malignant`, with these aspects and a threshold of 0.3. */
function explanation(aspects: Record<string, Seen>, answer = "malignant"): Explanation {
  return {
    format: "aspectlens-explanation/1",
    image: "x.png",
    prediction: { class: answer, score: 0.9, scores: { [answer]: 0.9 } },
    target: { kind: "log-odds", class: answer },
    saliency: "evidence",
    masking: "filter-weights",
    threshold: 0.3,
    thresholdBeside: 0.3,
    isExplained: true,
    unexplained: 0,
    aspects: Object.entries(aspects).map(
      ([name, { presence = 0.9, relevance, survival = 0 }]): AspectExplanation => ({
        name,
        kind: "segmentation",
        presence,
        relevance,
        relevanceApart: relevance,
        survival: relevance === null ? null : survival,
        relevanceInterval: null,
        isPresent: true,
        isRelevant: relevance !== null && relevance >= 0.3,
      }),
    ),
  };
}

function sample(aspects: Record<string, Annotation>, rest: Partial<Sample> = {}): Sample {
  return { path: "x.png", image: new Uint8Array(), target: { label: "malignant" }, aspects, ...rest };
}

const here: Annotation = { present: true };
const causes = { malignant: ["necrosis", "mitosis"] };

describe("the truth of an image", () => {
  test("an aspect that may only be in the void is neither a cause nor a distractor", () => {
    const only = { mask: Float32Array.of(0, 0), ignored: Uint8Array.of(0, 1) };
    const labelled = sample({ necrosis: only, vessel: { boxes: [], ignoredBoxes: [[0, 0, 1, 1]] } });
    const comparison = compareWithGroundTruth(explanation({ necrosis: { relevance: 0.5 } }), {
      sample: labelled,
      causes,
    });
    expect(comparison).toMatchObject({ causes: [], distractors: [] });
  });

  test("separates the aspects labelled present into causes and distractors", () => {
    const labelled = sample({
      necrosis: here,
      mitosis: { present: false },
      vessel: { boxes: [[0, 0, 1, 1]] },
      tag: { boxes: [] },
    });
    const comparison = compareWithGroundTruth(explanation({ necrosis: { relevance: 0.5 } }), {
      sample: labelled,
      causes,
    });
    expect(comparison).toMatchObject({ isRight: true, causes: ["necrosis"], distractors: ["vessel"] });
  });

  test("knows every way of being labelled present", () => {
    const annotations: Record<string, Annotation> = {
      mask: { mask: Uint8Array.of(0, 1) },
      amount: { amount: 0.2 },
      map: { map: Uint8Array.of(0, 9) },
      noMask: { mask: null },
      emptyMask: { mask: Uint8Array.of(0, 0) },
      noAmount: { amount: 0 },
      unlabelled: {},
    };
    expect(compareWithGroundTruth(explanation({}), { sample: sample(annotations) }).distractors).toEqual([
      "mask",
      "amount",
      "map",
    ]);
  });

  test("takes a sample's own causes before the dataset's", () => {
    const own = sample({ necrosis: here, vessel: here }, { causes: ["vessel"] });
    expect(compareWithGroundTruth(explanation({}), { sample: own, causes })).toMatchObject({
      causes: ["vessel"],
      distractors: ["necrosis"],
    });
  });

  test("calls an answer right, wrong, or unlabelled", () => {
    const isRight = (answer: string, rest: Partial<Sample>) =>
      compareWithGroundTruth(explanation({}, answer), { sample: sample({}, rest) }).isRight;
    expect(isRight("malignant", {})).toBe(true);
    expect(isRight("benign", {})).toBe(false);
    expect(isRight("benign", { target: {} })).toBeNull();
    expect(isRight("benign", { target: { labels: ["benign", "other"] } })).toBe(true);
  });

  test("of several labels takes the causes of the one that was explained", () => {
    const both = sample({ necrosis: here, vessel: here }, { target: { labels: ["malignant", "bleeding"] } });
    const byLabel = { ...causes, bleeding: ["vessel"] };
    expect(compareWithGroundTruth(explanation({}, "bleeding"), { sample: both, causes: byLabel }).causes).toEqual([
      "vessel",
    ]);
    expect(compareWithGroundTruth(explanation({}), { sample: both, causes: byLabel }).causes).toEqual(["necrosis"]);
  });

  test("ranks only what a head could tell from nothing", () => {
    const labelled = sample({ necrosis: here, vessel: here, tag: here });
    const comparison = compareWithGroundTruth(
      explanation({
        necrosis: { relevance: 0.5 },
        vessel: { relevance: null },
        tag: { relevance: 0.1 },
        lymphocyte: { relevance: 0.8 },
      }),
      {
        sample: labelled,
        causes,
      },
    );
    expect(rankedRelevances(comparison)).toEqual([
      { name: "necrosis", relevance: 0.5, uniqueRelevance: 0.5, score: 0.5, isPositive: true },
      { name: "tag", relevance: 0.1, uniqueRelevance: 0.1, score: 0.1, isPositive: false },
    ]);
  });
});

describe("faithfulness", () => {
  const comparison = (
    aspects: Record<string, Seen>,
    { answer = "malignant", labelled = ["necrosis", "vessel", "tag"] } = {},
  ): GroundTruthComparison =>
    compareWithGroundTruth(explanation(aspects, answer), {
      sample: sample(Object.fromEntries(labelled.map((name) => [name, here]))),
      causes,
    });

  test("counts, image by image, whether the first is a cause", async () => {
    const images = [
      // Right by relevance, wrong by presence, tied by survival: half.
      comparison({
        necrosis: { relevance: 0.6, presence: 0.8, survival: 0.5 },
        vessel: { relevance: 0.1, presence: 0.9, survival: 0.5 },
      }),
      // Three tie by relevance, one of them the cause: a third. Both distractors are called relevant.
      comparison({
        necrosis: { relevance: 0.4, presence: 1, survival: 1 },
        vessel: { relevance: 0.4, presence: 0.2 },
        tag: { relevance: 0.4, presence: 0.1 },
      }),
      // Labelled, but the head does not see the cause: lost to coverage.
      comparison({ necrosis: { relevance: null }, vessel: { relevance: 0.9 } }),
      // Labelled, but answered wrong: lost to coverage.
      comparison({ necrosis: { relevance: 0.9 }, vessel: { relevance: 0.1 } }, { answer: "benign" }),
      // No cause is labelled: not part of the question, but part of the accuracy.
      comparison({ vessel: { relevance: 0.9 } }, { labelled: ["vessel", "tag"] }),
    ];
    const report = await measureFaithfulness(images);
    expect(report).toEqual({
      format: "aspectlens-faithfulness/1",
      count: 2,
      classifier: { accuracy: 4 / 5 },
      methods: [
        {
          saliency: "evidence",
          masking: "filter-weights",
          isDefault: true,
          threshold: 0.3,
          namedCause: expect.closeTo((1 + 1 / 3) / 2, 12),
          causeRelevant: 1,
          distractorNamed: 2 / 3,
          // Causes 0.6 and 0.4 against 0.1, 0.4 and 0.4: 3 pairs won, 1 won and 2 tied of the rest: (3 + 1 + 1) / 6.
          auc: expect.closeTo(5 / 6, 12),
          allCausesRelevant: null,
          allUsedCausesRelevant: null,
          unexplainedWithCause: 0,
          unexplainedWithoutCause: null,
          removalCorrelation: null,
          curves: null,
          // Causes 0.5 and 1 against 0.5, 0 and 0: 2.5 and 3 of 3.
          bySurvival: { namedCause: 3 / 4, auc: expect.closeTo(5.5 / 6, 12) },
        },
      ],
      counts: { severalCauses: 0, severalUsedCauses: 0, withCause: 2, withoutCause: 0 },
      aspects: {
        necrosis: { count: 2, relevant: 1, removal: null },
        // In the two that count, in the one whose necrosis is not seen, in the one that has none.
        vessel: { count: 4, relevant: 3 / 4, removal: null },
        tag: { count: 1, relevant: 1, removal: null },
      },
      coverage: 2 / 4,
      chance: { namedCause: expect.closeTo((1 / 2 + 1 / 3) / 2, 12), auc: 0.5, curves: null },
      controls: {
        presenceOnly: { namedCause: 1 / 2 },
        survival: { namedCause: 3 / 4 },
        randomClassifier: null,
        randomHeads: null,
      },
      twins: null,
    });
  });

  test("counts the images that no aspect explains, and those whose causes are all found", async () => {
    const both = (necrosis: number, mitosis: number) =>
      comparison(
        { necrosis: { relevance: necrosis }, mitosis: { relevance: mitosis } },
        { labelled: ["necrosis", "mitosis"] },
      );
    const without = (vessel: number) =>
      compareWithGroundTruth(explanation({ vessel: { relevance: vessel } }), {
        sample: sample({ vessel: here }),
        causes: { malignant: [] },
      });
    const unknown = compareWithGroundTruth(explanation({ vessel: { relevance: 0 } }), {
      sample: sample({ vessel: here }),
    });
    const images = [both(0.9, 0.8), both(0.9, 0.1), both(0.1, 0.2), without(0.1), without(0.1), without(0.7), unknown];
    const { methods, counts } = await measureFaithfulness(images);
    expect(counts).toEqual({ severalCauses: 3, severalUsedCauses: 0, withCause: 3, withoutCause: 3 });
    expect(methods[0]).toMatchObject({
      allCausesRelevant: 1 / 3,
      unexplainedWithCause: 1 / 3,
      unexplainedWithoutCause: 2 / 3,
    });
  });

  test("counts apart the images that lose by each of their causes", () => {
    const both = (mitosis: number) =>
      comparison(
        { necrosis: { relevance: 0.9 }, mitosis: { relevance: mitosis } },
        { labelled: ["necrosis", "mitosis"] },
      );
    const effects = (lost: number) => ({
      necrosis: { lost: 2, isFlipped: false },
      mitosis: { lost, isFlipped: false },
    });
    const tally = createTally();
    tally.add(both(0.8), effects(0.1));
    tally.add(both(0.1), effects(3));
    tally.add(both(0.1), effects(-1));
    tally.add(both(0.1), { necrosis: { lost: 2, isFlipped: false } });
    const { counts, methods } = tally.result({ isDefault: true });
    expect(counts).toMatchObject({ severalCauses: 4, severalUsedCauses: 2 });
    expect(methods[0]).toMatchObject({ allCausesRelevant: 1 / 4, allUsedCausesRelevant: 1 / 2 });
  });

  test("of nothing is null, never 0", async () => {
    const report = await measureFaithfulness([]);
    expect(report.methods[0]).toMatchObject({ namedCause: null, distractorNamed: null, auc: null });
    expect(report).toMatchObject({
      count: 0,
      coverage: null,
      classifier: { accuracy: null },
      chance: { namedCause: null },
    });
  });
});

describe("thresholds", () => {
  const scores = (positives: number[], negatives: number[]) => [
    ...positives.map((score) => ({ score, isPositive: true })),
    ...negatives.map((score) => ({ score, isPositive: false })),
  ];
  const causesSeen = [0.5, 0.6, 0.7, 0.8, 0.9];
  const reached = (relevance: number, uniqueRelevance = relevance) => ({ relevance, uniqueRelevance });

  test("are the lowest that at most 3 % of the distractors reach", () => {
    // 100 distractors 0.001 .. 0.1: three may be named, so the fourth highest, 0.097, is excluded and 0.098 is not.
    const distractors = Array.from({ length: 100 }, (_, i) => (i + 1) / 1000);
    const threshold = thresholdAgainstDistractors(scores(causesSeen, distractors)) ?? Number.NaN;
    expect(distractors.filter((score) => score >= threshold)).toEqual([0.098, 0.099, 0.1]);
    expect(threshold).toBeCloseTo(0.0971, 10);
    // One step lower names a fourth.
    expect(distractors.filter((score) => score >= threshold - 0.0001)).toHaveLength(4);
  });

  test("name no distractor where three percent are less than one", () => {
    expect(thresholdAgainstDistractors(scores(causesSeen, [0.1, 0.2, 0.3, 0.2, 0.25]))).toBeCloseTo(0.3001, 10);
  });

  test("separate best what mattered from what did not", () => {
    // At 0.45, half way between 0.4 and 0.5: all positives above; 5 of 6 negatives below.
    expect(thresholdThatSeparates(scores(causesSeen, [0.1, 0.2, 0.3, 0.35, 0.4, 0.65]))).toBeCloseTo(0.45, 10);
  });

  test("are the lowest with which classifiers that know nothing call at most 3 % relevant", () => {
    // 25 images of two aspects; one of the 50 may be called relevant.
    const images = (unique: number) =>
      Array.from({ length: 25 }, (_, i) => [reached((i + 1) / 50), reached(0.2, unique)]);
    expect(thresholdAgainstRandomized(images(0.01))).toBeCloseTo(0.4801, 10);
    expect(thresholdAgainstRandomized(images(0.01), { share: 0.04 })).toBeCloseTo(0.4601, 10);
    // Where the other of an image reaches a third of it, both count: one image, two aspects, which is more than one.
    expect(thresholdAgainstRandomized(images(0.2))).toBeCloseTo(0.5001, 10);
    expect(thresholdAgainstRandomized(images(0.2), { low: (high) => high / 2 })).toBeCloseTo(0.4801, 10);
    // A floor above everything.
    expect(thresholdAgainstRandomized(images(0.01), { floor: 0.6 })).toBe(0.6);
    expect(thresholdAgainstRandomized(images(0.01).slice(0, 9))).toBeNull();
  });

  test("lie above what they exclude, also where a product is rounded down, and are never above 1", () => {
    // 10,000 times this is 5,700 less one bit.
    const score = 0.57;
    expect(Math.floor(0.57 * 1e4)).toBeLessThan(5700);
    for (const highest of [score, 0.29, 0.3, 0.1, 0.9999])
      expect(thresholdAgainstDistractors(scores(causesSeen, [0.1, 0.1, 0.1, 0.1, highest]))).toBeGreaterThan(highest);
    expect(thresholdAgainstDistractors(scores(causesSeen, [0.1, 0.1, 0.1, 0.1, 1]))).toBe(1);
  });

  test("beside a relevant aspect are a third, or more where that keeps the distractors at 3 % in all", () => {
    const faint = Array.from({ length: 96 }, () => reached(0.04));
    const strong = [reached(0.5), reached(0.4, 0), reached(0.2), reached(0.12)];
    // Of 100, three may be named: two reach the threshold, so one more, and 0.12 is excluded.
    expect(fitLow([...faint, ...strong], { high: 0.3 })).toBeCloseTo(0.1201, 10);
    // Here none does, and a third of the threshold excludes more than 3 % ask for.
    expect(fitLow([...faint, ...faint], { high: 0.3 })).toBeCloseTo(0.1, 10);
    // Where the threshold names all that may be named, the next is excluded though it reaches more at places of its own
    // than the threshold is.
    const near = [reached(0.5), reached(0.5), reached(0.5), reached(0.2, 0.45)];
    expect(fitLow([...faint, ...near], { high: 0.3 })).toBeCloseTo(0.4501, 10);
  });

  test("call what reaches the high one relevant, and beside it what reaches the low one at places of its own", () => {
    const [first, second, third] = [reached(0.5), reached(0.2, 0.2), reached(0.25, 0.05)];
    expect(relevantOnes([first, second, third], { high: 0.4, low: 0.1 })).toEqual([first, second]);
    expect(relevantOnes([second, third], { high: 0.4, low: 0.1 })).toEqual([]);
    expect(relevantOnes([first, second, third], { high: 0.25, low: 0.1 })).toEqual([first, second, third]);
  });

  test("separate nothing where those that mattered score no higher", () => {
    expect(thresholdThatSeparates(scores([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]))).toBeNull();
    expect(thresholdThatSeparates(scores([0.1, 0.1, 0.1, 0.1, 0.1], causesSeen))).toBeNull();
  });

  test("are not set from fewer than five of either kind", () => {
    for (const set of [thresholdAgainstDistractors, thresholdThatSeparates]) {
      expect(set(scores(causesSeen, [0.1, 0.1, 0.1, 0.1]))).toBeNull();
      expect(set(scores(causesSeen.slice(1), [0.1, 0.1, 0.1, 0.1, 0.1]))).toBeNull();
    }
  });
});
