import { expect, test } from "vitest";
import { createHead } from "../../src/heads/create-head.js";
import { given, kinds, oneTap, specs } from "./given.js";

const context = (inputSize: number, stride: number) => ({
  inputSize,
  taps: [{ name: "tap", stride, channels: 4, size: Math.ceil(inputSize / stride) }],
});

test.each([1, 2, 4, 8, 16, 32])("a head at stride %i answers on the grids that it promises", (stride) => {
  const side = (spec: Parameters<typeof createHead>[0], inputSize = 64) =>
    createHead(spec, context(inputSize, stride)).outputShape[0];
  expect(side(specs.segmentation)).toBe(64);
  expect(side(specs.map)).toBe(64);
  expect(side(specs.boxes)).toBe(64 / Math.max(Math.min(4, stride), stride / 4)); // cells of 4 pixels, where it can
});

test("masks fit an input that the stride does not divide", () => {
  const head = createHead(specs.segmentation, context(100, 16));
  expect(head.outputShape).toEqual([100, 100, 1]);
});

test.each(kinds)("every parameter of %s is named after its head, once", (kind) => {
  const { head } = given(kind, oneTap);
  const names = head.parameters.map((parameter) => parameter.name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name.startsWith(`head/${head.spec.name}/`)).toBe(true);
});

test("says what makes no head", () => {
  expect(() => createHead(specs.segmentation, { inputSize: 8, taps: [] })).toThrow('head "nucleus": it reads no layer');
  expect(() => createHead({ ...specs.boxes, threshold: 1 }, oneTap)).toThrow("a threshold between 0 and 1, got 1");
  expect(() => createHead({ ...specs.single, classes: ["a"] }, oneTap)).toThrow("needs at least 2 classes, got 1");
  expect(() => createHead({ ...specs.regression, scale: { mean: 0, deviation: 0 } }, oneTap)).toThrow("got 0");
});

test("refuses masks and maps of another size", () => {
  const { head } = given("segmentation", oneTap);
  expect(() => head.encode([{ mask: new Uint8Array(63) }])).toThrow(
    'head "nucleus": expected a mask of 8 x 8 pixels, got 63 pixels',
  );
  expect(() => given("map", oneTap).head.encode([{ map: new Uint8Array(9) }])).toThrow("got 9 pixels");
});
