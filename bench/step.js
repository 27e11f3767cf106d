/**
 * Time of the joint training step, beside PyTorch: `npm run build && node bench/step.js`. `--quick`: the sizes that
 * show changes of the engine best. `--only TEXT`: the rows whose title or engine holds it, measured again (for example
 * because the machine was busy); the other rows are kept.
 */

import { parseArgs } from "node:util";
import { MissingEngineError, selectEngine } from "aspectlens";
import { compare, readRows, rounded, writeResults } from "./harness.js";
import { openPeer } from "./peer.js";
import { prepareStep } from "./training.js";

/** @typedef {import("./training.js").StepOptions} StepOptions */

const { values: options } = parseArgs({
  options: { quick: { type: "boolean", default: false }, only: { type: "string", default: "" } },
});

/** @type {readonly (Pick<StepOptions, "trunk" | "alpha" | "inputSize"> & { trunk: NonNullable<StepOptions["trunk"]> })[]} */
const networks = [
  { trunk: "mobilenet-v1", alpha: 0.25, inputSize: 128 },
  { trunk: "mobilenet-v1", alpha: 1, inputSize: 128 },
  { trunk: "mobilenet-v1", alpha: 1, inputSize: 224 },
  { trunk: "mobilenet-v2", alpha: 1, inputSize: 224 },
  { trunk: "vgg16", alpha: 1, inputSize: 128 },
];
/** @type {readonly StepOptions["batchNorm"][]} */
const modes = ["folded", "frozen", "batch"];
/** About this long is one round of either side. */
const ROUND_MS = 700;

const rows = options.only ? readRows("step") : [];
for (const choice of /** @type {const} */ (["onnx", "tfjs"])) {
  const engine = await selectEngine({ engine: choice }).catch((/** @type {unknown} */ error) => {
    if (!(error instanceof MissingEngineError)) throw error;
    console.log(`skipped: ${error.message}`);
  });
  if (!engine) continue;
  for (const network of networks) {
    for (const batchSize of [8, 32]) {
      for (const batchNorm of modes) {
        if (network.trunk === "vgg16" && batchNorm !== "folded") continue; // it has none
        if (options.quick && (batchSize > 8 || network.trunk !== "mobilenet-v1" || batchNorm === "frozen")) continue;
        if (choice === "tfjs" && (batchSize > 8 || batchNorm === "frozen")) continue; // enough to show how far away it is
        const given = { ...network, batchSize, batchNorm };
        const { trunk, alpha, inputSize } = network;
        const norm = trunk === "vgg16" ? "frozen to block 4" : `batch norm ${batchNorm}`;
        const work = `joint step, ${trunk} ${alpha} @${inputSize}, batch ${batchSize}, ${norm}`;
        if (!`${work} ${choice}`.includes(options.only)) continue;
        const step = await prepareStep(engine, given);
        const iterations = await iterationsFor(step.run);
        const peer = await openPeer("step.py", given);
        const row = await compare(work, { engine: choice, run: step.run, peer, iterations });
        const measured = { ...row, ours: { ...row.ours, compileMs: rounded(step.compileMs) } };
        const known = rows.findIndex((other) => other.work === work && other.ours.engine === choice);
        if (known < 0) rows.push(measured);
        else rows[known] = measured;
        if (!options.quick) await writeResults("step", rows); // after each row: the whole takes half an hour
        peer?.close();
        await step.dispose();
      }
    }
  }
  await engine.dispose();
}

/** @param {() => Promise<unknown>} run */
async function iterationsFor(run) {
  for (let i = 0; i < 3; i++) await run();
  const start = performance.now();
  await run();
  return Math.max(2, Math.min(20, Math.round(ROUND_MS / (performance.now() - start))));
}
