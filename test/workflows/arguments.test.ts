/** What callers of the library may not ask for; the command line refuses the same before it comes here. */

import { expect, test } from "vitest";
import { ConfigError, InputError } from "../../src/core/errors.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { selectEngine } from "../../src/engine/select-engine.js";
import { evaluateModel } from "../../src/workflows/evaluate-model.js";
import { exportRun } from "../../src/workflows/export-run.js";
import { tinyModel } from "../bundle/tiny-model.js";

async function refused(work: Promise<unknown>, ErrorClass: typeof InputError, message: RegExp): Promise<void> {
  const error = await work.catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ErrorClass);
  expect((error as InputError).message).toMatch(message);
}

test("a model is evaluated on a split that there is", async () => {
  const engine = await createOnnxEngine();
  const split = "valid" as "test";
  const message = /^split: expected one of train, validation, test, got "valid"\.$/;
  await refused(evaluateModel(tinyModel(), "absent", { engine, split }), ConfigError, message);
});

test("an engine and its options are some", async () => {
  await refused(
    selectEngine({ engine: "foo" as "onnx" }),
    InputError,
    /^engine "foo": expected one of auto, onnx, tfjs\.$/,
  );
  for (const threads of [-1, 0, 1.5, Number.NaN, 1000])
    await refused(selectEngine({ threads }), InputError, /^engine: threads: expected a whole number of 1\.\.256, got /);
  await refused(selectEngine({ device: "tpu" as "cpu" }), InputError, /^engine: device "tpu": expected one of cpu, /);
});

test("a bundle is written under a name that ends in .aspect", async () => {
  const error = await exportRun("absent", "x.zip").catch((error: unknown) => error);
  expect(error).toMatchObject({ name: "InputError", file: "x.zip", cure: "Call it x.zip.aspect." });
});
