/** Does an explanation name the aspect that caused the answer? Trains what is not trained yet, and writes the numbers. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { COMMAND_LINE } from "../support/built.js";
import { measureRun } from "./measure.js";

const RULES = ["cat", "cell", "striped", "red"];
/**
 * Aspects that are explained but not ranked. Stripes and red occur on pets alone, so they are evidence of a pet as well: its
 * head is right to use them, and is no distractor. A second result ranks it all the same.
 *
 * @type {Readonly<Record<string, readonly string[]>>}
 */
const UNRANKED = { striped: ["pet"], red: ["pet"] };
const CONFIG = fileURLToPath(new URL("config.json", import.meta.url));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: "string", default: "bench/results" }, data: { type: "string", default: "data/composites" } },
});
const rules = positionals.length > 0 ? positionals : RULES;
if (!rules.every((rule) => existsSync(join(options.data, rule, "dataset.json")))) {
  console.log(`skipped: ${options.data} is absent. Draw it first: node examples/composites/make.js`);
  process.exit(0);
}
await mkdir(options.out, { recursive: true });
for (const rule of rules) {
  const data = join(options.data, rule);
  const run = join("runs", `composites-${rule}`);
  if (!existsSync(join(run, "best", "model.json"))) train({ data, run });
  const unranked = UNRANKED[rule] ?? [];
  await measure(rule, { run, data, unranked });
  if (unranked.length > 0) await measure(`${rule}-with-${unranked.join("-")}`, { run, data });
}

/**
 * @param {string} name of the result's file.
 * @param {Parameters<typeof measureRun>[0]} what
 */
async function measure(name, what) {
  const { faithfulness, threshold } = await measureRun(what);
  await writeFile(join(options.out, `truth-${name}.json`), `${JSON.stringify(faithfulness, null, 2)}\n`);
  console.log(`${name}: ${summary(faithfulness)}; relevant from ${threshold} on`);
}

/**
 * With the command that users have; a run that was interrupted goes on.
 *
 * @param {{ data: string, run: string }} options
 */
function train({ data, run }) {
  const resume = existsSync(join(run, "checkpoint")) ? ["--resume"] : [];
  const keys = ["--set", `dataset=${data}`, "--set", `out=${run}`];
  const { status } = spawnSync(process.execPath, [COMMAND_LINE, "train", CONFIG, ...keys, ...resume], {
    stdio: "inherit",
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** @param {import("./measure.js").Faithfulness} faithfulness */
function summary({ classifier, methods: [method], coverage, controls, chance, count }) {
  return [
    `accuracy ${percent(classifier.accuracy)}`,
    `named cause ${percent(method.namedCause)} of ${count}`,
    `by survival ${percent(controls.survival.namedCause)}`,
    `by presence ${percent(controls.presenceOnly.namedCause)}`,
    `by a redrawn classifier ${percent(controls.randomClassifier?.namedCause ?? null)}`,
    `by lot ${percent(chance.namedCause)}`,
    `distractors named ${percent(method.distractorNamed)}`,
    `coverage ${percent(coverage)}`,
  ].join(", ");
}

/** @param {number | null} share */
function percent(share) {
  return share === null ? "none" : `${(100 * share).toFixed(1)} %`;
}
