import { expect, test } from "vitest";
import { checkKeys, nearest } from "../../src/core/check-keys.js";

test("the nearest name is within a third of its length, whatever the case", () => {
  expect(nearest("learningrate", ["learningRate", "seed"])).toBe("learningRate");
  expect(nearest("sead", ["learningRate", "seed"])).toBe("seed");
  expect(nearest("other", ["learningRate", "seed"])).toBeUndefined();
});

test("long names are compared with nothing, and cut in the message", () => {
  const begun = performance.now();
  const [key, long] = ["k".repeat(10_000_000), "n".repeat(40_000)];
  expect(nearest(key, [long, "seed"])).toBeUndefined();
  expect(nearest("seed", [long])).toBeUndefined();
  expect(() => checkKeys({ [key]: 1 }, ["seed"], "config")).toThrow(/^config: unknown key "k{199}…"\. Known: seed\.$/);
  expect(() => checkKeys(key, ["seed"], "config")).toThrow(/^config: expected an object, got k{199}…\.$/);
  expect(performance.now() - begun).toBeLessThan(1000); // 18 s for the key alone, were it compared
});
