/**
 * Peak memory of a dataset of 100,000 samples against one of 1,000, each with an image of its own (copies would be told
 * of, each in a line that is kept): `npm run build && node bench/samples.js`, about fifteen minutes; the machine need not be quiet. `data check`,
 * `train --explain-config`, and a training that is ended after some steps of its first epoch.
 */

import { fork } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { random } from "../examples/support/random.js";
import { rounded, writeResults } from "./harness.js";

const SIDE = 64;
const CELLS = 8;
const POLL_MS = 20;
/** Of a training, before it is ended. */
const STEPS = 40;

const { values } = parseArgs({
  options: { few: { type: "string", default: "1000" }, many: { type: "string", default: "100000" } },
});
const [few, many] = [Number(values.few), Number(values.many)];
const cli = fileURLToPath(new URL("../dist/cli/main.js", import.meta.url));
const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const training = fileURLToPath(new URL("killed/training.js", import.meta.url));
/** @type {Record<string, Record<number, number>>} */
const peaks = {};
for (const count of [few, many]) {
  const data = join(folder, String(count));
  await drawDataset(data, count);
  const config = join(folder, `${count}.json`);
  // What is kept of images between epochs has a limit of its own.
  const common = { dataset: data, out: join(folder, `run-${count}`), cacheMegabytes: 1, trunk: { inputSize: SIDE } };
  await writeFile(config, JSON.stringify({ ...common, stages: [{ train: "conv_dw_6", epochs: 1 }] }));
  for (const [name, command] of Object.entries({
    "data check": [cli, "data", "check", data],
    "train --explain-config": [cli, "train", config, "--explain-config"],
    "train, until a while into its first epoch": [training, config],
  })) {
    const megabytes = await peakOf(command);
    peaks[name] = { ...peaks[name], [count]: megabytes };
    console.log(`${name}, ${count} samples: ${megabytes} MB`);
  }
}
await rm(folder, { recursive: true });
const rows = Object.entries(peaks).map(([name, megabytes]) => {
  const bytesEach = Math.round(((megabytes[many] - megabytes[few]) * 2 ** 20) / (many - few));
  return { work: `peak memory, ${name}`, ours: { megabytes, bytesEach }, peer: null, ratio: null };
});
await writeResults("samples", rows);

/**
 * Peak resident memory of a process, megabytes; one that tells of its steps is ended after some.
 *
 * @param {readonly string[]} command
 */
async function peakOf([script, ...args]) {
  const child = fork(script, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let stderr = "";
  child.stderr?.on("data", (text) => {
    stderr = (stderr + text).slice(-2000);
  });
  let steps = 0;
  child.on("message", (phase) => {
    if (phase === "step" && ++steps === STEPS) child.kill("SIGKILL");
  });
  let peak = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
      peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0));
    } catch {} // it has just ended
  }, POLL_MS);
  const [code, signal] = await new Promise((resolve) => child.on("exit", (code, signal) => resolve([code, signal])));
  clearInterval(timer);
  if (code !== 0 && signal !== "SIGKILL") throw new Error(`${script} ${args.join(" ")}: ${stderr}`);
  return rounded(peak / 1024);
}

/**
 * Each sample has an image, box and label of its own.
 *
 * @param {string} data
 * @param {number} count
 */
async function drawDataset(data, count) {
  await mkdir(join(data, "images"), { recursive: true });
  const aspects = ["boxes", "presence"].map((kind) => ({ name: kind, kind }));
  const manifest = { format: "aspectlens-dataset/1", name: "many", classes: ["a", "b"], aspects };
  await writeFile(join(data, "dataset.json"), JSON.stringify(manifest));
  const stream = random("bench", "samples");
  const lines = [];
  for (let index = 0; index < count; index++) {
    const image = `images/${index}.jpg`;
    const cells = Uint8Array.from({ length: 3 * CELLS * CELLS }, () => stream.integer(256));
    const drawn = sharp(cells, { raw: { width: CELLS, height: CELLS, channels: 3 } });
    await drawn.resize(SIDE, SIDE).jpeg().toFile(join(data, image));
    const [y, x] = [stream.uniform(0, 0.5), stream.uniform(0, 0.5)];
    lines.push({
      image,
      split: index % 10 === 9 ? "validation" : "train",
      label: index % 2 === 0 ? "a" : "b",
      groups: { patient: `p${index >> 3}` },
      aspects: { boxes: { boxes: [[y, x, y + 0.4, x + 0.4]] }, presence: { present: index % 3 === 0 } },
    });
  }
  await writeFile(join(data, "samples.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
