/**
 * Measurements of one trained model at a time, kept by its name: what `absences.js`, `lines.js`, `methods.js` and
 * `stability.js` share.
 */

import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { createModel, openDataset, readTrainedModel, selectEngine } from "aspectlens";
import { writeJson } from "./harness.js";

/** What the command line `RUN DATASET --name NAME [--unranked ASPECT]` names; whoever opened it disposes the engine. */
export async function openNamedModel() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: "string" },
      unranked: { type: "string", multiple: true, default: [] },
      results: { type: "string", default: "bench/results" },
    },
  });
  const { name, unranked, results } = values;
  const [run, data] = positionals;
  if (!run || !data || !name) throw new Error(`usage: node bench/${basename(process.argv[1])} RUN DATASET --name NAME`);
  const trained = await readTrainedModel(existsSync(join(run, "best")) ? join(run, "best") : run);
  const dataset = await openDataset(data);
  return { name, unranked, results, trained, dataset, model: createModel(trained.spec), engine: await selectEngine() };
}

/**
 * Adds a row to `<work>.json`, in place of one of the same name, and writes the page of all, `<work>.md`.
 *
 * @template {{ name: string }} Row
 * @param {Row} row
 * @param {{ results: string, work: string, pageOf: (rows: readonly Row[]) => string }} to
 */
export async function addRow(row, { results, work, pageOf }) {
  const path = join(results, `${work}.json`);
  /** @type {Row[]} */
  const former = existsSync(path) ? JSON.parse(await readFile(path, "utf8")).rows : [];
  const rows = [...former.filter((other) => other.name !== row.name), row];
  await writeJson(path, { format: "aspectlens-bench/1", rows });
  await writeFile(join(results, `${work}.md`), pageOf(rows));
  console.log(pageOf([row]));
}
