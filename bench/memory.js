/** Memory over 10,000 training steps: `npm run build && node bench/memory.js`. */

import { selectEngine } from "aspectlens";
import { rounded, writeResults } from "./harness.js";
import { prepareStep } from "./training.js";

const STEPS = 10_000;
const EVERY = 500;
/** After so many steps every buffer has been used once and the arena has its final size. */
const SETTLED = 1000;

const engine = await selectEngine({ engine: "onnx" });
const [alpha, inputSize, batchSize] = [0.25, 64, 8];
const step = await prepareStep(engine, { alpha, inputSize, batchSize, batchNorm: "folded" });
/** @type {{ step: number, megabytes: number }[]} */
const samples = [];
const started = performance.now();
for (let count = 1; count <= STEPS; count++) {
  await step.run();
  if (count % EVERY !== 0) continue;
  samples.push({ step: count, megabytes: rounded(process.memoryUsage().rss / 2 ** 20) });
  console.log(`step ${count}: ${samples[samples.length - 1].megabytes} MB`);
}
const ms = rounded((performance.now() - started) / STEPS);
const settled = samples.filter((sample) => sample.step >= SETTLED);
// A line fitted to the samples: single ones vary with garbage collection.
const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const meanStep = mean(settled.map((sample) => sample.step));
const meanMegabytes = mean(settled.map((sample) => sample.megabytes));
const slope =
  mean(settled.map((sample) => (sample.step - meanStep) * (sample.megabytes - meanMegabytes))) /
  mean(settled.map((sample) => (sample.step - meanStep) ** 2));
const growth = { fromStep: SETTLED, megabytesPerThousandSteps: rounded(slope * 1000) };
console.log(`growth: ${growth.megabytesPerThousandSteps} MB in 1,000 steps`);
const work = `${STEPS} joint steps, mobilenet-v1 ${alpha} @${inputSize}, batch ${batchSize}, folded BN`;
await writeResults("memory", [{ work, ours: { ms, engine: "onnx", growth, samples }, peer: null, ratio: null }]);
await step.dispose();
await engine.dispose();
