/**
 * A training killed (SIGKILL) at 20 random moments and resumed each time, against the same training without a break:
 * `npm run build && node bench/killed/run.js`, some five minutes; the machine need not be quiet. `--seed 2` draws other
 * moments. Heads of all kinds, two stages, averages, dropout, several batches a step, features in a file.
 */

import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { random } from "../../examples/support/random.js";
import { writeResults } from "../harness.js";
import { trainUntil } from "./phases.js";
import { differences } from "./same-run.js";

/** @typedef {import("./phases.js").Phase} Phase */

/** As often each is aimed at; of `start`, any time of the whole training. @type {readonly Phase[]} */
const AIMS = [
  ...["start", "features", "checkpoint", "start", "validation", "best", "start", "step", "finishing", "start"],
  ...["checkpoint", "features", "start", "best", "validation", "start", "step", "start", "finishing", "start"],
].map((phase) => /** @type {Phase} */ (phase));
/** Kills of one training, before it is left to come to its end. */
const KILLS_EACH = 4;
/** Longest wait after a phase was told; a file takes about a millisecond. */
const LATER_MS = { start: 0, features: 40, step: 40, validation: 20, checkpoint: 1.5, best: 1.5, finishing: 400 };

const { values } = parseArgs({ options: { seed: { type: "string", default: "1" } } });
const stream = random("bench", "killed", values.seed);
const folder = await mkdtemp(join(tmpdir(), "aspectlens-bench-"));
const data = join(folder, "data");
const cli = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const made = spawnSync(process.execPath, [cli, "data", "synth", data, "--count", "48", "--size", "64"]);
if (made.status !== 0) throw new Error(String(made.stderr));

const whole = await begin("whole");
const { counts, ms } = await trainUntil(whole.config, whole);
/** Of a whole training, less where the machine has become faster. */
let wholeMs = ms;
console.log(`without a break: ${Math.round(ms / 1000)} s, ${JSON.stringify(Object.fromEntries(counts))}`);
const kills = [];
const left = [...AIMS];
for (let number = 1; left.length > 0; number++) {
  const run = await begin(`run-${number}`);
  /** @type {string[]} */
  const killedAt = [];
  for (const phase of left.slice(0, KILLS_EACH)) {
    const moment = momentOf(phase);
    const { isKilled, ms } = await trainUntil(run.config, { ...run, moment });
    if (!isKilled) {
      // It came to its end before; the phase is aimed at again with another run.
      wholeMs = Math.min(wholeMs, ms);
      break;
    }
    left.splice(left.indexOf(phase), 1);
    killedAt.push(`${phase} ${moment.count}, ${Math.round(10 * moment.waitMs) / 10} ms later`);
  }
  await trainUntil(run.config, run);
  const different = await differences(run.out, whole.out);
  console.log(`killed at ${killedAt.join("; ")}: ${different.length === 0 ? "the same" : different.join(", ")}`);
  if (killedAt.length > 0) kills.push({ killedAt, different });
}
await rm(folder, { recursive: true });
const count = kills.reduce((sum, { killedAt }) => sum + killedAt.length, 0);
const isSame = kills.every(({ different }) => different.length === 0);
const work = `a training of 48 images of 64 px in two stages, killed ${count} times and resumed`;
await writeResults("killed", [{ work, ours: { isSame, seed: Number(values.seed), kills }, peer: null, ratio: null }]);
if (!isSame) process.exitCode = 1;

/** A folder and a configuration for one run. @param {string} name */
async function begin(name) {
  const out = join(folder, name);
  const config = join(folder, `${name}.json`);
  const common = { dataset: data, out, batchSize: 4, accumulate: 2, cacheMegabytes: 0, trunk: { inputSize: 64 } };
  const stages = [
    { train: "heads", epochs: 2 },
    { train: "conv_dw_6", epochs: 3, movingAverage: 0.9 },
  ];
  await writeFile(config, JSON.stringify({ ...common, heads: { class: { dropout: 0.2 } }, stages }));
  return { out, config };
}

/** @param {Phase} phase @returns {import("./phases.js").Moment} */
function momentOf(phase) {
  if (phase === "start") return { phase, count: 1, waitMs: stream.uniform(0.05, 0.95) * wholeMs };
  return { phase, count: 1 + stream.integer(counts.get(phase) ?? 1), waitMs: stream.next() * LATER_MS[phase] };
}
