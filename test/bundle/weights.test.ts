import { describe, expect, test } from "vitest";
import { decodeWeights, encodeWeights } from "../../src/bundle/bundled-weights.js";
import { deviation, severity } from "../../src/bundle/deviation.js";
import { largeConstants, moveConstantsIn, moveConstantsOut } from "../../src/bundle/onnx-weights.js";
import { BundleError } from "../../src/core/errors.js";
import { type NdArray, ndArray, withAxes } from "../../src/core/nd-array.js";
import { kernel, modelOf, stubModel } from "./stub.js";

const bytesOf = ({ data }: NdArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
const location = "weights.safetensors";

describe("withAxes", () => {
  test("takes axis order[i] of the array as axis i", () => {
    const array = ndArray([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
    expect(withAxes(array, [1, 0])).toEqual(ndArray([3, 2], Float32Array.of(1, 4, 2, 5, 3, 6)));
  });

  test("turns HWIO into OIHW as four plain loops do", () => {
    const [height, width, inputs, outputs] = kernel.shape;
    const expected = ndArray([outputs, inputs, height, width]);
    let at = 0;
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let y = 0; y < height; y++)
          for (let x = 0; x < width; x++)
            expected.data[at++] = kernel.data[((y * width + x) * inputs + i) * outputs + o];
    expect(withAxes(kernel, [3, 2, 0, 1])).toEqual(expected);
  });
});

describe("moving constants", () => {
  const large = withAxes(kernel, [3, 2, 0, 1]);
  const other = ndArray(
    [300],
    Float32Array.from({ length: 300 }, (_, index) => index),
  );
  const model = modelOf({
    small: { data: new Uint8Array(64).fill(3) },
    large: { data: bytesOf(large) },
    indices: { data: new Uint8Array(4096).fill(1), dtype: 7 },
    other: { data: bytesOf(other) },
  });

  test("finds large float32 constants alone", () => {
    expect(largeConstants(model).map((raw) => raw.length)).toEqual([3072, 1200]);
  });

  test("out and in again gives a model with the same constants", () => {
    const weights = encodeWeights(stubModel, { graphs: [model] });
    const moved = moveConstantsOut(model, { location, place: weights.place });
    expect(moved.length).toBeLessThan(model.length - 3072 - 1200 + 300);
    const back = moveConstantsIn(moved, { location, weights: weights.bytes, source: "x" });
    expect(largeConstants(back).map((raw) => Buffer.from(raw).toString("hex"))).toEqual(
      largeConstants(model).map((raw) => Buffer.from(raw).toString("hex")),
    );
    expect(back.length).toBe(model.length);
  });

  test("stores a parameter in the graph's order, so that the graph needs no copy, and gives it back in its own", () => {
    const { bytes, layouts } = encodeWeights(stubModel, { graphs: [model] });
    expect(layouts).toEqual({ "trunk/conv1/kernel": [3, 2, 0, 1] });
    const { parameters, references } = decodeWeights(bytes, { layouts, source: "x" });
    expect(parameters).toEqual(stubModel.parameters);
    expect(references).toEqual(stubModel.references);
  });

  test("refuses a place outside the weights, and any other file", () => {
    const outside = moveConstantsOut(model, { location, place: () => ({ offset: 10, length: 3072 }) });
    expect(() => moveConstantsIn(outside, { location, weights: new Uint8Array(100), source: "x" })).toThrow(
      BundleError,
    );
    const elsewhere = moveConstantsOut(model, { location: "/etc/passwd", place: () => ({ offset: 0, length: 8 }) });
    expect(() => moveConstantsIn(elsewhere, { location, weights: new Uint8Array(100), source: "x" })).toThrow(
      /x: a constant lies outside weights\.safetensors/,
    );
  });

  test("refuses numbers that are none, and constants that take many times the file", () => {
    const spoilt = ndArray([2], Float32Array.of(1, Number.NaN));
    const { bytes } = encodeWeights({ parameters: { w: spoilt }, references: {} }, { graphs: [] });
    expect(() => decodeWeights(bytes, { layouts: {}, source: "x" })).toThrow(/^x: "w" holds NaN or Infinity/);
    const { bytes: weights, place } = encodeWeights(stubModel, { graphs: [] });
    const constants = Array.from({ length: 6 }, (_, index) => [
      `w${index}`,
      { data: new Uint8Array(kernel.data.buffer) },
    ]);
    const model = moveConstantsOut(modelOf(Object.fromEntries(constants)), { location: "w", place });
    expect(() => moveConstantsIn(model, { location: "w", weights, source: "x" })).toThrow(
      /^x: its constants are more than 4 times w/,
    );
  });

  test("refuses a layout that is no order of the axes", () => {
    const { bytes } = encodeWeights(stubModel, { graphs: [] });
    const layouts = { "trunk/conv1/bias": [1] };
    expect(() => decodeWeights(bytes, { layouts, source: "x" })).toThrow(/x: trunk\/conv1\/bias: its layout \[1\]/);
  });
});

describe("agreement", () => {
  const of = (...values: number[]) => ndArray([values.length], Float32Array.from(values));

  test("of answers is element by element, relative to the largest", () => {
    // max|x| = 20, so 20 * 1e-4 = 2e-3 is allowed.
    expect(severity(deviation("logits", of(20, 1.0015), of(20, 1)))).toBeCloseTo(0.75, 2);
    expect(deviation("a/unmasked", of(0.5), of(0.5))).toMatchObject({ error: 0, tolerance: 1e-4, measure: "absolute" });
  });

  test("of weights, maps and masked answers is by the norm of the difference", () => {
    // |(0, 0.005)| / |(3, 4)| = 0.001
    const found = deviation("filterWeights/a", of(3, 4.005), of(3, 4));
    expect(found.measure).toBe("relative");
    expect(found.error).toBeCloseTo(1e-3, 6);
    expect(found.tolerance).toBe(1e-3);
  });

  test("of evidence and its overlap is ten times as wide: rectifiers on their bend may go either way", () => {
    for (const output of ["evidence/a", "necrosis/overlap/a"]) {
      // |(0, 0.05)| / |(3, 4)| = 0.01
      expect(severity(deviation(output, of(3, 4.05), of(3, 4)))).toBeCloseTo(1, 4);
    }
    expect(severity(deviation("saliency/a", of(3, 4.05), of(3, 4)))).toBeCloseTo(10, 3);
  });

  test("is never reached by NaN, another shape, a missing output, or something where there was nothing", () => {
    for (const actual of [of(Number.NaN, 1), of(1), undefined]) {
      expect(severity(deviation("logits", actual, of(1, 1)))).toBe(Number.POSITIVE_INFINITY);
      expect(severity(deviation("a/masked", actual, of(1, 1)))).toBe(Number.POSITIVE_INFINITY);
    }
    expect(severity(deviation("saliency/a", of(0.1), of(0)))).toBe(Number.POSITIVE_INFINITY);
    expect(severity(deviation("saliency/a", of(0), of(0)))).toBe(0);
  });

  test("is never reached where the expected is NaN or infinite, beside which anything would be near", () => {
    for (const expected of [of(Number.NaN, 1), of(Number.POSITIVE_INFINITY, 1), of(1, Number.NEGATIVE_INFINITY)]) {
      for (const output of ["logits", "saliency/a"]) {
        expect(severity(deviation(output, of(100, 1), expected))).toBeGreaterThan(1);
        expect(severity(deviation(output, expected, expected))).toBeGreaterThan(1);
      }
    }
  });
});
