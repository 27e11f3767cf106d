/** An explanation in plain sentences: every case, every question, and that nothing is said beyond the numbers. */

import { describe, expect, test } from "vitest";
import type { AspectExplanation, Explanation, HeadlineCase } from "../../src/explain/explanation.js";
import { sentencesOf } from "../../src/explain/sentence.js";
import { ENGLISH } from "../../src/explain/sentence-english.js";
import { mitosis, necrosis, explanation as shown, vessel } from "../pictures/fixtures.js";

function sentences(changes: Partial<Explanation> = {}, found: HeadlineCase = "named"): string {
  return sentencesOf(
    {
      ...shown,
      aspects: [necrosis, mitosis],
      elsewhere: 0.03,
      against: 0.1,
      ...changes,
      headline: { case: found, text: "" },
    },
    ENGLISH,
  ).join(" ");
}

const idle = (aspect: AspectExplanation, score: number | null = 0.001): AspectExplanation => ({
  ...aspect,
  isPresent: true,
  isRelevant: false,
  share: 0,
  strength: null,
  score,
});

describe("the first sentence", () => {
  test("names the reasons, the largest share first", () => {
    expect(sentences()).toBe("Malignant (97 %), because of necrosis (decisive) and mitosis (strong).");
    const unstable = { ...necrosis, relevanceInterval: [0.4, 1] as const };
    expect(sentences({ aspects: [unstable] })).toBe("Malignant (97 %), because of necrosis (decisive, not stable).");
  });

  test.each([
    ["elsewhere", "Malignant (97 %): none of the aspects that are seen explains it."],
    ["no-evidence", "Malignant (97 %): nothing in the image speaks for it."],
    ["nothing-seen", "Malignant (97 %): no known aspect is seen, so that none can explain it."],
    [
      "blind",
      "Malignant (97 %): the reason cannot be said, since the aspect heads of this model have learned nothing.",
    ],
    ["absence", "Malignant (97 %): what is not in the image explains it."],
  ] as const)("in the case %s says why none is named", (found, text) => {
    expect(sentences({ aspects: [] }, found)).toBe(text);
  });

  test("says what cannot be read, and what a poor mapping carries", () => {
    const unread = [necrosis, mitosis].map((aspect) => idle(aspect, null));
    expect(sentences({ aspects: unread }, "unreadable")).toBe(
      "Malignant (97 %): the reason cannot be said, since necrosis and mitosis are seen in a typical image just as much.",
    );
    const mapping = {
      network: "n",
      kind: "linear",
      from: "a",
      to: "b",
      r2: 0.1,
      agreement: 0.1,
      isTooPoor: true,
    } as const;
    expect(sentences({ aspects: [{ ...idle(necrosis, null), mapping }] }, "unreadable")).toBe(
      "Malignant (97 %): the reason cannot be said; necrosis is seen, but the mapping to its network carries too little.",
    );
  });

  test("ranks where nothing says which scores count", () => {
    const scale = { kind: "uncalibrated" } as const;
    const scored = [necrosis, mitosis].map((aspect, index) => ({
      ...idle(aspect, [0.1, 0.2][index]),
      isRelevant: null,
    }));
    expect(sentences({ aspects: scored, scale, elsewhere: null }, "ranked")).toBe(
      "Malignant (97 %). These scores only rank, nothing says which of them count: mitosis and necrosis.",
    );
    expect(sentences({ aspects: [], scale, elsewhere: null }, "ranked")).toBe(
      "Malignant (97 %). These scores only rank, and no aspect has one.",
    );
  });

  test.each([
    [{ kind: "log-odds", class: "benign" }, "What speaks for benign (3 %): necrosis"],
    [{ kind: "margin", class: "malignant", other: "benign" }, "What speaks for malignant rather than benign: necrosis"],
    [{ kind: "logit", class: "malignant" }, "What raises the score of malignant: necrosis"],
    [{ kind: "aspect", aspect: "vessel" }, "Why the model sees vessel: necrosis"],
    [{ kind: "image", aspect: "vessel", object: 1, background: 1 }, "Why the model draws vessel so: necrosis"],
    [{ kind: "unit", layer: "conv", channel: 3, place: [1, 2] }, "What drives channel 3 of conv at 1, 2: necrosis"],
  ] as const)("of the target %j is a question's answer", (target, text) => {
    expect(sentences({ target }).startsWith(text)).toBe(true);
  });

  test("says that there is nothing to explain where the aspect that is asked about is not seen", () => {
    expect(sentences({ target: { kind: "aspect", aspect: "vessel" } }, "target-absent")).toMatch(
      /^Why the model sees vessel: it does not, so that there is nothing to explain\./,
    );
  });

  test("of a number and of several labels", () => {
    const number = { prediction: { value: 12.3456 }, target: { kind: "value" } } as const;
    expect(sentences(number)).toMatch(/^12\.3, because of necrosis/);
    const labels = { class: "a", score: 0.9, scores: { a: 0.9, b: 0.7 }, labels: ["a", "b"] };
    expect(sentences({ prediction: labels, target: { kind: "logit", class: "b" } })).toMatch(
      /^What speaks for b \(70 %\): /,
    );
  });
});

describe("the others", () => {
  test("name what is seen and did not count", () => {
    expect(sentences({ aspects: [necrosis, idle(mitosis), idle(vessel)] })).toBe(
      "Malignant (97 %), because of necrosis (decisive). Mitosis and vessel are seen, but did not count.",
    );
    const absent = { ...idle(vessel), isPresent: false };
    expect(sentences({ aspects: [necrosis, absent, idle(mitosis, null)] })).not.toContain("did not count");
  });

  test.each([
    [0.04, ""],
    [0.06, " About a tenth of the evidence lies elsewhere."],
    [0.2, " About a fifth of the evidence lies elsewhere."],
    [0.34, " About a third of the evidence lies elsewhere."],
    [0.48, " About half of the evidence lies elsewhere."],
  ])("say how much lies elsewhere: %d", (elsewhere, text) => {
    expect(sentences({ elsewhere })).toBe(
      `Malignant (97 %), because of necrosis (decisive) and mitosis (strong).${text}`,
    );
  });

  test("say that nearly all, or the strongest place, lies elsewhere", () => {
    expect(sentences({ elsewhere: 0.97 }, "partly-elsewhere")).toMatch(/Nearly all of the evidence lies elsewhere\.$/);
    expect(sentences({ elsewhere: 0.9 }, "partly-elsewhere")).toMatch(/Nearly all of the evidence lies elsewhere\.$/);
    expect(sentences({ elsewhere: 0.1 }, "partly-elsewhere")).toMatch(
      /About a tenth of the evidence lies elsewhere\. The place with the strongest evidence lies elsewhere\.$/,
    );
  });

  test("name what is not seen and would change the answer, and evidence against it", () => {
    expect(sentences({ absenceOf: ["open", "short"], against: 0.33 })).toMatch(
      /No open or short is seen; either of them would change the answer\. About a third of all evidence speaks against it\.$/,
    );
  });
});
