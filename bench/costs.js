/**
 * Time of a step by batch size, image size, number of heads and threads, and the time to open its session:
 * `npm run build && node bench/costs.js`.
 */

import { selectEngine } from "aspectlens";
import { measure, rounded, writeResults } from "./harness.js";
import { prepareStep } from "./training.js";

/** @typedef {import("./training.js").StepOptions} StepOptions */

/** @type {StepOptions} */
const base = { alpha: 0.25, inputSize: 128, batchSize: 8, batchNorm: "folded" };
/** @type {readonly { what: string, threads?: number, options: Partial<StepOptions> }[]} */
const variants = [
  ...[1, 2, 4, 8, 16, 32, 64].map((batchSize) => ({ what: `batch ${batchSize}`, options: { batchSize } })),
  ...[64, 96, 128, 160, 192, 224].map((inputSize) => ({ what: `${inputSize} px`, options: { inputSize } })),
  ...[1, 2, 5, 10, 20].map((masks) => ({ what: `${masks} aspect heads`, options: { masks } })),
  ...[1, 2].map((threads) => ({ what: `${threads} threads`, threads, options: {} })),
];

const rows = [];
for (const { what, threads, options } of variants) {
  const engine = await selectEngine({ engine: "onnx", threads });
  const step = await prepareStep(engine, { ...base, ...options });
  const ours = { ms: rounded((await measure(step.run, 21, 4)).ms), compileMs: rounded(step.compileMs) };
  console.log(`${what}: ${ours.ms} ms a step, compiled in ${ours.compileMs} ms`);
  rows.push({ work: `joint step, mobilenet-v1 0.25 @128, batch 8, but ${what}`, ours, peer: null, ratio: null });
  await step.dispose();
  await engine.dispose();
}

await writeResults("costs", rows);
