import { describe, expect, test } from "vitest";
import type { Annotation, Sample } from "../../src/core/annotation.js";
import { relevanceOf } from "../../src/core/relevance-scale.js";
import { decideScale, lineAgainstRandomized } from "../../src/explain/calibration/decide-scale.js";
import { balancedAccuracy, fitLine } from "../../src/explain/calibration/fit-line.js";
import {
  compareWithGroundTruth,
  type GroundTruthComparison,
  rankedScores,
} from "../../src/explain/calibration/ground-truth.js";
import type { AspectExplanation, Explanation, HeadlineCase } from "../../src/explain/explanation.js";
import { measureFaithfulness } from "../../src/faithfulness/measure-faithfulness.js";
import { createTally } from "../../src/faithfulness/tally.js";

interface Seen {
  readonly presence?: number;
  readonly score: number | null;
  readonly survival?: number;
}

const SCALE = { kind: "probability", line: 0.3, slope: 2, by: "general" } as const;

/** An explanation whose answer is `malignant`, with these aspects, relevant from a score of 0.3 on. */
function explanation(aspects: Record<string, Seen>, answer = "malignant"): Explanation {
  return {
    format: "aspectlens-explanation/2",
    image: "x.png",
    prediction: { class: answer, score: 0.9, scores: { [answer]: 0.9 } },
    target: { kind: "log-odds", class: answer },
    targetAspect: null,
    saliency: "evidence",
    masking: "filter-weights",
    scale: SCALE,
    headline: { case: "named", text: "" },
    elsewhere: 0,
    outside: 0,
    against: 0,
    absenceOf: [],
    aspects: Object.entries(aspects).map(
      ([name, { presence = 0.9, score, survival = 0 }]): AspectExplanation => ({
        name,
        kind: "segmentation",
        presence,
        score,
        relevance: score === null ? null : relevanceOf(score, SCALE),
        survival: score === null ? null : survival,
        relevanceInterval: null,
        isPresent: true,
        isRelevant: score !== null && score >= 0.3,
        share: 0,
        elsewhere: 0,
        strength: null,
        against: 0,
        instances: [],
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
    const comparison = compareWithGroundTruth(explanation({ necrosis: { score: 0.5 } }), {
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
    const comparison = compareWithGroundTruth(explanation({ necrosis: { score: 0.5 } }), {
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
        necrosis: { score: 0.5 },
        vessel: { score: null },
        tag: { score: 0.1 },
        lymphocyte: { score: 0.8 },
      }),
      {
        sample: labelled,
        causes,
      },
    );
    expect(rankedScores(comparison)).toEqual([
      { name: "necrosis", score: 0.5, isPositive: true },
      { name: "tag", score: 0.1, isPositive: false },
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
        necrosis: { score: 0.6, presence: 0.8, survival: 0.5 },
        vessel: { score: 0.1, presence: 0.9, survival: 0.5 },
      }),
      // Three tie by relevance, one of them the cause: a third. Both distractors are called relevant.
      comparison({
        necrosis: { score: 0.4, presence: 1, survival: 1 },
        vessel: { score: 0.4, presence: 0.2 },
        tag: { score: 0.4, presence: 0.1 },
      }),
      // Labelled, but the head does not see the cause: lost to coverage.
      comparison({ necrosis: { score: null }, vessel: { score: 0.9 } }),
      // Labelled, but answered wrong: lost to coverage.
      comparison({ necrosis: { score: 0.9 }, vessel: { score: 0.1 } }, { answer: "benign" }),
      // No cause is labelled: not part of the question, but part of the accuracy.
      comparison({ vessel: { score: 0.9 } }, { labelled: ["vessel", "tag"] }),
    ];
    const report = await measureFaithfulness(images);
    expect(report).toEqual({
      format: "aspectlens-faithfulness/2",
      verdict: { case: "too-few", text: "too few images to say: 2, and 20 at least are needed." },
      count: 2,
      classifier: { accuracy: 4 / 5 },
      methods: [
        {
          saliency: "evidence",
          masking: "filter-weights",
          isDefault: true,
          scale: SCALE,
          namedCause: expect.closeTo((1 + 1 / 3) / 2, 12),
          causeRelevant: 1,
          distractorNamed: 2 / 3,
          // Causes 0.6 and 0.4 against 0.1, 0.4 and 0.4: 3 pairs won, 1 won and 2 tied of the rest: (3 + 1 + 1) / 6.
          auc: expect.closeTo(5 / 6, 12),
          allCausesRelevant: null,
          allUsedCausesRelevant: null,
          unexplainedWithCause: 0,
          elsewhereWithCause: 0,
          unexplainedWithoutCause: null,
          removalCorrelation: null,
          removal: null,
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
      inseparable: [],
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
      comparison({ necrosis: { score: necrosis }, mitosis: { score: mitosis } }, { labelled: ["necrosis", "mitosis"] });
    const without = (vessel: number) =>
      compareWithGroundTruth(explanation({ vessel: { score: vessel } }), {
        sample: sample({ vessel: here }),
        causes: { malignant: [] },
      });
    const unknown = compareWithGroundTruth(explanation({ vessel: { score: 0 } }), {
      sample: sample({ vessel: here }),
    });
    const saying = (comparison: GroundTruthComparison, headline: HeadlineCase): GroundTruthComparison => ({
      ...comparison,
      explanation: { ...comparison.explanation, headline: { case: headline, text: "" } },
    });
    const unexplained = saying(both(0.1, 0.2), "elsewhere");
    const partly = saying(both(0.9, 0.1), "partly-elsewhere");
    const images = [both(0.9, 0.8), partly, unexplained, without(0.1), without(0.1), without(0.7), unknown];
    const { methods, counts } = await measureFaithfulness(images);
    expect(counts).toEqual({ severalCauses: 3, severalUsedCauses: 0, withCause: 3, withoutCause: 3 });
    expect(methods[0]).toMatchObject({
      allCausesRelevant: 1 / 3,
      unexplainedWithCause: 1 / 3,
      elsewhereWithCause: 2 / 3,
      unexplainedWithoutCause: 2 / 3,
    });
  });

  test("counts apart the images that lose by each of their causes", () => {
    const both = (mitosis: number) =>
      comparison({ necrosis: { score: 0.9 }, mitosis: { score: mitosis } }, { labelled: ["necrosis", "mitosis"] });
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

describe("a scale", () => {
  const scores = (positives: readonly number[], negatives: readonly number[]) => [
    ...positives.map((score) => ({ score, isPositive: true })),
    ...negatives.map((score) => ({ score, isPositive: false })),
  ];
  const causesSeen = [0.5, 0.6, 0.7, 0.8, 0.9];
  const none = () => Promise.resolve([]);

  test("has its line where a cause is as likely as a distractor, however many there are of each", () => {
    // On the logarithm, 0.01 and 0.09 lie as far from 0.03 on either side.
    const even = scores(new Array(8).fill(0.09), new Array(8).fill(0.01));
    expect(fitLine(even, { slope: 2 })).toBeCloseTo(0.03, 8);
    const uneven = scores(new Array(8).fill(0.09), new Array(80).fill(0.01));
    // More distractors are trusted more: their target is nearer 0 than that of the eight causes is to 1.
    const line = fitLine(uneven, { slope: 2 }) ?? Number.NaN;
    expect(line).toBeGreaterThan(0.03);
    expect(line).toBeLessThan(0.04);
  });

  test("is what a search of the likelihood gives, with scores of 0 too", () => {
    const known = scores([0.02, 0.05, 0.08, 0.3, 0.011], [0, 0, 0.004, 0.015, 0.03, 0.001, 0.009]);
    const slope = 1.7;
    const lossAt = (line: number) =>
      known.reduce((sum, { score, isPositive }) => {
        const target = isPositive ? 6 / 7 : 1 / 9;
        const said = Math.min(1 - 1e-12, Math.max(1e-12, relevanceOf(score, { line, slope })));
        return sum - (target * Math.log(said) + (1 - target) * Math.log(1 - said)) / (isPositive ? 5 : 7);
      }, 0);
    const found = fitLine(known, { slope }) ?? Number.NaN;
    // Where a score is 0, its likelihood does not depend on the line.
    expect(lossAt(found)).toBeLessThan(lossAt(found * 1.02));
    expect(lossAt(found)).toBeLessThan(lossAt(found / 1.02));
  });

  test("is not fitted from fewer than five of either kind, nor from nothing", () => {
    expect(fitLine(scores(causesSeen, [0.1, 0.1, 0.1, 0.1]), { slope: 2 })).toBeNull();
    expect(fitLine(scores(causesSeen.slice(1), [0.1, 0.1, 0.1, 0.1, 0.1]), { slope: 2 })).toBeNull();
    expect(fitLine(scores([0, 0, 0, 0, 0], [0, 0, 0, 0, 0]), { slope: 2 })).toBeNull();
  });

  test("is relevant from 0.5 on, and 0 without any score", () => {
    expect(relevanceOf(0.02, { line: 0.02, slope: 3 })).toBe(0.5);
    expect(relevanceOf(0.04, { line: 0.02, slope: 2 })).toBeCloseTo(0.8, 12);
    expect(relevanceOf(0, { line: 0.02, slope: 2 })).toBe(0);
  });

  test("balances what is reached and what is not", () => {
    expect(balancedAccuracy(scores([0.1, 0.3], [0.1, 0.2, 0.3, 0]), 0.2)).toBeCloseTo((1 / 2 + 2 / 4) / 2, 12);
  });

  test("is the most probable one, where there is one of all models", () => {
    const known = scores([0.02, 0.05, 0.08, 0.3, 0.011], [0, 0, 0.004, 0.015, 0.03, 0.001, 0.009]);
    const [slope, prior, spread] = [1.7, 0.1, 0.6];
    const lossAt = (line: number) =>
      known.reduce(
        (sum, { score, isPositive }) => {
          const target = isPositive ? 6 / 7 : 1 / 9;
          const said = Math.min(1 - 1e-12, Math.max(1e-12, relevanceOf(score, { line, slope })));
          const loss = -(target * Math.log(said) + (1 - target) * Math.log(1 - said));
          // Five causes and seven distractors weigh as five of each.
          return sum + loss * (isPositive ? 1 : 5 / 7);
        },
        Math.log(line / prior) ** 2 / (2 * spread ** 2),
      );
    const found = fitLine(known, { slope, line: prior, spread }) ?? Number.NaN;
    expect(lossAt(found)).toBeLessThan(lossAt(found * 1.02));
    expect(lossAt(found)).toBeLessThan(lossAt(found / 1.02));
    // Between what the scores alone say and the prior, and nearer to it the narrower it is.
    const alone = fitLine(known, { slope }) ?? Number.NaN;
    const narrow = fitLine(known, { slope, line: prior, spread: 0.05 }) ?? Number.NaN;
    expect([alone, found, narrow, prior]).toEqual([alone, found, narrow, prior].sort((a, b) => a - b));
    expect(fitLine(known, { slope, line: prior, spread: 1e6 })).toBeCloseTo(alone, 6);
  });

  const few = new Array(12).fill(0.0001);
  test("stays near that of all models where causes and distractors leave a wide gap, and follows many scores", async () => {
    const general = { slope: 2.5, line: 0.02 };
    const wide = scores(new Array(10).fill(0.5), few);
    // Alone they say little: two distractors more than causes, and the line lies near the causes.
    expect(fitLine(wide, { slope: 2.5 })).toBeGreaterThan(0.08);
    const near = await decideScale({ general, known: wide, randomized: none });
    expect(near).toMatchObject({ kind: "probability", by: "causes", slope: 2.5 });
    expect(near).toHaveProperty("line", expect.closeTo(0.0265, 4));
    const known = scores(new Array(100).fill(0.009), new Array(100).fill(0.001));
    const own = await decideScale({ general, known, randomized: none });
    expect(own).toMatchObject({ by: "causes", line: expect.closeTo(0.003, 3) });
    // Without one of all models, the own is all there is.
    expect(await decideScale({ general: { slope: 2 }, known, randomized: none })).toMatchObject({ by: "causes" });
  });

  test("is, without known causes, the line that 3 % of the scores of randomized models reach", async () => {
    const randomized = Array.from({ length: 100 }, (_, index) => (index + 1) / 1000);
    const play = () => Promise.resolve(randomized);
    const line = lineAgainstRandomized(randomized) ?? Number.NaN;
    expect(randomized.filter((score) => score >= line)).toEqual([0.098, 0.099, 0.1]);
    expect(lineAgainstRandomized(randomized.slice(0, 19))).toBeNull();
    expect(lineAgainstRandomized(new Array(30).fill(0))).toBeNull();
    const known = scores(new Array(10).fill(0.09), few);
    const general = { slope: 2, line: 0.02 };
    const byRandomized = { kind: "probability", line, slope: 2, by: "randomized" };
    expect(await decideScale({ general, known: [], randomized: play })).toEqual(byRandomized);
    expect(await decideScale({ general: { slope: 2, line: 0.25 }, known: [], randomized: play })).toEqual(byRandomized);
    // But at least a third of the general one.
    expect(await decideScale({ general: { slope: 2, line: 0.6 }, known: [], randomized: play })).toEqual({
      ...{ ...byRandomized, line: expect.closeTo(0.2, 12) },
    });
    expect(await decideScale({ general, known: [], randomized: none })).toMatchObject({ by: "general" });
    expect(await decideScale({ general, known, randomized: play })).toMatchObject({ by: "causes" });
    expect(await decideScale({ general: { slope: 2 }, known: [], randomized: play })).toMatchObject({
      by: "randomized",
    });
  });

  test("is none where nothing tells what scores mean", async () => {
    const found = await decideScale({ general: { slope: 2 }, known: [], randomized: none });
    expect(found).toEqual({ kind: "uncalibrated" });
  });
});
