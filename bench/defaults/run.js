/**
 * Trains on real sets with nothing but defaults, and measures: `npm run build`, then
 * `node bench/defaults/run.js FOLDER [TRAINING...] [--final] [--only-make] [--seed N] [--results FILE] [--set KEY=VALUE]`.
 *
 * README.md beside this file has the plan. Datasets and runs go to FOLDER; what is there is not made again, and a
 * training that was interrupted goes on.
 */

import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { unpackWeights } from "../../examples/support/archives.js";
import { DATASETS } from "./datasets.js";
import { measure, train, trainSeveral } from "./measure.js";
import { currentCommit, RESULTS, readResults, writeResults } from "./results.js";
import { runNode } from "./run-node.js";
import { TRAININGS } from "./trainings.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    final: { type: "boolean", default: false },
    "only-make": { type: "boolean", default: false },
    results: { type: "string", default: RESULTS },
    seed: { type: "string" },
    set: { type: "string", multiple: true, default: [] },
  },
});
const [root, ...wanted] = positionals;
if (!root) throw new Error("usage: run.js FOLDER [TRAINING...]");
for (const name of wanted)
  if (!TRAININGS.some((training) => training.name === name)) throw new Error(`no training is called ${name}`);
if (values.set.length > 0 && values.results === RESULTS) throw new Error("--set: not by defaults; name --results FILE");
const folder = resolve(root);
await mkdir(folder, { recursive: true });
const results = readResults(values.results);
/** @type {Set<string>} */
const skipped = new Set();
/** @type {string[]} */
const failed = [];
for (const training of TRAININGS) {
  if (wanted.length > 0 && !wanted.includes(training.name)) continue;
  const dataset = training.dataset ?? training.name;
  const { weights } = training;
  if (!make(dataset)) {
    skipped.add(dataset);
    continue;
  }
  if (weights && !existsSync(join(folder, weights))) await unpackWeights(basename(weights), { root: folder });
  if (values["only-make"]) continue;
  for (const seed of training.seeds) if (isWanted(seed)) await trainAndMeasure(training, seed).catch(note);
}
if (skipped.size > 0) console.error(`\nSKIPPED, could not be made here: ${[...skipped].join(", ")}`);
if (failed.length > 0) {
  console.error(`\nFAILED:\n${failed.join("\n")}`);
  process.exitCode = 1;
}

/** @param {number} seed */
function isWanted(seed) {
  return values.seed === undefined || Number(values.seed) === seed;
}

/** The others are still trained. @param {unknown} error */
function note(error) {
  failed.push(String(error));
  console.error(String(error));
}

/** @param {string} name @returns {boolean} whether the set is there; its maker says why it is not. */
function make(name) {
  if (existsSync(join(folder, name, "dataset.json"))) return true;
  const { from = "", make: commandOf } = DATASETS[name];
  if (from && !make(from)) return false;
  console.log(runNode(commandOf(name, from), { cwd: folder }).trim());
  return existsSync(join(folder, name, "dataset.json"));
}

/** @param {import("./trainings.js").Training} training @param {number} seed */
async function trainAndMeasure(training, seed) {
  const { name: set, half } = training;
  const place = { folder, overrides: values.set };
  for (const split of splitsOf(training)) {
    if (results.some((one) => one.set === set && one.seed === seed && one.split === split)) continue;
    const measured =
      split === "folds" || split === "separate"
        ? await trainSeveral(training, split, seed, place)
        : await measure(training, await train(training, seed, place), split, folder);
    results.push({ set, seed, commit: currentCommit(), half, split, ...measured });
    await writeResults(values.results, results);
    console.log(`${set}, seed ${seed}, ${split}: done`);
  }
}

/** @param {import("./trainings.js").Training} training @returns {readonly import("./results.js").Result["split"][]} */
function splitsOf({ half, how, splits = ["test"] }) {
  if (how) return [how];
  if (half === "show") return splits;
  return values.final ? ["validation", "test"] : ["validation"];
}
