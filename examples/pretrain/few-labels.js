/**
 * What a pre-trained trunk is worth where labels are few: the pets with 10, 30 and 100 labelled photographs, from a
 * trunk of the package and from random weights.
 *
 *     npm run build && node examples/pets/make.js && node examples/pretrain/few-labels.js
 *
 * Runs that are finished are not run again; `--weights` names other starts. The validation photographs (45) are the
 * same for all.
 */

import { existsSync } from "node:fs";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { aspectlens } from "../support/command-line.js";

const COUNTS = [10, 30, 100];
/** From random weights all layers learn, and see this many photographs. */
const SEEN = 16_000;

const { values: options } = parseArgs({
  options: {
    pets: { type: "string", default: "data/pets" },
    out: { type: "string", default: "runs/few-labels" },
    weights: { type: "string", multiple: true, default: ["builtin:mobilenet-v1-0.25", "random"] },
    size: { type: "string", default: "128" },
    results: { type: "string", default: "bench/results/few-labels.json" },
  },
});
const rows = [];
for (const count of COUNTS) {
  const data = await subset(count);
  for (const weights of options.weights) {
    const out = join(options.out, `${count}-${weights.replace(/^.*[:/]/, "")}`);
    const begun = performance.now();
    if (!existsSync(join(out, "best/model.json"))) {
      await mkdir(out, { recursive: true });
      await writeFile(`${out}.json`, JSON.stringify(configuration(weights, { count, data, out })));
      aspectlens("train", `${out}.json`, ...(existsSync(join(out, "checkpoint")) ? ["--resume"] : []));
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    const { heads } = JSON.parse(aspectlens("evaluate", out, options.pets, "--split", "test", "--json"));
    const row = { labels: count, weights, accuracy: heads.class.accuracy, petIou: heads.pet.iou, seconds };
    console.log(
      `${count} labels, ${weights}: accuracy ${(100 * row.accuracy).toFixed(1)} %, pet IoU ${row.petIou.toFixed(3)}, ${seconds} s`,
    );
    rows.push(row);
  }
}
await writeFile(
  options.results,
  `${JSON.stringify({ format: "aspectlens-bench/1", work: "pets3 with few labels, 298 test photographs", size: Number(options.size), rows }, null, 2)}\n`,
);

/**
 * The pets with the first `count` training photographs, the breeds by turns.
 *
 * @param {number} count
 */
async function subset(count) {
  const folder = join(options.out, `data-${count}`);
  if (existsSync(join(folder, "dataset.json"))) return folder;
  for (const part of ["images", "trimaps"]) await cp(join(options.pets, part), join(folder, part), { recursive: true });
  const lines = (await readFile(join(options.pets, "samples.jsonl"), "utf8")).trim().split("\n");
  const samples = lines.map((line) => ({ line, ...JSON.parse(line) }));
  const labels = [...new Set(samples.map(({ label }) => label))];
  const byLabel = labels.map((label) => samples.filter((s) => s.split === "train" && s.label === label));
  const turns = byLabel[0].flatMap((_, turn) => byLabel.flatMap((list) => list.slice(turn, turn + 1)));
  const kept = [...turns.slice(0, count), ...samples.filter(({ split }) => split === "validation")];
  await writeFile(join(folder, "samples.jsonl"), kept.map(({ line }) => `${line}\n`).join(""));
  await cp(join(options.pets, "dataset.json"), join(folder, "dataset.json"));
  return folder;
}

/**
 * The trainer's own defaults from given weights; from random ones as many steps as those take altogether.
 *
 * @param {string} weights
 * @param {{ count: number, data: string, out: string }} where
 */
function configuration(weights, { count, data, out }) {
  const base = { dataset: data, out, batchSize: 8, trunk: { weights, inputSize: Number(options.size) } };
  if (weights !== "random") return base;
  return { ...base, stages: [{ train: "all", epochs: Math.round(SEEN / count) }] };
}
