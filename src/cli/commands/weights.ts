/** `aspectlens weights`: lists, pulls and imports pre-trained weights. */

import type { Command } from "commander";
import { WeightsError } from "../../core/errors.js";
import { sizeOf } from "../../core/nd-array.js";
import { sideOf } from "../../core/size.js";
import { formatTable } from "../../core/text-table.js";
import { architectureOf } from "../../trunk/architecture-of.js";
import { layerParameters } from "../../trunk/layer-parameters.js";
import type { TrunkSpec } from "../../trunk/trunk-spec.js";
import { CATALOGUE, catalogued } from "../../weights/catalogue.js";
import type { Imported } from "../../weights/import-weights.js";
import { listStored, readStored, storeFolder } from "../../weights/store.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface PullCommandOptions extends CommonOptions {
  readonly lock: string;
  readonly mirror?: string;
}

interface ImportCommandOptions extends CommonOptions {
  readonly name?: string;
  readonly licence?: string;
  readonly tensors?: boolean;
  readonly replace?: boolean;
}

const MEGA = 1e6;
const LOCK_FILE = "aspectlens-weights.lock.json";

export function addWeights(program: Command): void {
  const weights = program.command("weights").description("list, pull or import pre-trained weights of trunks");
  common(weights.command("list"))
    .description("list weights that are built in, stored on this machine, or can be pulled")
    .addHelpText("after", "\nExample:\n  aspectlens weights list")
    .action((options: CommonOptions) => runCommand(options, () => runList(options)));
  common(weights.command("pull"))
    .description("download weights, check them, and store them on this machine")
    .argument("<names...>", "names, as `aspectlens weights list` shows them")
    .option("--lock <file>", "lock file with the checksums of pulled weights; commit it with your project", LOCK_FILE)
    .option("--mirror <base>", "download from BASE/host/path instead of https://host/path; also file:///folder")
    .addHelpText(
      "after",
      `
Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY. Weights are stored in the folder $ASPECTLENS_WEIGHTS, by
default in the user's cache.

Examples:
  aspectlens weights pull keras-mobilenet-v2-1.0-224
  aspectlens weights pull keras-vgg16 --mirror https://mirror.example/weights`,
    )
    .action((names: readonly string[], options: PullCommandOptions) =>
      runCommand(options, (signal) => runPull(names, options, signal)),
    );
  common(weights.command("import"))
    .description(
      "import weights of a trunk from a file: TensorFlow.js model.json, Keras .h5, torchvision .onnx; " +
        "for a finished classifier, whole: aspectlens import",
    )
    .argument("<file>", "the file, or the folder that has a model.json")
    .option("--name <name>", "name for use in a configuration; by default the name of the file")
    .option("--licence <text>", "licence, stored with the weights and shown by list")
    .option("--replace", "replace stored weights of the same name")
    .option("--tensors", "print the norm of every tensor")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens weights import mobilenet_v2_weights.h5 --name my-mobilenet
  aspectlens train config.json --set trunk.weights=my-mobilenet`,
    )
    .action((file: string, options: ImportCommandOptions) => runCommand(options, () => runImport(file, options)));
}

function common(command: Command): Command {
  return command.option("--json", "print one JSON object").option("--debug", "print the stack of an error");
}

async function runList({ json }: CommonOptions): Promise<void> {
  const broken: { name: string; error: string }[] = [];
  const rows = (await listStored()).map(async (entry) => {
    try {
      const { trunk, licence, origin, bytes } = await readStored(entry);
      return [{ ...entry, ...trunkFacts(trunk), bytes, licence, origin }];
    } catch (error) {
      if (!(error instanceof WeightsError)) throw error;
      broken.push({ name: entry.name, error: error.message });
      return [];
    }
  });
  const stored = (await Promise.all(rows)).flat();
  const remote = CATALOGUE.map(({ name, trunk, address, licence }) => {
    return { name, ...trunkFacts(trunk), bytes: 4 * parameterCount(trunk), licence, address };
  });
  if (json) {
    printJson({ here: stored, broken, canBePulled: remote, folder: storeFolder() });
    return;
  }
  const header = ["name", "trunk", "px", "MB", "input", "licence"];
  const row = (facts: Omit<(typeof remote)[number], "address" | "inputSize"> & { inputSize: number | string }) => [
    facts.name,
    `${facts.trunk} ${facts.alpha}`,
    String(facts.inputSize),
    (facts.bytes / MEGA).toFixed(1),
    facts.input,
    facts.licence,
  ];
  printLine(`on this machine (${storeFolder()}):`);
  for (const line of formatTable([header, ...stored.map(row)])) printLine(`  ${line}`);
  for (const { name, error } of broken) printLine(`  ${name} cannot be read: ${error}`);
  printLine();
  printLine("can be pulled (aspectlens weights pull NAME, with one of the sizes in braces):");
  for (const line of formatTable([header, ...bySize(remote).map(row)])) printLine(`  ${line}`);
}

/** Entries that differ only in the input size become one, with all sizes in braces. */
function bySize<Entry extends { readonly name: string; readonly inputSize: number }>(entries: readonly Entry[]) {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) {
    const stem = entry.name.replace(new RegExp(`-${entry.inputSize}$`), "");
    groups.set(stem, [...(groups.get(stem) ?? []), entry]);
  }
  return [...groups].map(([stem, members]) => {
    if (members.length === 1) return members[0];
    const sizes = members.map(({ inputSize }) => inputSize);
    return { ...members[0], name: `${stem}-{${sizes.join(",")}}`, inputSize: `${sizes[0]}..${sizes.at(-1)}` };
  });
}

async function runPull(names: readonly string[], options: PullCommandOptions, signal: AbortSignal): Promise<void> {
  const entries = names.map(catalogued);
  const [{ selectEngine }, { pullWeights }] = await Promise.all([
    import("../../engine/select-engine.js"),
    import("../../weights/pull.js"), // loads TensorFlow.js, which a list does not need
  ]);
  const engine = await selectEngine();
  const pulled: Imported[] = [];
  try {
    for (const entry of entries) {
      const bar = progressBar(entry.name);
      const imported = await pullWeights(entry, {
        ...{ engine, signal, lock: options.lock, mirror: options.mirror },
        onProgress: (file, done, all) =>
          bar.update(all ? done / all : 0, `${file}, ${(done / MEGA).toFixed(1)} MB${all ? "" : " so far"}`),
      }).finally(() => bar.clear());
      pulled.push(imported);
      if (!options.json) printImported(imported);
    }
  } finally {
    await engine.dispose();
  }
  if (options.json) printJson({ pulled, lock: options.lock });
  else printLine(`checksums are in ${options.lock}; commit it with your project`);
}

async function runImport(file: string, options: ImportCommandOptions): Promise<void> {
  const [{ selectEngine }, { importWeights }] = await Promise.all([
    import("../../engine/select-engine.js"),
    import("../../weights/import-weights.js"),
  ]);
  const engine = await selectEngine();
  try {
    const imported = await importWeights(file, { engine, ...options, isReplacing: options.replace });
    if (options.json) printJson(imported);
    else printImported(imported, options);
  } finally {
    await engine.dispose();
  }
}

function printImported(imported: Imported, { tensors: isLong = false }: { tensors?: boolean } = {}): void {
  const { name, path, trunk, lastLayer, hasBatchNorm, parameterCount, proof } = imported;
  const { tensors, forward, original, notCompared } = proof;
  const norms = tensors.filter((tensor) => tensor.name.endsWith("/kernel")).map((tensor) => tensor.norm);
  printLine(
    `${name}: ${trunk.name} ${trunk.alpha} up to ${lastLayer}, ` +
      `${(parameterCount / MEGA).toFixed(2)} million numbers, batch norm ${hasBatchNorm ? "kept" : "folded or none"}`,
  );
  printLine(
    `  ${tensors.length} tensors of the expected shapes; ` +
      `norms of the kernels ${Math.min(...norms).toPrecision(3)} to ${Math.max(...norms).toPrecision(3)}`,
  );
  printLine(
    `  check image: ${forward.layer} [${forward.shape.join(", ")}], mean ${forward.mean.toPrecision(3)}, ` +
      `deviation ${forward.deviation.toPrecision(3)}, ${Math.round(100 * forward.live)} % of the channels respond`,
  );
  printLine(
    original
      ? `  ${original.runtime} computes the same features from the original file: ` +
          `largest difference ${original.error.toExponential(1)} of the largest feature`
      : `  ${notCompared}`,
  );
  if (isLong) for (const line of formatTable(tensors.map(tensorRow))) printLine(`  ${line}`);
  printLine(`    stored in ${path}`);
  printLine(`  use it: "trunk": { "weights": "${name}" }`);
}

function tensorRow({ name, shape, norm }: Imported["proof"]["tensors"][number]): string[] {
  return [name, `[${shape.join(", ")}]`, norm.toPrecision(4)];
}

function trunkFacts(trunk: TrunkSpec) {
  const { name, alpha, inputSize } = trunk;
  return { trunk: name, alpha, inputSize: sideOf(inputSize), input: INPUT_RANGES[architectureOf(trunk).scaling] };
}

/** The range that the network scales pixels to; every network takes images as RGB 0..255. */
const INPUT_RANGES = { imagenet: "mean 0, deviation 1", caffe: "BGR, mean 0", unit: "-1..1" };

function parameterCount(trunk: TrunkSpec): number {
  const specs = layerParameters(architectureOf(trunk), { isFolded: false });
  return specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}
