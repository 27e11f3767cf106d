/** `aspectlens map`: a classifier is explained by the aspects of another network, through a mapping between both. */

import { basename, extname, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { loadImage } from "../../bundle/image-source.js";
import type { Sample } from "../../core/annotation.js";
import { ConfigError, InterruptedError } from "../../core/errors.js";
import { exists, isFolder, makeFolder, writeJson } from "../../core/files.js";
import { MAPPING_KINDS, type MappingKind } from "../../core/mapping-kind.js";
import { scaleIn, scaleText } from "../../core/relevance-scale.js";
import { formatTable } from "../../core/text-table.js";
import { batches } from "../../dataset/batches.js";
import { openDataset, splitSize } from "../../dataset/dataset.js";
import { selectEngine } from "../../engine/select-engine.js";
import { DEFAULT_SALIENCY } from "../../explain/methods.js";
import { writeTrainedModel } from "../../model/trained-model.js";
import { inRunFolder, isRunFolder, markRunFolder } from "../../train/run-folder.js";
import { type ImageSizes, mapNetworks, type TriedPair } from "../../workflows/map-networks.js";
import { readModel } from "../../workflows/read-model.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { findImages } from "../find-images.js";
import { printJson, printLine } from "../output.js";
import { progressBar } from "../progress.js";
import { quoted } from "../quoted-path.js";
import { type CommonOptions, runCommand } from "../run-command.js";

interface MapCommand extends CommonOptions, EngineOptions {
  readonly out: string;
  readonly from?: string;
  readonly to?: string;
  readonly model: MappingKind;
  readonly name?: string;
  readonly aspects?: readonly string[];
  readonly images: number;
}

const BATCH = 8;
const DEFAULT_IMAGES = 1000;

export function addMap(program: Command): void {
  engineOptions(program.command("map"))
    .description(
      "explain a classifier by the aspects of another network, through a mapping that is learned from images",
    )
    .argument("<classifier>", "run folder or bundle whose classifier is explained; its own aspects stay")
    .argument("<aspects>", "run folder or bundle whose aspect heads are added, with their network")
    .argument(
      "<images...>",
      "images, folders or patterns, or one dataset; labels are not needed, 200 to 2,000 are usual",
    )
    .requiredOption("--out <run>", "run folder to write")
    .option("--from <layer>", "layer of the classifier where the mapping starts; by default chosen by measuring")
    .option("--to <layer>", "layer of the aspects' network where it ends; by default chosen by measuring")
    .addOption(
      new Option(
        "--model <kind>",
        "linear: a 1x1 convolution; unet: with a small U-Net beside it, where that predicts more; image: nothing is " +
          "learned, the masked image goes into the other network",
      )
        .choices(MAPPING_KINDS)
        .default("linear"),
    )
    .option("--aspects <names...>", "aspects that are added; all by default")
    .option("--name <name>", "how the network is called in the model; by default as the aspects' run")
    .addOption(new Option("--images <count>", "most images that are used").argParser(countOf).default(DEFAULT_IMAGES))
    .option("--json", "print one JSON object")
    .option("--debug", "print the stack of an error")
    .addHelpText(
      "after",
      `
Examples:
  aspectlens map runs/classifier runs/cells photos --out runs/explained
  aspectlens map runs/classifier cells.aspect data/ward --out runs/explained --from layer3.1
  aspectlens export runs/explained explained.aspect`,
    )
    .action((classifier: string, aspects: string, images: string[], options: MapCommand) =>
      runCommand(options, (signal) => runMap({ classifier, aspects, images }, options, signal)),
    );
}

/** @throws ConfigError where it is no count of images. */
function countOf(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 20 && count <= 100_000) return count;
  throw new ConfigError(`--images ${text}: expected a whole number from 20 to 100000.`, { cure: "For example 1000." });
}

async function runMap(
  paths: { readonly classifier: string; readonly aspects: string; readonly images: readonly string[] },
  { out, model: kind, images: limit, json, from, to, aspects: chosen, ...options }: MapCommand,
  signal: AbortSignal,
): Promise<void> {
  if (await isTaken(out)) throw taken(out);
  const [classifier, aspects] = [await readModel(paths.classifier), await readModel(paths.aspects)];
  const name = networkName(options.name ?? basename(resolve(paths.aspects), extname(paths.aspects)));
  const source = await openImages(paths.images, { limit, signal });
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const bar = progressBar("mapping");
  let phases = 0;
  try {
    const {
      trained,
      kind: found,
      tried,
      warnings,
    } = await mapNetworks(classifier, aspects, {
      ...{ engine, name, kind, from, to, aspects: chosen, ...source },
      onPhase: (phase) => {
        if (signal.aborted) throw new InterruptedError("interrupted; nothing was written.");
        bar.update(phases++ / PHASES, phase);
        bar.say(`mapping: ${phase}`);
      },
    });
    await inRunFolder(out, async () => {
      if (await isTaken(out)) throw taken(out);
      await markRunFolder(out);
      await makeFolder(join(out, "best"));
      const network = { name, kind: found, pairs: tried };
      await writeJson(join(out, "config.json"), { mapped: basename(paths.classifier), network: name });
      await writeJson(join(out, "mapping.json"), { format: "aspectlens-mapping/1", ...network });
      await writeTrainedModel(join(out, "best"), trained);
    });
    bar.clear();
    if (json) {
      printJson({ run: out, network: name, kind: found, pairs: tried, warnings });
      return;
    }
    for (const line of formatTable(pairTable(tried), { numbers: "left" })) printLine(line);
    printLine(`relevance: ${scaleText(scaleIn(trained.scales, DEFAULT_SALIENCY, "class"))}`);
    for (const warning of warnings) printLine(`warning: ${warning}`);
    printLine(`next: aspectlens export ${quoted(out)} model.aspect`);
  } finally {
    bar.clear();
    await engine.dispose();
  }
}

/** Of `mapNetworks`. */
const PHASES = 6;

async function isTaken(out: string): Promise<boolean> {
  return (await isRunFolder(out)) && (await exists(join(out, "best", "model.json")));
}

function taken(out: string): ConfigError {
  return new ConfigError(`${out}: holds a run already.`, { cure: "Choose another --out.", file: out });
}

/** @throws ConfigError where graphs cannot call it so. */
function networkName(text: string): string {
  const name = text.replace(/[^\w.-]/g, "_").slice(0, 60);
  if (name !== "") return name;
  throw new ConfigError("--name: is empty.", { cure: "Give it a name of letters, digits, dots and dashes." });
}

/** Of a dataset the training images, with the causes of its validation images; of anything else all images, as they are. */
async function openImages(
  words: readonly string[],
  { limit, signal }: { limit: number; signal: AbortSignal },
): Promise<Pick<Parameters<typeof mapNetworks>[2], "images" | "labelled">> {
  const [only] = words;
  if (words.length === 1 && (await isFolder(only)) && (await exists(join(only, "dataset.json")))) {
    const dataset = await openDataset(only);
    const causes = dataset.manifest.causes ?? {};
    const split = splitSize(dataset, "train") > 0 ? "train" : "validation";
    return {
      images: async function* (sizes) {
        let count = 0;
        for await (const batch of batches(dataset, { split, batchSize: BATCH, ...sizes, seed: 1, shuffle: true })) {
          if (signal.aborted) throw new InterruptedError("interrupted; nothing was written.");
          yield batch.slice(0, limit - count);
          count += batch.length;
          if (count >= limit) return;
        }
      },
      ...(splitSize(dataset, "validation") > 0 && {
        labelled: (sizes: ImageSizes) => ({
          causes,
          samples: () => batches(dataset, { split: "validation", batchSize: BATCH, ...sizes, seed: 1, shuffle: true }),
        }),
      }),
    };
  }
  const { images, failures } = await findImages(words);
  for (const failure of failures) throw failure;
  const step = Math.max(1, images.length / limit);
  const some = Array.from({ length: Math.min(limit, images.length) }, (_, index) => images[Math.floor(index * step)]);
  return {
    images: async function* ({ inputSize: size, otherSizes }) {
      for (let start = 0; start < some.length; start += BATCH) {
        if (signal.aborted) throw new InterruptedError("interrupted; nothing was written.");
        const batch: Sample[] = [];
        for (const path of some.slice(start, start + BATCH)) {
          const { pixels, otherSizes: others } = await loadImage(path, { size, otherSizes });
          batch.push({ path, image: pixels, otherSizes: others, target: {}, aspects: {} });
        }
        yield batch;
      }
    },
  };
}

/** The model's pair first. */
function pairTable(tried: readonly TriedPair[]): string[][] {
  const names = Object.keys(tried[0]?.agreement ?? {});
  const number = (value: number | null | undefined) => (value == null ? "\u2013" : value.toFixed(3));
  return [
    ["from", "to", "similarity", "R2", ...names, ""],
    ...tried.map(({ from, to, similarity, r2, agreement }, index) => [
      ...[from, to, number(similarity), number(r2)],
      ...names.map((name) => number(agreement[name])),
      index === 0 ? "chosen" : "",
    ]),
  ];
}
