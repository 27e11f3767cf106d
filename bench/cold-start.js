/**
 * Cold start of `aspectlens explain` for one image, and how its time is spent:
 * `npm run build && node bench/cold-start.js`. Each run is a process of its own.
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { writeFreshBundle } from "./fresh-bundle.js";
import { median, rounded, writeResults } from "./harness.js";

const RUNS = 9;
const root = fileURLToPath(new URL("..", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const rows = [];
for (const [alpha, inputSize] of [
  [0.25, 128],
  [1, 224],
]) {
  const bundle = join(folder, "model.aspect");
  const image = join(folder, "image.jpg");
  await writeFreshBundle(bundle, { alpha, inputSize, masks: 2 });
  const noise = { type: /** @type {const} */ ("gaussian"), mean: 128, sigma: 40 };
  await sharp({ create: { width: 640, height: 480, channels: 3, background: "#888", noise } })
    .jpeg()
    .toFile(image);
  /** @param {number} begun when the process was asked for, milliseconds since 1970 */
  const script = (begun) => `
    const marks = [["node", performance.timeOrigin + performance.now() - ${begun}]];
    let last = performance.now();
    const mark = (name) => { const now = performance.now(); marks.push([name, now - last]); last = now; };
    const { openExplainer } = await import("${import.meta.resolve("aspectlens/explainer")}");
    mark("modules");
    const explainer = await openExplainer(${JSON.stringify(bundle)});
    mark("session");
    await explainer.explain(${JSON.stringify(image)});
    mark("first image");
    console.log(JSON.stringify(marks));
    process.exit(0);`;
  /** @type {Record<string, number[]>} */
  const parts = { command: [] };
  for (let run = 0; run < RUNS; run++) {
    const before = performance.now();
    runNode([join(root, "dist/cli/main.js"), "explain", bundle, image, "--out", join(folder, "out")]);
    parts.command.push(performance.now() - before);
    const marks = runNode(["--input-type=module", "-e", script(performance.timeOrigin + performance.now())]);
    for (const [name, ms] of JSON.parse(marks)) {
      parts[name] ??= [];
      parts[name].push(ms);
    }
  }
  const medians = Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, rounded(median(values))]));
  const work = `cold start of explain, one image, mobilenet-v1 ${alpha} @${inputSize}`;
  console.log(`${work}: ${JSON.stringify(medians)} ms`);
  rows.push({ work, ours: medians, peer: null, ratio: null });
}
await rm(folder, { recursive: true });
await writeResults("cold-start", rows);

/** @param {readonly string[]} args @returns {string} what it printed */
function runNode(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`node ${args[0]} ended with ${status}: ${stderr}`);
  return stdout;
}
