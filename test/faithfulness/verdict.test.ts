import { describe, expect, test } from "vitest";
import { measureFaithfulness } from "../../src/faithfulness/measure-faithfulness.js";
import { correlationInterval, verdictOf, wilson } from "../../src/faithfulness/verdict.js";

describe("the verdict", () => {
  const verdict = async (count: number, namedCause: number | null, { atRandom = 0.5, withCause = 0 } = {}) => {
    const none = await measureFaithfulness([]);
    const [method] = none.methods;
    return verdictOf({
      ...none,
      count,
      counts: { ...none.counts, withCause },
      methods: [{ ...method, isDefault: true, namedCause, unexplainedWithCause: 0.25 }],
      chance: { ...none.chance, namedCause: atRandom },
    });
  };

  test("is better than chance where even the lower end of the interval is", async () => {
    const { case: found, text } = await verdict(100, 0.9);
    expect(found).toBe("better-than-chance");
    expect(text).toBe(
      "the cause is first in 90 % of 100 images that hold a cause and another aspect (84 % to 94 %); " +
        "at random it would be in 50 %.",
    );
  });

  test("warns of a ranking that is worse than chance", async () => {
    const { case: found, text } = await verdict(100, 0.2);
    expect(found).toBe("worse-than-chance");
    expect(text).toMatch(/^worse than chance, do not trust this model's ranking: the cause is first in 20 % of 100/);
  });

  test("says where the two cannot be told apart, or the images are too few", async () => {
    expect((await verdict(30, 0.55)).case).toBe("not-told-from-chance");
    expect(await verdict(19, 1)).toEqual({
      case: "too-few",
      text: "too few images to say: 19, and 20 at least are needed.",
    });
    expect((await verdict(20, 1)).case).toBe("better-than-chance");
  });

  test("does not judge causes that are always alone, but says how many are relevant", async () => {
    const { case: found, text } = await verdict(0, null, { withCause: 40 });
    expect(found).toBe("alone");
    expect(text).toContain("In 75 % of the 40 images it is relevant.");
    expect(text).toContain("By painting over: too few aspects that are seen and could be painted over: 0");
  });

  const byRemoval = async (removalCorrelation: number, { changed = 30, kept = 70, relevant = [0.9, 0.1] } = {}) => {
    const none = await measureFaithfulness([]);
    const removal = {
      changed: { count: changed, relevant: relevant[0] },
      kept: { count: kept, relevant: relevant[1] },
    };
    return verdictOf({ ...none, methods: [{ ...none.methods[0], isDefault: true, removalCorrelation, removal }] });
  };

  test("goes by painting over where no cause is known", async () => {
    expect(await byRemoval(0.5)).toEqual({
      case: "better-than-chance",
      text:
        "the ranking is better than chance: the higher an aspect's score, the more the answer loses when it is painted " +
        "over, rank correlation 0.50 (0.36 to 0.62) over 100 aspects, each painted over in one image. Called relevant " +
        "are 90 % of the 30 that change the answer when they are painted over, 10 % of the 70 that do not.",
    });
    const { text } = await byRemoval(0.5, { relevant: [0.54, 0.55] });
    expect(text).toContain("Whether an aspect is called relevant is not told from chance: 54 % of the 30 that change");
    expect((await byRemoval(0.1)).case).toBe("not-told-from-chance");
    expect((await byRemoval(-0.5)).case).toBe("worse-than-chance");
    expect((await byRemoval(0.9, { changed: 10, kept: 9 })).case).toBe("too-few");
  });
});

test("an interval of a share is Wilson's", () => {
  // 90 of 100 with z = 1.645: (0.9 + 0.01353) / 1.02706 -+ 1.645 sqrt(0.0009 + 0.0000677) / 1.02706.
  const [low, high] = wilson(0.9, 100);
  expect(low).toBeCloseTo((0.9 + 0.01353 - 1.645 * Math.sqrt(0.0009 + 0.00006765)) / 1.02706, 4);
  expect(high).toBeCloseTo((0.9 + 0.01353 + 1.645 * Math.sqrt(0.0009 + 0.00006765)) / 1.02706, 4);
  expect(wilson(1, 20)[1]).toBe(1);
});

test("an interval of a rank correlation is Fisher's, wider by 6 %", () => {
  // atanh(0.5) = 0.5493; 1.645 sqrt(1.06 / 97) = 0.17196; tanh of 0.3773 and 0.7213.
  const [low, high] = correlationInterval(0.5, 100);
  expect(low).toBeCloseTo(0.3604, 3);
  expect(high).toBeCloseTo(0.6176, 3);
});
