import { expect, test } from "vitest";
import { clashingName } from "../../src/core/result-file-names.js";

test.each([
  ["Compare", [], 'the picture "<image>.compare.png"'],
  ["s.survival", ["t", "s"], 'aspect "s"'],
  ["s", ["s.survival"], 'aspect "s.survival"'],
  ["Spot", ["spot"], 'aspect "spot"'],
  ["cafe\u0301", ["caf\u00e9"], 'aspect "caf\u00e9"'],
  ["overlay", [], undefined],
  ["spot", ["spots", "spo", "spot.map"], undefined],
])("%s beside %j: %s", (name, others, expected) => {
  expect(clashingName(name, others)).toBe(expected);
});
