/**
 * Puts the trunk of a finished pre-training into the package: `weights/<name>/trunk.safetensors` (kernels in half
 * precision), its README with what it was measured to do, and SHA256SUMS. What is measured is the file that is shipped.
 *
 *     node examples/pretrain/ship.js runs/pretrain-v1-0.25 mobilenet-v1-0.25
 */

import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  createTrunk,
  decodeSafetensors,
  foldBatchNorm,
  readTrainedModel,
  readTrunkFile,
  TRUNK_FILE,
  writeTrainedModel,
  writeTrunkFile,
} from "aspectlens";
import { aspectlens, node } from "../support/command-line.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PROBE = join(ROOT, "examples/pretrain/probe.js");
const PROBE_SIZES = [96, 128, 160];
const MOST_BYTES = 2e6;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: "string", default: "data" }, before: { type: "string", multiple: true, default: [] } },
});
const [run, name] = positionals;
if (!run || !name) throw new Error("usage: ship.js RUN NAME [--data data] [--before EARLIER_RUN]...");
const trained = await readTrainedModel(join(run, "best"));
const { spec } = trained;
const state = join(run, "best", "state.safetensors");
const arrays = decodeSafetensors(await readFile(state), state);
const parameters = Object.fromEntries(Object.entries(arrays).filter(([key]) => key.startsWith("trunk/")));
const target = join(ROOT, "weights", name);
const folder = await mkdtemp(join(ROOT, "weights", ".ship-")); // renamed when all is measured
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, TRUNK_FILE);
const metadata = {
  trunk: spec.trunk,
  origin: "Aspectlens' own pre-training on Tiny ImageNet (examples/pretrain)",
  licence: "Apache-2.0; ImageNet's images, see README",
};
await writeTrunkFile(path, { parameters, metadata, isHalf: true });
const { size: bytes } = await stat(path);
if (bytes > MOST_BYTES) throw new Error(`${path}: ${bytes} bytes, may have ${MOST_BYTES}`);
// The run's classifier on the trunk as it is shipped.
const shipped = foldBatchNorm(createTrunk(spec.trunk), (await readTrunkFile(path)).weights);
const asShipped = join(folder, "run");
await writeTrainedModel(join(asShipped, "best"), { ...trained, parameters: { ...trained.parameters, ...shipped } });

const { heads } = evaluate("test");
const { heads: validation } = evaluate("validation");
const probes = PROBE_SIZES.map((size) => probe(path, size));
const epochs = await Promise.all([...options.before, run].map(epochsOf));
const measured = {
  run: epochs,
  testTop1: heads.class.accuracy,
  validationTop1: validation.class.accuracy,
  probes,
};
await writeFile(join(folder, "measured.json"), `${JSON.stringify(measured, null, 2)}\n`);
await writeFile(join(folder, "README.md"), readme());
const sums = await Promise.all(
  [TRUNK_FILE, "README.md", "measured.json"].map(async (file) => {
    const hash = createHash("sha256").update(await readFile(join(folder, file)));
    return `${hash.digest("hex")}  ${file}\n`;
  }),
);
await writeFile(join(folder, "SHA256SUMS"), sums.join(""));
await rm(asShipped, { recursive: true });
await rm(target, { recursive: true, force: true });
await chmod(folder, 0o755); // a temporary folder is its maker's alone
await rename(folder, target);
console.log(await readFile(join(target, "README.md"), "utf8"));

/** @param {"test" | "validation"} split */
function evaluate(split) {
  return JSON.parse(
    aspectlens("evaluate", asShipped, join(options.data, "tiny_imagenet_200"), "--split", split, "--json"),
  );
}

/**
 * @param {string} weights
 * @param {number} size
 */
function probe(weights, size) {
  const words = [weights, "--size", String(size), "--dataset", join(options.data, "pets"), "--json"];
  const { accuracy } = JSON.parse(node(PROBE, ...words)).rows[0];
  return { size, accuracy };
}

/** @param {string} folder */
async function epochsOf(folder) {
  const { trunk, teacher, batchSize, stages, heads, augment, seed } = JSON.parse(
    await readFile(join(folder, "config.json"), "utf8"),
  );
  const lines = (await readFile(join(folder, "metrics.jsonl"), "utf8")).trim().split("\n");
  const hours = lines.reduce((sum, line) => sum + JSON.parse(line).seconds / 3600, 0);
  return {
    ...{ inputSize: trunk.inputSize, epochs: lines.length, hours: Number(hours.toFixed(2)), batchSize, seed, augment },
    learningRate: stages[0].learningRate,
    movingAverage: stages[0].movingAverage,
    labelSmoothing: heads.class.labelSmoothing ?? 0,
    teacher: teacher ? { ...teacher, weights: teacher.weights.split("/").at(-1) } : null,
  };
}

function readme() {
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
  const { name: trunk, alpha, inputSize } = spec.trunk;
  const recipe = epochs.map(
    (part) =>
      `- ${part.epochs} epochs at ${part.inputSize} px, ${part.hours} hours on two cores: batches of ${part.batchSize}, Adam from ${part.learningRate} on a cosine, batch normalisation in training mode, moving average of weights (${part.movingAverage}), label smoothing ${part.labelSmoothing}, crops (${part.augment.crop}), flips, colour (${part.augment.colour})${part.teacher ? `; teacher ${part.teacher.weights}, weight ${part.teacher.weight}: its last features are foretold at every place of the same view` : ""}.`,
  );
  return `# ${name}

${trunk} ${alpha}, trained at ${inputSize} px by \`aspectlens train\` itself; no weights of others are in it. Kernels in half precision, batch
normalisation kept. Configuration: \`examples/pretrain/${name}*.json\`; this folder was written by \`examples/pretrain/ship.js\`, its numbers lie in
\`measured.json\`.

| measured with this file | |
|---|---|
| linear probe on pets3, 298 test photographs | ${probes.map((p) => `${percent(p.accuracy)} at ${p.size} px`).join(", ")} |
| Tiny ImageNet, its 10,000 validation images, top-1 (with the run's own classifier) | ${percent(measured.testTop1)} |
| 2,000 held-out training images, top-1 (chosen by these) | ${percent(measured.validationTop1)} |

Data: Tiny ImageNet (98,000 of its training images of 64 px, enlarged). Recipe, in order:

${recipe.join("\n")}

Licence: Apache-2.0 for the numbers, with the note on ImageNet's terms in [../README.md](../README.md).
`;
}
