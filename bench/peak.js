/**
 * Peak memory of a process that only runs training steps, compared with PyTorch's, and the effect of ONNX Runtime's
 * memory settings: `npm run build && node bench/peak.js`. Each number comes from a process of its own.
 */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { selectEngine } from "aspectlens";
import { measure, rounded, writeResults } from "./harness.js";
import { defaultThreads, InferenceSession } from "./internals.js";
import { openPeer } from "./peer.js";
import { prepareStep, stepGraph } from "./training.js";

/** @typedef {import("./training.js").StepOptions} StepOptions */
/** @typedef {{ enableCpuMemArena?: boolean, enableMemPattern?: boolean }} Memory */
/** @typedef {{ ms: number, megabytes: number }} Cost */

const RUNS = 12;
/** @type {Record<string, Memory>} */
const settings = {
  "arena and pattern (ONNX Runtime's default)": {},
  "arena (ours)": { enableMemPattern: false },
  neither: { enableCpuMemArena: false, enableMemPattern: false },
};

if (process.argv[2]) console.log(JSON.stringify(await child(JSON.parse(process.argv[2]))));
else await compareAll();

async function compareAll() {
  const rows = [];
  for (const [alpha, inputSize, batchSize] of [
    [0.25, 128, 8],
    [1, 224, 8],
    [1, 224, 32],
  ]) {
    /** @type {StepOptions} */
    const options = { alpha, inputSize, batchSize, batchNorm: "folded" };
    const work = `peak memory, joint step, mobilenet-v1 ${alpha} @${inputSize}, batch ${batchSize}`;
    const own = inProcess({ options });
    const peer = await openPeer("step.py", { trunk: "mobilenet-v1", ...options });
    const cost = peer && (await peer.measure(RUNS));
    peer?.close();
    const theirs =
      peer && cost?.peakMegabytes
        ? { name: peer.name, ...peer.software, megabytes: rounded(cost.peakMegabytes) }
        : null;
    const ratio = theirs && rounded(own.megabytes / theirs.megabytes);
    const runtime = Object.fromEntries(
      Object.entries(settings).map(([name, memory]) => [name, inProcess({ options, memory })]),
    );
    console.log(`${work}: ${own.megabytes} MB, ${theirs ? `${theirs.name} ${theirs.megabytes} MB` : "no peer"}`);
    for (const [name, { ms, megabytes }] of Object.entries(runtime)) {
      console.log(`  the graph alone, ${name}: ${megabytes} MB, ${ms} ms a step`);
    }
    rows.push({ work, ours: { ...own, runtime }, peer: theirs, ratio });
  }
  await writeResults("peak", rows);
}

/** @param {{ options: StepOptions, memory?: Memory }} given @returns {Cost} */
function inProcess(given) {
  const file = fileURLToPath(import.meta.url);
  const printed = execFileSync(process.execPath, [file, JSON.stringify(given)], { encoding: "utf8" });
  return JSON.parse(printed.trim().split("\n").at(-1) ?? "");
}

/** @param {{ options: StepOptions, memory?: Memory }} given @returns {Promise<Cost>} */
async function child({ options, memory }) {
  const run = memory ? await graphAlone(options, memory) : await product(options);
  const { ms } = await measure(run, RUNS);
  const megabytes = process.resourceUsage().maxRSS / 1024; // kilobytes on Linux
  return { ms: rounded(ms), megabytes: rounded(megabytes) };
}

/** @param {StepOptions} options */
async function product(options) {
  const step = await prepareStep(await selectEngine({ engine: "onnx" }), options);
  return step.run;
}

/**
 * The same graph on ONNX Runtime directly, with the state passed in at each run.
 *
 * @param {StepOptions} options
 * @param {Memory} memory
 */
async function graphAlone(options, memory) {
  const { model, feeds, writes } = await stepGraph(options);
  const session = await InferenceSession.create(model, { intraOpNumThreads: defaultThreads(), ...memory });
  const wanted = { ...Object.fromEntries(session.outputNames.map((name) => [name, null])), ...writes };
  return () => session.run(feeds, wanted);
}
