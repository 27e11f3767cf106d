/** `aspectlens map`: a classifier is explained by the aspects of another network, through a mapping between both. */

import { basename, extname, join, resolve } from "node:path";
import { type Command, Option } from "commander";
import { loadImage } from "../../bundle/image-source.js";
import type { Sample } from "../../core/annotation.js";
import { ConfigError, InputError } from "../../core/errors.js";
import { exists, isFolder } from "../../core/files.js";
import { MAPPING_KINDS, type MappingKind } from "../../core/mapping-kind.js";
import { scaleIn, scaleText } from "../../core/relevance-scale.js";
import { formatTable } from "../../core/text-table.js";
import { batches } from "../../dataset/batches.js";
import { type Dataset, openDataset, splitSize } from "../../dataset/dataset.js";
import { findImages } from "../../dataset/find-images.js";
import { selectEngine } from "../../engine/select-engine.js";
import { DEFAULT_SALIENCY } from "../../explain/methods.js";
import type { ModelSpec } from "../../model/model-spec.js";
import { mappingSheet } from "../../pictures/mapping-sheet.js";
import {
  type ImageSizes,
  mapNetworks,
  OUTPUT_KINDS,
  type OutputKind,
  type TriedPair,
} from "../../workflows/map-networks.js";
import { checkMappedRun, writeMappedRun } from "../../workflows/mapped-run.js";
import { checkFit } from "../../workflows/open-split.js";
import { readModel } from "../../workflows/read-model.js";
import { type EngineOptions, engineOptions, showNotice } from "../engine-options.js";
import { printJson, printLine, printNote } from "../output.js";
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
  readonly as?: OutputKind;
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
    .addOption(
      new Option(
        "--as <kind>",
        "what the outputs of an imported network are as aspects; by default segmentation where they are maps, else presence",
      ).choices(OUTPUT_KINDS),
    )
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
  { out, model: kind, images: limit, json, from, to, aspects: chosen, as, ...options }: MapCommand,
  signal: AbortSignal,
): Promise<void> {
  await checkMappedRun(out);
  const [classifier, aspects] = [await readModel(paths.classifier), await readModel(paths.aspects)];
  const name = networkName(options.name, paths.aspects);
  const source = await openImages(paths.images, { limit, signal, spec: classifier.spec });
  const engine = await selectEngine({ ...options, onNotice: showNotice });
  const bar = progressBar("mapping");
  let phases = 0;
  try {
    const mapped = await mapNetworks(classifier, aspects, {
      ...{ engine, name, kind, from, to, aspects: chosen, as, signal, ...source },
      onPhase: (phase) => {
        bar.update(phases++ / PHASES, phase);
        bar.say(`mapping: ${phase}`);
      },
      onProgress: (share, what) => bar.update((PHASES - 1 + share) / PHASES, `scale of relevance: ${what}`),
    });
    const { classifier: first, aspects: second } = paths;
    const request = {
      ...{ classifier: basename(resolve(first)), aspects: basename(resolve(second)), network: name },
      ...{ model: kind, from, to, names: chosen, images: limit },
    };
    const rows = mapped.examples.map(({ sample, answers }) => ({ image: sample.image, answers }));
    const { inputSize: size } = mapped.trained.spec.trunk;
    const picture = rows.length > 0 ? await mappingSheet(rows, { size }) : undefined;
    await writeMappedRun(out, mapped, request, { picture });
    bar.clear();
    const { trained, kind: found, tried, warnings } = mapped;
    if (json) {
      printJson({ run: out, network: name, kind: found, pairs: tried, warnings });
      return;
    }
    if (kind !== "image") for (const line of formatTable(pairTable(tried), { numbers: "left" })) printLine(line);
    printLine(`network ${name}; relevance: ${scaleText(scaleIn(trained.scales, DEFAULT_SALIENCY, "class"))}`);
    for (const warning of warnings) printLine(`warning: ${warning}`);
    if (picture) printLine(`what the heads see on their own and on mapped features: ${join(out, "mapping.jpg")}`);
    printLine(`next: aspectlens export ${quoted(out)} model.aspect`);
  } finally {
    bar.clear();
    await engine.dispose();
  }
}

/** Of `mapNetworks`. */
const PHASES = 6;

/** @throws ConfigError where graphs cannot call it so. */
function networkName(given: string | undefined, path: string): string {
  const name =
    given ??
    basename(resolve(path), extname(path))
      .replace(/[^\w.-]/g, "_")
      .slice(0, 60);
  if (/^[\w.-]{1,60}$/.test(name)) return name;
  throw new ConfigError(`--name "${name}": is no name for a network.`, {
    cure: "Give it 1 to 60 letters of a to z, digits, dots and dashes.",
  });
}

/**
 * Of a dataset the training images, with the causes of its validation images where its classes are the model's; of
 * anything else all images, as they are.
 */
async function openImages(
  words: readonly string[],
  { limit, signal, spec }: { limit: number; signal: AbortSignal; spec: ModelSpec },
): Promise<Pick<Parameters<typeof mapNetworks>[2], "images" | "labelled">> {
  const [only] = words;
  if (words.length === 1 && (await isFolder(only)) && (await exists(join(only, "dataset.json")))) {
    const dataset = await openDataset(only);
    const causes = dataset.manifest.causes ?? {};
    const split = splitSize(dataset, "train") > 0 ? "train" : "validation";
    const isFitting = hasLabelsOf(spec, dataset);
    const unlabelled = (sample: Sample): Sample => ({ ...sample, target: {}, aspects: {}, causes: undefined });
    return {
      images: async function* (sizes) {
        let count = 0;
        for await (const batch of batches(dataset, { split, batchSize: BATCH, ...sizes, seed: 1, shuffle: true })) {
          signal.throwIfAborted();
          const some = batch.slice(0, limit - count);
          yield isFitting ? some : some.map(unlabelled);
          count += batch.length;
          if (count >= limit) return;
        }
      },
      ...(isFitting && {
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
    images: async function* ({ inputSize: size, otherSizes, centerCrop }) {
      for (let start = 0; start < some.length; start += BATCH) {
        signal.throwIfAborted();
        const batch: Sample[] = [];
        for (const path of some.slice(start, start + BATCH)) {
          try {
            const { pixels, otherSizes: others } = await loadImage(path, { size, otherSizes, centerCrop });
            batch.push({ path, image: pixels, otherSizes: others, target: {}, aspects: {} });
          } catch (error) {
            if (!(error instanceof InputError)) throw error;
            printNote(`aspectlens: skipped: ${error.message}`);
          }
        }
        yield batch;
      }
    },
  };
}

/** Whether its validation images say something to this classifier; a note where they are of other classes. */
function hasLabelsOf(spec: ModelSpec, dataset: Dataset): boolean {
  if (splitSize(dataset, "validation") === 0) return false;
  try {
    const [classifier] = spec.heads.filter((head) => head.kind === "classifier");
    checkFit(classifier, dataset, "validation");
    return true;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    printNote(`aspectlens: note: its images are used, its labels are not: ${error.what}`);
    return false;
  }
}

/** The model's pair first. */
function pairTable(tried: readonly TriedPair[]): string[][] {
  const names = Object.keys(tried[0]?.agreement ?? {});
  const number = (value: number | null | undefined) => (value == null ? "\u2013" : value.toFixed(3));
  return [
    ["from", "to", "similarity", "R2", ...names, ""],
    ...tried.map(({ from, to, similarity, r2, agreement }, index) => [
      ...[from, to, number(similarity), number(r2)],
      ...names.map((name) => number(agreement?.[name])),
      index === 0 ? "chosen" : "",
    ]),
  ];
}
