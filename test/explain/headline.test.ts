/** The sentence of an explanation: every case and every question. */

import { describe, expect, test } from "vitest";
import type { AspectExplanation, Explanation } from "../../src/explain/explanation.js";
import { headlineOf, headlineParts, percentText, strengthOf } from "../../src/explain/headline.js";
import { mitosis, necrosis, explanation as shown, ranked as shownRanked, vessel } from "../pictures/fixtures.js";

type Options = Parameters<typeof headlineOf>[1];

function headline(changes: Partial<Explanation> = {}, options: Partial<Options> = {}) {
  return headlineOf(
    { ...shown, ...changes },
    { isPeakElsewhere: false, isTargetAbsent: false, unseen: [], ...options },
  );
}

const irrelevant = (aspect: AspectExplanation): AspectExplanation => ({
  ...aspect,
  isRelevant: false,
  share: 0,
  strength: null,
});
/** Seen, but the head answers the reference alike. */
const unreadable = (aspect: AspectExplanation): AspectExplanation => ({
  ...irrelevant(aspect),
  score: null,
  relevance: null,
  survival: null,
  against: null,
});
const absent = (aspect: AspectExplanation): AspectExplanation => ({ ...unreadable(aspect), isPresent: false });

describe("the case", () => {
  test("named: relevant aspects with their strength, the largest share first", () => {
    expect(headline()).toEqual({
      case: "named",
      text: "malignant 97 % because of necrosis (decisive) and mitosis (strong)",
    });
    const least = { ...vessel, isPresent: true, isRelevant: true, share: 0.05, strength: "some", score: 0.9 } as const;
    expect(headline({ aspects: [least, mitosis, necrosis] }).text).toBe(
      "malignant 97 % because of necrosis (decisive), mitosis (strong) and vessel (some)",
    );
    expect(headline({ aspects: [irrelevant(necrosis), mitosis] }).text).toBe(
      "malignant 97 % because of mitosis (strong)",
    );
  });

  test("named: a reason that small changes of the image take away is not stable", () => {
    const [taken, kept] = [0.49, 0.5].map((low) => ({ ...necrosis, relevanceInterval: [low, 1] as const }));
    expect(headline({ aspects: [taken] }).text).toBe("malignant 97 % because of necrosis (decisive, not stable)");
    expect(headline({ aspects: [kept] }).text).toBe("malignant 97 % because of necrosis (decisive)");
  });

  test("named: equal shares are told apart by their scores", () => {
    const [a, b] = [necrosis, mitosis].map((aspect) => ({ ...aspect, share: 0.3, strength: "strong" as const }));
    expect(headline({ aspects: [b, a] }).text).toBe("malignant 97 % because of necrosis (strong) and mitosis (strong)");
  });

  test("partly elsewhere: where more than half of the map, or its highest place, is in no relevant aspect", () => {
    const because = "malignant 97 % because of necrosis (decisive) and mitosis (strong)";
    const much = { case: "partly-elsewhere", text: `${because}; much of the evidence lies elsewhere` };
    expect(headline({ elsewhere: 0.51 })).toEqual(much);
    const highest = { case: "partly-elsewhere", text: `${because}; the highest place of the evidence lies elsewhere` };
    expect(headline({}, { isPeakElsewhere: true })).toEqual(highest);
    expect(headline({ elsewhere: 0.5 }).case).toBe("named");
    expect(headline({ elsewhere: null }).case).toBe("named");
  });

  test("elsewhere: aspects are seen, and none is relevant", () => {
    const aspects = shown.aspects.map(irrelevant);
    expect(headline({ aspects, elsewhere: 1 }, { isPeakElsewhere: true })).toEqual({
      case: "elsewhere",
      text: "malignant 97 %: no known aspect explains this",
    });
  });

  test("elsewhere: names the aspect in which most of it lies, if that is by more than its size", () => {
    const text = (part: number, area?: number) => {
      const seen = { ...irrelevant(necrosis), elsewhere: part, area };
      return headline({ aspects: [seen, { ...irrelevant(mitosis), elsewhere: 0.3 }], elsewhere: 1 }).text;
    };
    const known = "malignant 97 %: no known aspect explains this";
    expect(text(0.97, 0.6)).toBe(`${known}; most of the evidence lies in necrosis`);
    expect(text(0.97)).toBe(`${known}; most of the evidence lies in necrosis`);
    expect(text(0.97, 0.95)).toBe(known);
    expect(text(0.5, 0.1)).toBe(known);
    const nowhere = { aspects: [irrelevant(necrosis)], elsewhere: 1, outside: 0.6 };
    expect(headline(nowhere).text).toBe(`${known}; most of the evidence lies outside of them`);
    const partly = [necrosis, { ...irrelevant(mitosis), elsewhere: 0.4 }];
    expect(headline({ aspects: partly, elsewhere: 0.6 }).text).toBe(
      "malignant 97 % because of necrosis (decisive); much of the evidence lies elsewhere, most of that in mitosis",
    );
  });

  test("no-evidence: nothing at all speaks for the target", () => {
    const aspects = shown.aspects.map(irrelevant);
    expect(headline({ aspects, elsewhere: null })).toEqual({
      case: "no-evidence",
      text: "malignant 97 %: nothing that is seen speaks for this",
    });
    expect(headline({ aspects, elsewhere: null, absenceOf: ["crack"] }).case).toBe("absence");
  });

  test("nothing seen, also where the model has no aspects", () => {
    const text = "malignant 97 %: no known aspect is seen";
    expect(headline({ aspects: shown.aspects.map(absent) })).toEqual({ case: "nothing-seen", text });
    expect(headline({ aspects: [] })).toEqual({ case: "nothing-seen", text });
    const all = shown.aspects.map(({ name }) => name);
    expect(headline({ aspects: shown.aspects.map(absent) }, { unseen: all.slice(1) }).case).toBe("nothing-seen");
  });

  test("absence: what is not seen, and would change the answer, where nothing that is seen explains it", () => {
    const aspects = shown.aspects.map(absent);
    expect(headline({ aspects, absenceOf: ["crack"] })).toEqual({
      case: "absence",
      text: "malignant 97 %: no crack is seen, which would change the answer",
    });
    expect(headline({ aspects: shown.aspects.map(irrelevant), absenceOf: ["crack", "dent"] })).toEqual({
      case: "absence",
      text: "malignant 97 %: no crack or dent is seen, either of which would change the answer",
    });
    expect(headline({ aspects, absenceOf: ["a", "b", "c"] }).text).toBe(
      "malignant 97 %: no a, b or c is seen, any of which would change the answer",
    );
    // Beside any other case it is said too.
    expect(headline({ absenceOf: ["crack"] })).toEqual({
      case: "named",
      text: `${headline().text}; no crack is seen, which would change the answer`,
    });
    expect(headline({ absenceOf: ["crack"], elsewhere: 0.6 })).toEqual({
      case: "partly-elsewhere",
      text: `${headline({ elsewhere: 0.6 }).text}; no crack is seen, which would change the answer`,
    });
    const seen = unreadable({ ...vessel, isPresent: true });
    expect(headline({ aspects: [seen], absenceOf: ["crack"] }).case).toBe("unreadable");
  });

  test("blind: nothing is seen, and no head has learned to see", () => {
    const unseen = shown.aspects.map(({ name }) => name);
    expect(headline({ aspects: shown.aspects.map(absent) }, { unseen })).toEqual({
      case: "blind",
      text:
        "malignant 97 %: cannot be said, the model's aspect heads have learned nothing. " +
        "Label more images, or train longer",
    });
    // What such heads see all the same is not passed over.
    expect(headline({}, { unseen }).case).toBe("named");
  });

  test("unreadable: the cure is by kind of aspect", () => {
    const seen = unreadable({ ...vessel, isPresent: true });
    expect(headline({ aspects: [seen] })).toEqual({
      case: "unreadable",
      text:
        "malignant 97 %: cannot be said, vessel is seen, but its head answers a typical image alike. " +
        "Label images without it, or train longer",
    });
    const fat = { ...seen, name: "fat", kind: "amount" } as const;
    expect(headline({ aspects: [fat] }).text).toMatch(
      /^malignant 97 %: cannot be said, fat is seen, .* with less of it, /,
    );
    expect(headline({ aspects: [fat, { ...seen, isPresent: true }] }).text).toBe(
      "malignant 97 %: cannot be said, fat and vessel are seen, but their heads answer a typical image alike. " +
        "Label images without it, or train longer",
    );
  });

  test("unreadable: one that can be read and is not relevant does not answer for one that cannot", () => {
    const aspects = [irrelevant(necrosis), unreadable(mitosis), vessel];
    const { case: found, text } = headline({ aspects });
    expect(found).toBe("unreadable");
    expect(text).toContain("cannot be said, mitosis is seen");
    expect(text).not.toContain("necrosis");
    expect(headline({ aspects: [necrosis, unreadable(mitosis)] }).case).toBe("named");
  });

  test("ranked: scores without a scale, the highest first, and no word of a cause", () => {
    const { scale, aspects } = shownRanked.explanation;
    const given = { scale, aspects, elsewhere: null };
    expect(headline(given)).toEqual(shownRanked.explanation.headline);
    expect(headline(given).text).not.toContain("because");
    const nothing = { ...given, aspects: aspects.map(unreadable) };
    expect(headline({ ...nothing, aspects: nothing.aspects.map((one) => ({ ...one, isPresent: true })) }).case).toBe(
      "unreadable",
    );
    expect(headline({ ...given, aspects: aspects.map(absent) }).case).toBe("nothing-seen");
  });

  test("above chance names as a probability does", () => {
    expect(headline({ scale: { kind: "above-chance", line: 0.01 } }).text).toBe(shown.headline.text);
  });
});

describe("the question", () => {
  const aspects = [necrosis];
  const text = (changes: Partial<Explanation>) => headline({ aspects, ...changes }).text;

  test("about another class than the predicted one", () => {
    expect(text({ target: { kind: "log-odds", class: "benign" } })).toBe(
      "malignant 97 %; what speaks for benign (3 %): necrosis (decisive)",
    );
  });

  test("about one class rather than another, and about a class's own logit", () => {
    expect(text({ target: { kind: "margin", class: "benign", other: "malignant" } })).toBe(
      "malignant 97 %; what speaks for benign rather than malignant: necrosis (decisive)",
    );
    expect(text({ target: { kind: "logit", class: "malignant" } })).toBe(
      "malignant 97 %; what raises the logit of malignant: necrosis (decisive)",
    );
  });

  test("about other parts of the network", () => {
    const why = (target: Explanation["target"]) => /; why (.*): necrosis/.exec(text({ target }))?.[1];
    expect(why({ kind: "aspect", aspect: "vessel" })).toBe("vessel");
    expect(why({ kind: "image", aspect: "vessel", object: 1, background: 0 })).toBe("the image of vessel");
    expect(why({ kind: "unit", layer: "conv_pw_5", channel: 7 })).toBe("channel 7 of conv_pw_5");
    expect(why({ kind: "unit", layer: "conv_pw_5", channel: 7, place: [2, 3] })).toBe("channel 7 of conv_pw_5 at 2, 3");
  });

  test("about an aspect says whether it is seen, and that nothing is to be explained where it gives no number", () => {
    const target = { kind: "aspect", aspect: "vessel" } as const;
    const seen = { target, targetAspect: { presence: 0.968, isPresent: true } };
    expect(text(seen)).toBe("malignant 97 %; why vessel (0.97): necrosis (decisive)");
    const unseen = { target, targetAspect: { presence: 0.02, isPresent: false } };
    expect(text(unseen)).toBe("malignant 97 %; why vessel (0.02, not seen): necrosis (decisive)");
    expect(headline(unseen, { isTargetAbsent: true })).toEqual({
      case: "target-absent",
      text: "malignant 97 %; why vessel (0.02, not seen): there is nothing to explain",
    });
  });

  test("is asked also where nothing answers it", () => {
    const target = { kind: "log-odds", class: "benign" } as const;
    expect(text({ target, aspects: [irrelevant(necrosis)] })).toBe(
      "malignant 97 %; what speaks for benign (3 %): no known aspect explains this",
    );
    expect(text({ target, elsewhere: 0.8 })).toBe(
      "malignant 97 %; what speaks for benign (3 %): necrosis (decisive); much of the evidence lies elsewhere",
    );
  });

  test("about one of several labels, and about a single one", () => {
    const scores = { old: 0.8, wet: 0.7, red: 0.1 };
    const target = { kind: "logit", class: "old" } as const;
    const of = (labels: readonly string[]) =>
      text({ prediction: { class: "old", score: 0.8, scores, labels }, target });
    expect(of(["old", "wet"])).toBe("old 80 %, wet 70 %; what speaks for old (80 %): necrosis (decisive)");
    expect(of(["old"])).toBe("old 80 % because of necrosis (decisive)");
    expect(of([])).toBe("old 80 %; what speaks for old (80 %): necrosis (decisive)");
  });

  test("about a value", () => {
    expect(text({ prediction: { value: 3.2471 }, target: { kind: "value" } })).toBe(
      "3.25 because of necrosis (decisive)",
    );
  });
});

test("the parts are those of the sentence, from the case that the JSON has", () => {
  const partly = { ...shown, elsewhere: 0.6, headline: { ...shown.headline, case: "partly-elsewhere" } } as const;
  expect(headlineParts(partly)).toMatchObject({
    case: "partly-elsewhere",
    answer: "malignant 97 %",
    question: "because of",
    named: [necrosis, mitosis],
    rest: "much of the evidence lies elsewhere",
  });
});

test("a name without end is cut", () => {
  expect(headline({ aspects: [{ ...necrosis, name: "n".repeat(10_000) }] }).text.length).toBeLessThan(250);
});

test("never rounds to a certainty that is not there", () => {
  expect([1, 0.9999, 0.97, 0.001, 0].map(percentText)).toEqual(["100 %", "> 99 %", "97 %", "< 1 %", "0 %"]);
});

test("a share is decisive from a half on, strong from a fifth", () => {
  expect([1, 0.5, 0.494, 0.196, 0.194, 0].map(strengthOf)).toEqual([
    "decisive",
    "decisive",
    "strong",
    "strong",
    "some",
    "some",
  ]);
});
