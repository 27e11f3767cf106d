import { expect, test } from "vitest";
import { renderText } from "../../src/pictures/render-text.js";
import { setWords } from "../../src/pictures/set-words.js";

const SIZES = [18, 20, 26, 38];
const TEXTS = [
  "relevant · survival 0.16 · area 6 %",
  "malignant > 99 %",
  "jagged  edge (two gaps) of Łódź",
  "πυρήνας AVATAR To. 0.31",
];

test.each(SIZES.flatMap((size) => TEXTS.map((text) => [text, size] as const)))(
  "%s at %i pixels is, to the last pixel, the line that Pango sets as a whole",
  async (text, size) => {
    for (const isBold of [false, true]) {
      const whole = await renderText(text, { size, isBold });
      const set = await setWords(text, { size, isBold });
      expect(set.width).toBe(whole.width);
      // sharp cuts the whole line at its own letters, ours is as high as a capital at least.
      const inked = Array.from({ length: set.height }, (_, y) =>
        set.opacities.subarray(y * set.width, (y + 1) * set.width).some((value) => value > 0),
      );
      const top = inked.indexOf(true);
      const same = Array.from({ length: whole.width * whole.height }, (_, i) => whole.data[4 * i + 3]);
      expect([...set.opacities.subarray(top * set.width, (top + whole.height) * set.width)]).toEqual(same);
    }
  },
);

test("a text without letters has no width", async () => {
  expect((await setWords("", { size: 20, isBold: false })).width).toBe(0);
  expect((await setWords("  ", { size: 20, isBold: false })).width).toBe(0);
});
