/**
 * Trains on real sets with nothing but defaults, and measures: `npm run build && node bench/defaults/run.js FOLDER [SET...]`.
 * README.md beside this file has the plan. Datasets and runs go to FOLDER; a set and seed whose result is there already
 * is not trained again, and a training that was interrupted goes on.
 */

import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { runNode } from "./run-node.js";
import { MAIN, SETS } from "./sets.js";

const RESULTS = fileURLToPath(new URL("../results/defaults.json", import.meta.url));

const [root, ...wanted] = process.argv.slice(2);
if (!root) throw new Error("usage: run.js FOLDER [SET...]");
const folder = resolve(root);
const node = (/** @type {readonly string[]} */ args) => runNode(args, { cwd: folder });
await mkdir(folder, { recursive: true });
/** @type {Record<string, object>} */
const results = existsSync(RESULTS) ? JSON.parse(await readFile(RESULTS, "utf8")) : {};
for (const set of SETS) {
  if (wanted.length > 0 && !wanted.includes(set.name)) continue;
  if (!existsSync(join(folder, set.name))) node(set.make(set.name));
  for (const seed of set.seeds) {
    const key = `${set.name}, seed ${seed}`;
    if (results[key]) continue;
    const out = join("runs", `${set.name}-${seed}`);
    const trunk = set.weights ? { trunk: { weights: set.weights } } : {};
    await writeFile(join(folder, `${set.name}.json`), JSON.stringify({ dataset: set.name, out, seed, ...trunk }));
    const isBegun = existsSync(join(folder, out, "checkpoint/state.safetensors"));
    const { seconds } = JSON.parse(
      node([MAIN, "train", `${set.name}.json`, "--json", ...(isBegun ? ["--resume"] : [])]),
    );
    const split = set.half === "choose" ? "validation" : "test";
    const { heads } = JSON.parse(node([MAIN, "evaluate", out, set.name, "--split", split, "--json"]));
    const faithfulness = set.hasCauses
      ? JSON.parse(node([MAIN, "faithfulness", out, set.name, "--draws", "1", "--json", "--out", `${out}-faithful`]))
          .methods[0]
      : undefined;
    results[key] = { half: set.half, split, seconds, heads, faithfulness };
    await writeFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
    console.log(key, `${seconds} s`);
  }
}
