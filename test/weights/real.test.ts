import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/engine/engine.js";
import { createOnnxEngine } from "../../src/engine/onnx-engine.js";
import { importWeights } from "../../src/weights/import-weights.js";
import { hasRealData, unpack } from "../trunk/real-data.js";
import { isolate, newFolder } from "./server.js";

isolate();

describe.skipIf(!hasRealData)("real weights, imported", () => {
  let weights: ReturnType<typeof unpack>;
  let engine: Engine;
  const store = newFolder();
  beforeAll(async () => {
    weights = unpack("weights_mobilenet_tfjs.tar.gz");
    engine = await createOnnxEngine({ threads: 1 });
  });
  afterAll(async () => {
    await engine.dispose();
    weights.dispose();
  });

  test("through our engine, each gives what tf.loadLayersModel gives from the same file", async () => {
    const files = readdirSync(join(weights.folder, "weights")).filter((name) => name.startsWith("mobilenet_"));
    expect(files).toHaveLength(7);
    for (const file of files) {
      const { proof } = await importWeights(join(weights.folder, "weights", file), { engine, folder: store });
      expect(proof.original?.error, file).toBeLessThan(1e-4);
    }
  }, 120_000);
});
