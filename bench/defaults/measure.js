/** One training of one seed, gone on with where it was interrupted, and what `evaluate` and `faithfulness` say of it. */

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MAIN } from "./datasets.js";
import { runNode } from "./run-node.js";

const SEVERAL = { folds: ["--folds", "5"], separate: ["--compare-separate"] };

/** @typedef {import("./trainings.js").Training} Training */
/** @typedef {{ folder: string, overrides: readonly string[] }} Place `overrides`: `key=value`, to try this program out */

/** @param {Training} training @param {number} seed @param {Place} place @returns {Promise<string>} the run, in `folder`. */
export async function train(training, seed, { folder, overrides }) {
  const { out, config } = await writeConfig(training, seed, folder);
  if (existsSync(join(folder, out, "best/model.json"))) return out;
  const isBegun = existsSync(join(folder, out, "checkpoint/state.safetensors"));
  runNode([MAIN, "train", config, ...(isBegun ? ["--resume"] : []), ...toWords(overrides)], { cwd: folder });
  return out;
}

/**
 * @param {Training} training
 * @param {"folds" | "separate"} how
 * @param {number} seed
 * @param {Place} place
 */
export async function trainSeveral(training, how, seed, { folder, overrides }) {
  const { out, config } = await writeConfig(training, seed, folder);
  const isBegun = existsSync(join(folder, out));
  const words = [...SEVERAL[how], ...(isBegun ? ["--resume"] : []), ...toWords(overrides)];
  const begun = performance.now();
  const report = JSON.parse(runNode([MAIN, "train", config, "--json", ...words], { cwd: folder }));
  return { seconds: Math.round((performance.now() - begun) / 1000), report };
}

/** @param {Training} training @param {number} seed @param {string} folder */
async function writeConfig({ name, dataset = name, weights }, seed, folder) {
  const out = join("runs", `${name}-${seed}`);
  const config = `${name}-${seed}.json`;
  const trunk = weights ? { trunk: { weights } } : {};
  await writeFile(join(folder, config), JSON.stringify({ dataset, out, seed, ...trunk }));
  return { out, config };
}

/** @param {readonly string[]} overrides */
function toWords(overrides) {
  return overrides.flatMap((override) => ["--set", override]);
}

/**
 * @param {Training} training
 * @param {string} out
 * @param {"validation" | "test"} split
 * @param {string} folder
 */
export async function measure({ name, dataset = name, hasCauses }, out, split, folder) {
  const { heads, groups } = JSON.parse(
    runNode([MAIN, "evaluate", out, dataset, "--split", split, "--json"], { cwd: folder }),
  );
  const seconds = await secondsOf(join(folder, out));
  if (!hasCauses || split !== "test") return { seconds, heads, groups };
  const asked = ["faithfulness", out, dataset, "--draws", "1", "--json", "--out", `${out}-faithful`];
  return { seconds, heads, groups, faithfulness: faithfulnessOf([MAIN, ...asked], folder) };
}

/** @param {readonly string[]} args @param {string} folder @returns `null` where the model explains nothing. */
function faithfulnessOf(args, folder) {
  try {
    return JSON.parse(runNode(args, { cwd: folder })).methods[0];
  } catch (error) {
    console.error(String(error));
    return null;
  }
}

/** Of all epochs, however often the training was interrupted. @param {string} run */
async function secondsOf(run) {
  const lines = (await readFile(join(run, "metrics.jsonl"), "utf8")).trim().split("\n");
  return Math.round(lines.reduce((sum, line) => sum + JSON.parse(line).seconds, 0));
}
