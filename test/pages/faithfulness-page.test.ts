import { expect, test } from "vitest";
import { measureFaithfulness } from "../../src/faithfulness/measure-faithfulness.js";
import { faithfulnessPage } from "../../src/pages/faithfulness-page.js";
import { aspectPanel } from "../../src/pictures/aspect-panel.js";
import { explained, SIZE, tissue } from "../pictures/fixtures.js";

test("the page's verdicts say what its pictures say", async () => {
  const faithfulness = await measureFaithfulness([]);
  const verdict = (error: number, isCauseRelevant: boolean) => {
    const one = {
      file: "a.png",
      image: "a.png",
      causes: ["necrosis"],
      distractors: ["vessel"],
      error,
      isCauseRelevant,
    };
    const page = faithfulnessPage(faithfulness, { model: "m", dataset: "d", worst: [one] });
    return /<\/b>: (.*?);/.exec(page)?.[1];
  };
  expect(verdict(-0.1, true)).toBe("names the cause, by 0.10");
  expect(verdict(-0.1, false)).toBe("ranks the cause first, by 0.10, but does not call it relevant");
  expect(verdict(0, false)).toBe("ranks neither cause nor distractor first");
  expect(verdict(0.2, true)).toBe("ranks a distractor first, by 0.20");
});

test("all boxes of a relevant aspect are filled", async () => {
  const filled = async (scores: readonly number[]) => {
    const instances = scores.map((score, index) => ({
      box: [0.1 * index, 0.1, 0.1 * index + 0.08, 0.2] as const,
      presence: 0.9,
      score,
      survival: 0.5,
    }));
    const aspects = explained.explanation.aspects.map((aspect) =>
      aspect.name === "mitosis" ? { ...aspect, instances } : aspect,
    );
    const shown = { ...explained, explanation: { ...explained.explanation, aspects } };
    const { drawing } = await aspectPanel(shown, tissue({ width: SIZE, height: SIZE }));
    return drawing.filter((part) => "fillOpacity" in part && part.fillOpacity === 0.28).length;
  };
  expect(await filled([0.4, 0.01])).toBe(2);
  expect(await filled(Array.from({ length: 8 }, () => 0.02))).toBe(8);
});
