/**
 * Trains on real sets with nothing but defaults, and measures: `npm run build && node bench/defaults/run.js FOLDER [SET...]`.
 * README.md beside this file has the plan. Datasets and runs go to FOLDER; a set and seed whose result is there already
 * is not trained again, and a training that was interrupted goes on.
 */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "dist/cli/main.js");
const RESULTS = join(ROOT, "bench/results/defaults.json");
const SMALL_V2 = "weights/mobilenet_v2_0.35_224_notop_f32";

/**
 * @typedef {object} Set_
 * @property {string} name
 * @property {"choose" | "show"} half on `choose` defaults were chosen (validation split alone); on `show` they are shown.
 * @property {(folder: string) => string[]} make a command line
 * @property {string} [weights]
 * @property {readonly number[]} seeds
 * @property {boolean} [hasCauses] faithfulness is measured too
 */

/** @type {readonly Set_[]} */
const SETS = [
  ...["boxes", "segmentation", "presence"].map((kind) => ({
    name: `deeppcb-crops-${kind}`,
    half: /** @type {const} */ ("choose"),
    make: (/** @type {string} */ folder) => [join(ROOT, "bench/defaults/deeppcb-crops.js"), folder, kind],
    seeds: [7, 8, 9],
    hasCauses: true,
  })),
  {
    name: "pets",
    half: "choose",
    make: (folder) => [join(ROOT, "examples/pets/make.js"), folder],
    weights: SMALL_V2,
    seeds: [7, 8, 9],
  },
  {
    name: "wbc",
    half: "show",
    make: (folder) => [join(ROOT, "examples/wbc/make.js"), folder],
    weights: SMALL_V2,
    seeds: [7, 8, 9],
  },
  {
    name: "tissue-512",
    half: "show",
    make: (folder) => [MAIN, "data", "synth", folder, "--count", "600", "--size", "512", "--seed", "11"],
    seeds: [7],
    hasCauses: true,
  },
];

const [root, ...wanted] = process.argv.slice(2);
if (!root) throw new Error("usage: run.js FOLDER [SET...]");
const folder = resolve(root);
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

/** @param {readonly string[]} args @returns {string} what it prints. */
function node(args) {
  const { status, stdout } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${args.join(" ")}: exit code ${status}`);
  return stdout;
}
