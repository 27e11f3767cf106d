/**
 * The demo's training from the package's trunk and from random weights, on the same drawn tissue: metrics and seconds
 * of both.
 *
 *     npm run build && node examples/pretrain/tissue-starts.js
 */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { aspectlens } from "../support/command-line.js";

const RESULTS = "bench/results/tissue-starts.json";
const FOLDER = "runs/tissue-starts";
/** As in the demo; random weights need twice the time, and more than these 15 epochs add little. */
const STARTS = {
  "builtin:mobilenet-v1-0.25": { train: "all", epochs: 8, batchNorm: "batch", learningRate: 0.003 },
  random: { train: "all", epochs: 15 },
};

const data = join(FOLDER, "data");
await mkdir(FOLDER, { recursive: true });
aspectlens("data", "synth", data, "--count", "1600");
const rows = [];
for (const [weights, stage] of Object.entries(STARTS)) {
  const out = join(FOLDER, weights.replace(/^.*:/, ""));
  await rm(out, { recursive: true, force: true });
  const config = {
    dataset: data,
    out,
    source: "conv_pw_5",
    batchSize: 8,
    trunk: { weights, inputSize: 128 },
    stages: [stage],
  };
  await writeFile(`${out}.json`, JSON.stringify(config));
  const { seconds } = JSON.parse(aspectlens("train", `${out}.json`, "--json"));
  const { heads } = JSON.parse(aspectlens("evaluate", out, data, "--split", "test", "--json"));
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8")).trim().split("\n");
  const bestScore = Math.max(...lines.map((line) => JSON.parse(line).score));
  const row = { weights, epochs: stage.epochs, seconds, validationScore: bestScore, test: summary(heads) };
  console.log(JSON.stringify(row));
  rows.push(row);
}
await writeFile(
  RESULTS,
  `${JSON.stringify({ format: "aspectlens-bench/1", work: "the demo's training, by what the trunk starts from", rows }, null, 2)}\n`,
);

/** @param {Record<string, Record<string, unknown>>} heads one number a head. */
function summary(heads) {
  const main = /** @type {const} */ (["iou", "ap50", "mae", "accuracy"]);
  return Object.fromEntries(
    Object.entries(heads).map(([name, metrics]) => {
      const key = main.find((candidate) => candidate in metrics) ?? "accuracy";
      return [`${name} ${key}`, metrics[key]];
    }),
  );
}
