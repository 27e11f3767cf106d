import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sample } from "../../src/core/annotation.js";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { innerScales } from "../../src/explain/calibration/inner-targets.js";
import { explainFunction } from "../../src/explain/graph/explain-function.js";
import { SOURCE, tinyImages, tinyModel, tinyParameters, tinyReferences } from "./tiny-model.js";

let engine: Engine;
beforeAll(async () => {
  engine = await createOnnxEngine({ threads: 1 });
});
afterAll(() => engine.dispose());

const samples: Sample[] = Array.from({ length: 4 }, (_, index) => ({
  path: `${index}.png`,
  image: Uint8Array.from(tinyImages(1, { seed: index + 1 }), (value) => Math.min(255, Math.max(0, value))),
  target: {},
  aspects: {},
}));

test("targets that are no classifier's have a line that randomized models seldom reach, by kind", async () => {
  // Heads that see their aspect in every image.
  const seen = (name: string) => ({ kind: "segmentation", name, taps: [SOURCE], threshold: 1e-9 }) as const;
  const model = tinyModel({ aspects: [seen("spot"), seen("bar"), seen("ring")] });
  const parameters = Object.fromEntries(
    Object.entries(tinyParameters(model)).map(([name, { shape, data }]) => [
      name,
      { shape, data: name.startsWith("head/") ? data.map((value) => 30 * value) : data },
    ]),
  );
  const given = { engine, parameters, references: tinyReferences(model), samples: () => [samples], batchSize: 4 };
  const found = await innerScales(model, given);
  expect(Object.keys(found).sort()).toEqual(["aspect", "image", "unit"]);
  for (const scale of Object.values(found)) {
    expect(scale).toEqual({ kind: "above-chance", line: expect.any(Number) });
    expect("line" in scale && scale.line > 0 && scale.line < 1).toBe(true);
  }
  // The same images and seeds, the same lines.
  expect(await innerScales(model, given)).toEqual(found);
});

test("a model without aspects has none", async () => {
  const model = tinyModel({ aspects: [] });
  const given = { engine, parameters: tinyParameters(model), references: tinyReferences(model), batchSize: 4 };
  expect(await innerScales(model, { ...given, samples: () => [samples] })).toEqual({});
});

test("targets that a head reads past are left out, where heads read layers of their own", async () => {
  const seen = (name: string, taps: string[]) => ({ kind: "segmentation", name, taps, threshold: 1e-9 }) as const;
  // "early" is no target of "late", whose layer comes after all that "early" reads; the other way it is one.
  const model = tinyModel({
    aspects: [seen("early", [SOURCE]), seen("late", ["conv_pw_13"]), seen("both", [SOURCE, "conv_pw_13"])],
  });
  const given = { engine, parameters: tinyParameters(model), references: tinyReferences(model), batchSize: 4 };
  const found = await innerScales(model, { ...given, samples: () => [samples] });
  for (const scale of Object.values(found)) expect(scale.kind).toBe("above-chance");
  // Alone with "late", "early" can never be explained by it.
  const two = tinyModel({ aspects: [seen("early", [SOURCE]), seen("late", ["conv_pw_13"])] });
  const own = { ...given, parameters: tinyParameters(two), references: tinyReferences(two) };
  expect(() => explainFunction(two, { target: { kind: "aspect", aspect: "early" } })).toThrow(
    /does not depend on layer/,
  );
  await innerScales(two, { ...own, samples: () => [samples] });
});
