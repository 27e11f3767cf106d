/**
 * Times of this build beside those of another checkout, such as the commit before a change of structure:
 * `npm run build && node bench/before-after.js FOLDER`, where FOLDER holds the other checkout, built.
 * Both take turns; a ratio below 1 means that this build is faster.
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { synthesize } from "aspectlens";
import sharp from "sharp";
import { writeFreshBundle } from "./fresh-bundle.js";
import { median, rounded, writeResults } from "./harness.js";

const COLD_STARTS = 20;
const ROUNDS = 7;
const EXPLANATIONS = 40;
const EPOCHS = 5;

const [other] = process.argv.slice(2);
if (!other) throw new Error("usage: before-after.js FOLDER_OF_ANOTHER_BUILD");
const builds = { before: resolve(other), after: fileURLToPath(new URL("..", import.meta.url)) };
/** @typedef {keyof typeof builds} Build */
const commits = Object.fromEntries(
  Object.entries(builds).map(([name, path]) => [name, git(path, "rev-parse", "--short", "HEAD")]),
);

const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const bundle = join(folder, "model.aspect");
const image = join(folder, "image.jpg");
const dataset = join(folder, "tissue");
await writeFreshBundle(bundle, { alpha: 0.25, inputSize: 128, masks: 2 });
const noise = { type: /** @type {const} */ ("gaussian"), mean: 128, sigma: 40 };
await sharp({ create: { width: 640, height: 480, channels: 3, background: "#888", noise } })
  .jpeg()
  .toFile(image);
await synthesize(dataset, { count: 200, size: 128, seed: 7, causes: ["mitosis"] });

const rows = [
  await byTurns("cold start of explain with overlay", COLD_STARTS, coldStart),
  await byTurns("one explanation of a file, warm", ROUNDS, explanation),
  await byTurns("an epoch of training, all layers, after the first", ROUNDS, epoch),
];
await rm(folder, { recursive: true });
await writeResults("before-after", rows);

/** @param {Build} build @returns {Promise<number>} milliseconds of a whole process. */
async function coldStart(build) {
  const begun = performance.now();
  node(join(builds[build], "dist/cli/main.js"), "explain", bundle, image, "--out", join(folder, `out-${build}`));
  return performance.now() - begun;
}

/** @param {Build} build @returns {Promise<number>} milliseconds, the median of many in one process. */
async function explanation(build) {
  const entry = pathToFileURL(join(builds[build], "dist/bundle/explainer.js")).href;
  const script = `
    const { openExplainer } = await import(${JSON.stringify(entry)});
    const explainer = await openExplainer(${JSON.stringify(bundle)});
    const times = [];
    for (let i = 0; i < ${EXPLANATIONS}; i++) {
      const begun = performance.now();
      await explainer.explain(${JSON.stringify(image)});
      times.push(performance.now() - begun);
    }
    await explainer.dispose();
    console.log(times.sort((a, b) => a - b)[${EXPLANATIONS / 2}]);`;
  return Number(node("--input-type=module", "-e", script));
}

/** @param {Build} build @returns {Promise<number>} milliseconds of an epoch's steps, the median of those after the first. */
async function epoch(build) {
  const out = join(folder, `run-${build}`);
  const config = join(folder, `${build}.json`);
  const trunk = { name: "mobilenet-v1", alpha: 0.25, inputSize: 128, weights: "random" };
  const stages = [{ train: "all", epochs: EPOCHS }];
  await writeFile(config, JSON.stringify({ dataset, out, batchSize: 8, trunk, stages }));
  node(join(builds[build], "dist/cli/main.js"), "train", config);
  const lines = (await readFile(join(out, "metrics.jsonl"), "utf8")).trim().split("\n");
  await rm(out, { recursive: true });
  return median(lines.slice(1).map((line) => 1000 * JSON.parse(line).seconds));
}

/**
 * @param {string} work
 * @param {number} rounds
 * @param {(build: Build) => Promise<number>} measure
 */
async function byTurns(work, rounds, measure) {
  /** @type {Record<Build, number[]>} */
  const times = { before: [], after: [] };
  for (let round = 0; round < rounds; round++) {
    /** @type {Build[]} */
    const order = round % 2 === 0 ? ["before", "after"] : ["after", "before"];
    for (const build of order) times[build].push(await measure(build));
  }
  const ratio = rounded(median(times.after.map((ms, round) => ms / times.before[round])));
  const [before, after] = [rounded(median(times.before)), rounded(median(times.after))];
  console.log(`${work}: ${before} ms before (${commits.before}), ${after} ms after (${commits.after}), ratio ${ratio}`);
  return { work, ours: { ms: after, commit: commits.after }, peer: { name: commits.before, ms: before }, ratio };
}

/** @param {...string} args @returns {string} what it printed */
function node(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${args[0]} ended with ${status}: ${stderr}`);
  return stdout;
}

/** @param {string} path @param {...string} args */
function git(path, ...args) {
  return spawnSync("git", ["-C", path, ...args], { encoding: "utf8" }).stdout.trim();
}
