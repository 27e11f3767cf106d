import * as tf from "@tensorflow/tfjs";
import { expect, test, vi } from "vitest";
import { ndArray } from "../../src/core/nd-array.js";
import { exportGraph } from "../../src/engine/compile.js";
import { openRuntime } from "../../src/engine/session.js";

test("a graph for a file keeps the names of inputs and outputs and holds the constants", async () => {
  const warn = vi.spyOn(console, "warn");
  const model = exportGraph(
    ({ inputs, constants }) => {
      const logits = tf.matMul(inputs.image as tf.Tensor2D, constants.w as tf.Tensor2D);
      return { outputs: { logits, "nucleus/masked": logits.relu() } };
    },
    {
      name: "explain",
      inputs: { image: [1, 2] },
      constants: { w: ndArray([2, 2], Float32Array.of(1, 0, 0, -1)) },
    },
  );
  expect(warn, "the cpu backend's greeting").not.toHaveBeenCalled();
  warn.mockRestore();
  const runtime = openRuntime({ threads: 1 });
  const session = await runtime.createSession(model);
  expect(session.inputs).toEqual([{ name: "image", shape: [1, 2], dtype: "float32" }]);
  expect(session.outputs.map(({ name }) => name).sort()).toEqual(["logits", "nucleus/masked"]);
  const outputs = await session.run({ image: ndArray([1, 2], Float32Array.of(3, 4)) });
  expect(outputs.logits).toEqual(ndArray([1, 2], Float32Array.of(3, -4)));
  expect(outputs["nucleus/masked"]).toEqual(ndArray([1, 2], Float32Array.of(3, 0)));
  await runtime.dispose();
});
