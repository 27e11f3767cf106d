/**
 * PyTorch on the very batches of a training by defaults: `npm run build && node bench/defaults/torch.js FOLDER [SET...]
 * [--threads 2]`. README.md beside this file says what is compared. A set whose result is there is not trained again. The sets `tiny`
 * and `tiny-v2` train for a minute and are only printed: a check that both sides compute the same.
 */

import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeSafetensors, runTraining, selectEngine } from "aspectlens";
import { trainBeside } from "./beside.js";
import { DATASETS, MAIN } from "./datasets.js";
import { firstStepsOf, oneStepOf, timesOf } from "./differences.js";
import { runNode } from "./run-node.js";
import { openTrainingPeer } from "./training-peer.js";
import { TRAININGS } from "./trainings.js";

const RESULTS = fileURLToPath(new URL("../results/torch-defaults.json", import.meta.url));
/** What differs by more in the first steps from the same numbers is another network, loss or update, not rounding. */
const MOST = 1e-2;
const UNLIKE = "from the same numbers, both sides go to different ones.";
/** Heads of every kind, a fifth of the labels missing; views that the step cuts (64), and ready images (96). */
const TINY = /** @type {const} */ ([
  ["tiny", "mobilenet-v1", "64"],
  ["tiny-v2", "mobilenet-v2", "96"],
]).map(([name, trunk, size]) => ({
  name,
  make: (/** @type {string} */ folder) =>
    `${MAIN} data synth ${folder} --count 80 --size ${size} --unlabelled 0.2`.split(" "),
  settings: { trunk: { name: trunk, inputSize: 64 }, stages: { 0: { epochs: 3 }, 1: { epochs: 3 } }, batchSize: 8 },
}));
const USUAL = ["pets", "wbc", "deeppcb-crops-boxes"];
/** Those whose set is made of nothing but archives. */
const SETS = TRAININGS.filter(({ name, how }) => !how && DATASETS[name] && !DATASETS[name].from).map(
  ({ name, weights }) => ({ name, weights, make: (/** @type {string} */ folder) => DATASETS[name].make(folder, "") }),
);

const { values: options, positionals } = parseArgs({
  options: { threads: { type: "string", default: "2" } },
  allowPositionals: true,
});
const threads = Number(options.threads);
const [root, ...wanted] = positionals;
if (!root) throw new Error("usage: torch.js FOLDER [SET...]");
await mkdir(root, { recursive: true });
process.chdir(root);
/** @type {Record<string, object>} */
const results = existsSync(RESULTS) ? JSON.parse(await readFile(RESULTS, "utf8")) : {};
for (const name of wanted.length > 0 ? wanted : USUAL) {
  const set = [...TINY, ...SETS].find((one) => one.name === name);
  if (!set) throw new Error(`no set "${name}"; there are: ${[...TINY, ...SETS].map((one) => one.name).join(", ")}.`);
  if (results[name]) continue;
  if (!existsSync(name)) runNode(set.make(resolve(name)));
  const result = await compareTrainings(set);
  console.log(JSON.stringify({ [name]: result }, null, 2));
  if (name.startsWith("tiny")) {
    if (Math.max(...result.stages.map(({ firstSteps }) => firstSteps.loss)) > MOST) throw new Error(UNLIKE);
    continue;
  }
  results[name] = result;
  await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

/** @param {{ name: string, weights?: string, settings?: object }} set */
async function compareTrainings({ name, weights, settings }) {
  const [ours, theirs] = [join("runs", `beside-${name}`), join("runs", `beside-${name}-torch`)];
  for (const out of [ours, theirs]) await rm(out, { recursive: true, force: true });
  const peer = await openTrainingPeer({ threads });
  if (!peer) process.exit(1);
  const engine = await selectEngine({ threads });
  const beside = trainBeside(engine, peer, {
    onFirstStep: (stage) => {
      const { loss, gradient } = oneStepOf(stage);
      if (Math.max(loss, gradient) > MOST) throw new Error(UNLIKE);
    },
  });
  const trunk = weights ? { trunk: { weights } } : {};
  await runTraining({ dataset: name, out: ours, seed: 7, ...trunk, ...settings }, beside);
  const { stages, epochs, best, parameters } = await beside.result();
  peer.close();
  await engine.dispose();
  await cp(ours, theirs, { recursive: true });
  await writeFile(join(theirs, "best/state.safetensors"), encodeSafetensors(parameters));
  // Thresholds, temperatures and references of the peer's weights, by the same rules as ours.
  runNode([MAIN, "train", join(theirs, "config.json"), "--finish", "--json"]);
  const curves = (await readFile(join(ours, "metrics.jsonl"), "utf8")).trim().split("\n");
  return {
    machine: cpus()[0]?.model.trim(),
    software: { ours: { node: process.version, engine: engine.name, threads }, theirs: peer.software },
    stages: stages.map((stage) => ({
      steps: stage.ours.length,
      oneStep: oneStepOf(stage),
      firstSteps: firstStepsOf(stage),
      ...timesOf(stage),
    })),
    best,
    epochs: curves.map((line, index) => {
      const { stage, epoch, losses, score } = JSON.parse(line);
      return { stage, epoch, loss: [losses.total, epochs[index].loss], score: [score, epochs[index].score] };
    }),
    test: { ours: evaluated(ours, name), theirs: evaluated(theirs, name) },
  };
}

/**
 * Numbers of each head, and their intervals, on the test images.
 *
 * @param {string} run
 * @param {string} dataset
 */
function evaluated(run, dataset) {
  const { heads } = JSON.parse(runNode([MAIN, "evaluate", run, dataset, "--split", "test", "--json"]));
  const isKept = (/** @type {[string, unknown]} */ [name, value]) => name === "intervals" || typeof value === "number";
  return Object.fromEntries(
    Object.entries(heads).map(([name, head]) => [name, Object.fromEntries(Object.entries(head).filter(isKept))]),
  );
}
