/**
 * What a step costs by batch size, image size, number of heads and threads, its memory, and how long its session takes to
 * open: `npm run build && node bench/costs.js`.
 */

import { selectEngine } from "./built.js";
import { median, rounded, writeResults } from "./harness.js";
import { openPeer } from "./peer.js";
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
  for (let i = 0; i < 4; i++) await step.run();
  const times = [];
  for (let i = 0; i < 21; i++) {
    const start = performance.now();
    await step.run();
    times.push(performance.now() - start);
  }
  const ours = { ms: rounded(median(times)), minMs: rounded(Math.min(...times)), compileMs: rounded(step.compileMs) };
  console.log(`${what}: ${ours.ms} ms a step, compiled in ${ours.compileMs} ms`);
  rows.push({ work: `joint step, mobilenet-v1 0.25 @128, batch 8, but ${what}`, ours, peer: null, ratio: null });
  await step.dispose();
  await engine.dispose();
}

// Peak memory of a process that does nothing but steps: PyTorch's own, and this one's above what it was before.
for (const options of [base, { ...base, alpha: 1, inputSize: 224 }]) {
  const work = `peak memory, joint step, mobilenet-v1 ${options.alpha} @${options.inputSize}, batch ${options.batchSize}`;
  const before = process.memoryUsage().rss;
  const engine = await selectEngine({ engine: "onnx" });
  const step = await prepareStep(engine, options);
  for (let i = 0; i < 10; i++) await step.run();
  const megabytes = rounded(process.memoryUsage().rss / 2 ** 20);
  const own = rounded((process.memoryUsage().rss - before) / 2 ** 20);
  await step.dispose();
  await engine.dispose();
  const peer = await openPeer("step.py", { trunk: "mobilenet-v1", ...options });
  const cost = peer && (await peer.measure(10));
  peer?.close();
  const theirs = peer && cost?.peakMegabytes ? { name: peer.name, megabytes: rounded(cost.peakMegabytes) } : null;
  console.log(
    `${work}: ${megabytes} MB (${own} of them for this), ${theirs ? `${theirs.name} ${theirs.megabytes} MB` : "no peer"}`,
  );
  const ratio = theirs && rounded(megabytes / theirs.megabytes);
  rows.push({ work, ours: { megabytes, own }, peer: theirs, ratio });
}
await writeResults("costs", rows);
