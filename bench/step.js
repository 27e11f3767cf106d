/** Time of the joint training step, beside PyTorch: `npm run build && node bench/step.js`. */

import { EngineError, selectEngine } from "./built.js";
import { compare, rounded, writeResults } from "./harness.js";
import { openPeer } from "./peer.js";
import { prepareStep } from "./training.js";

const sizes = [
  { alpha: 0.25, inputSize: 128, iterations: 20 },
  { alpha: 1, inputSize: 224, iterations: 5 },
];
/** @type {readonly { batchNorm: "frozen" | "batch", label: string }[]} */
const modes = [
  { batchNorm: "frozen", label: "folded BN" },
  { batchNorm: "batch", label: "training BN" },
];
const batchSize = 8;

const rows = [];
for (const choice of /** @type {const} */ (["onnx", "tfjs"])) {
  const engine = await selectEngine({ engine: choice }).catch((/** @type {unknown} */ error) => {
    if (!(error instanceof EngineError)) throw error;
    console.log(`skipped: ${error.message}`);
  });
  if (!engine) continue;
  for (const { alpha, inputSize, iterations } of sizes) {
    for (const { batchNorm, label } of modes) {
      const step = await prepareStep(engine, { alpha, inputSize, batchSize, batchNorm });
      const peer = await openPeer("step.py", { alpha, inputSize, batchSize, batchNorm });
      const work = `joint step, mobilenet-v1 ${alpha} @${inputSize}, batch ${batchSize}, ${label}`;
      const row = await compare(work, { engine: choice, run: step.run, peer, iterations });
      rows.push({ ...row, ours: { ...row.ours, compileMs: rounded(step.compileMs) } });
      peer?.close();
      await step.dispose();
    }
  }
  await engine.dispose();
}
await writeResults("step", rows);
