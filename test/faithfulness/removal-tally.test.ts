import { expect, test } from "vitest";
import { removalTally } from "../../src/faithfulness/removal-tally.js";

const image = (aspects: Record<string, [score: number | null, isRelevant: boolean | null]>) => ({
  prediction: { class: "a", score: 1, scores: { a: 1 } },
  aspects: Object.entries(aspects).map(([name, [score, isRelevant]]) => ({ name, isPresent: true, score, isRelevant })),
});

test("aspects count by what painting them over did, those without a score or a place not at all", () => {
  const tally = removalTally();
  tally.add(image({ crack: [0.4, true], dust: [0.1, true], hair: [null, false], light: [0.9, true] }), {
    crack: { lost: 3, isFlipped: true },
    dust: { lost: 0.2, isFlipped: false },
    hair: { lost: 9, isFlipped: true },
  });
  tally.add(image({ crack: [0.2, false] }), { crack: { lost: 1, isFlipped: true } });
  tally.add(image({ dust: [0.05, false] }), { dust: { lost: 0.1, isFlipped: false } });
  expect(tally.result()).toEqual({
    // Scores 0.4, 0.1, 0.2, 0.05 and losses 3, 0.2, 1, 0.1: the same order.
    removalCorrelation: expect.closeTo(1, 12),
    removal: { changed: { count: 2, relevant: 0.5 }, kept: { count: 2, relevant: 0.5 } },
  });
});

test("scores that only rank have no share that is relevant; nothing painted over is nothing", () => {
  const tally = removalTally();
  expect(tally.result()).toEqual({ removalCorrelation: null, removal: null });
  tally.add(image({ crack: [0.4, null] }), { crack: { lost: 3, isFlipped: true } });
  expect(tally.result().removal).toEqual({ changed: { count: 1, relevant: null }, kept: { count: 0, relevant: null } });
});
