/**
 * Where a training step's time goes, by operator: `npm run build && node bench/profile.js`. ONNX Runtime's profile of
 * the graph, without worker and state store; the sum is slightly more than the step's time.
 */

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { defaultThreads, InferenceSession } from "./internals.js";
import { stepGraph } from "./training.js";

const WARM_UPS = 4;

const { values: options } = parseArgs({
  options: {
    alpha: { type: "string", default: "1" },
    size: { type: "string", default: "224" },
    batch: { type: "string", default: "8" },
    trunk: { type: "string", default: "mobilenet-v1" },
    norm: { type: "string", default: "folded" },
    portable: { type: "boolean", default: false },
    nodes: { type: "string", default: "0" },
    runs: { type: "string", default: "8" },
  },
});

const { model, feeds } = await stepGraph(
  {
    // What else is given fails there.
    trunk: /** @type {"mobilenet-v1"} */ (options.trunk),
    alpha: Number(options.alpha),
    inputSize: Number(options.size),
    batchSize: Number(options.batch),
    batchNorm: /** @type {"folded"} */ (options.norm),
  },
  { isPortable: options.portable },
);

const folder = await mkdtemp(join(tmpdir(), "aspectlens-profile-"));
const session = await InferenceSession.create(model, {
  intraOpNumThreads: defaultThreads(),
  enableProfiling: true,
  profileFilePrefix: join(folder, "step"),
});
const runs = WARM_UPS + Number(options.runs);
for (let run = 0; run < runs; run++) await session.run(feeds);
session.endProfiling();
await session.release();

/** @type {{ cat: string, name: string, dur: number, args?: Record<string, unknown> }[]} */
const events = JSON.parse(await readFile(join(folder, (await readdir(folder))[0]), "utf8"));
await rm(folder, { recursive: true });
const kernels = events.filter((event) => event.cat === "Node" && event.name.endsWith("_kernel_time"));
// The first runs touch memory for the first time.
const warm = kernels.slice(WARM_UPS * Math.floor(kernels.length / runs));
report((event) => String(event.args?.op_name), 30);
if (Number(options.nodes) > 0) {
  report((event) => {
    const sizes = JSON.stringify(event.args?.input_type_shape).replaceAll(/"float":|[{}"]/g, "");
    return `${event.args?.op_name} ${event.name.replace("_kernel_time", "")} ${sizes.slice(0, 110)}`;
  }, Number(options.nodes));
}

/**
 * @param {(event: typeof warm[number]) => string} keyOf
 * @param {number} count
 */
function report(keyOf, count) {
  /** @type {Map<string, { micros: number, count: number }>} */
  const sums = new Map();
  for (const event of warm) {
    const sum = sums.get(keyOf(event)) ?? { micros: 0, count: 0 };
    sums.set(keyOf(event), { micros: sum.micros + event.dur, count: sum.count + 1 });
  }
  const perRun = (/** @type {number} */ total) => total / (runs - WARM_UPS);
  const total = [...sums.values()].reduce((all, one) => all + one.micros, 0);
  console.log(`\n${"total".padEnd(24)} ${(perRun(total) / 1000).toFixed(2).padStart(9)} ms`);
  for (const [key, sum] of [...sums].sort((a, b) => b[1].micros - a[1].micros).slice(0, count)) {
    const share = `${((100 * sum.micros) / total).toFixed(1)} %`;
    console.log(
      `${key.padEnd(24)} ${(perRun(sum.micros) / 1000).toFixed(2).padStart(9)} ms ${share.padStart(7)}  x ${perRun(sum.count)}`,
    );
  }
}
