/** A finished classifier from another tool as a run: `evaluate` and `export` take it, and heads can be added to it. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type { Sample, Task } from "../core/annotation.js";
import { centerCropFor } from "../core/center-crop.js";
import { ConfigError } from "../core/errors.js";
import { exists, makeFolder, writeJson } from "../core/files.js";
import type { NdArrays } from "../core/nd-array.js";
import { random } from "../core/random.js";
import { type Size, sidesOf, sizeFrom } from "../core/size.js";
import { decodeImage } from "../dataset/open-image.js";
import type { Engine } from "../engine/engine.js";
import { computeReferences } from "../explain/calibration/references.js";
import { createModel } from "../model/model.js";
import type { ModelSpec } from "../model/model-spec.js";
import { type TrainedModel, writeTrainedModel } from "../model/trained-model.js";
import { inRunFolder, isRunFolder, markRunFolder } from "../train/run-folder.js";
import { layerOfParameter } from "../trunk/layer-parameters.js";
import { type ImportedTable, importedTable, type OutputScale } from "../trunk/networks/import-table.js";
import type { PixelScaling } from "../trunk/networks/network-table.js";
import { readNetwork } from "../trunk/networks/read-network.js";
import type { ReadNetwork } from "../trunk/networks/read-nodes.js";
import { type Comparison, compareWithOriginal } from "./compare-with-original.js";

/** How `importNetwork` reads a network, and where it writes. */
export interface ImportNetworkOptions {
  /** The run folder to write; none of another run is overwritten. */
  readonly out: string;
  readonly engine: Engine;
  readonly scaling: PixelScaling;
  /** It sees this share of the largest middle of its shape, mostly a square, that images have; absent, all of them, stretched. */
  readonly centerCrop?: number;
  /** Names in the order of the outputs; `class 0` and so on where absent. */
  readonly classes?: readonly string[];
  /** Where the file leaves the image's size open. */
  readonly inputSize?: Size;
  readonly source?: string;
  /** What its outputs are, where it does not end in a softmax or sigmoid that tells; logits by default. */
  readonly outputs?: OutputScale;
  readonly signal?: AbortSignal;
  /** Images that are typical of what it will see: their mean features are the reference. */
  readonly images?: readonly string[];
  /**
   * An `.npz` to compare with: `images` `[N, height, width, 3]`, RGB 0..255, and the `outputs` that the original has for them, `[N,
   * classes]`, or maps as the file has them.
   */
  readonly check?: string;
}

/** What `importNetwork` made, and how far it is from the original. */
export interface ImportedNetwork extends Comparison {
  readonly trained: TrainedModel;
  /** What stood behind the logits, and is left out. */
  readonly ending: "softmax" | "log-softmax" | "sigmoid" | "none";
}

const MOST_IMAGES = 200;

/**
 * Reads the network, proves that it computes here what its own runtime computes of the file, and writes `best/`.
 *
 * @param file or the folder of a `model.json`.
 * @throws WeightsError where it cannot be read, or computes something else; ConfigError where the folder is taken, or
 *   there are not as many names as classes.
 */
export async function importNetwork(file: string, options: ImportNetworkOptions): Promise<ImportedNetwork> {
  const { out, engine, scaling, centerCrop, inputSize, source } = options;
  if ((await isRunFolder(out)) && (await exists(join(out, "best", "model.json")))) throw taken(out);
  const network = await readNetwork(file, { inputSize });
  const { path } = network;
  const imported = importedTable(network, { path, scaling, centerCrop, source, outputs: options.outputs });
  const spec = specOf(path, { network, imported, classes: options.classes });
  const model = createModel(spec);
  const parameters = parametersOf(network, imported);
  const images = await imagesOf(options.images ?? [], { size: spec.trunk.inputSize, centerCrop });
  options.signal?.throwIfAborted();
  const compared = await compareWithOriginal(network, {
    model,
    parameters,
    engine,
    images,
    imported,
    scaling,
    ...{ check: options.check, outputs: options.outputs },
  });
  options.signal?.throwIfAborted();
  const samples = images.map((image, index): Sample => ({ path: String(index), image, target: {}, aspects: {} }));
  const references = await computeReferences(model, { engine, parameters, samples: [samples] });
  const hash = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  const isDrawn = options.images === undefined || options.images.length === 0;
  const trained: TrainedModel = {
    ...{ spec, parameters, references, scales: {}, absences: {} },
    provenance: {
      dataset: { name: "not known: the network was imported", hash, counts: {} },
      ...{ seed: 0, epochs: 0, weights: basename(path), metrics: {} },
      warnings: isDrawn ? [NO_IMAGES] : [],
    },
  };
  options.signal?.throwIfAborted();
  await inRunFolder(out, async () => {
    // Another import may have come first. From here on the folder is a run's, so that one that is killed can be removed.
    if (await exists(join(out, "best", "model.json"))) throw taken(out);
    await markRunFolder(out);
    await makeFolder(join(out, "best"));
    await writeJson(join(out, "config.json"), {
      ...{ imported: basename(path), source: spec.source, scaling },
      ...(centerCrop !== undefined && { centerCrop }),
    });
    await writeTrainedModel(join(out, "best"), trained);
  });
  return { trained, ending: imported.ending, ...compared };
}

function taken(out: string): ConfigError {
  return new ConfigError(`${out}: holds a run already.`, { cure: "Choose another --out.", file: out });
}

const NO_IMAGES =
  "the references are of drawn images: explanations fade towards noise. Import with --images, or add heads.";

function specOf(
  path: string,
  { network, imported, classes }: { network: ReadNetwork; imported: ImportedTable; classes?: readonly string[] },
): ModelSpec {
  const { table, classCount, ending } = imported;
  if (classes && classes.length !== classCount)
    throw new ConfigError(`--classes: has ${classes.length} names, ${path} has ${classCount} outputs.`, {
      cure: "Give one name a line, in the order of the outputs.",
    });
  const names = classes ?? Array.from({ length: classCount }, (_, index) => `class ${index}`);
  const task: Task = ending === "sigmoid" || classCount === 1 ? "multi" : "single";
  return {
    trunk: {
      name: basename(path, extname(path)).replace(/[^\w.-]/g, "_"),
      ...{ alpha: 1, inputSize: sizeFrom(...network.size), network: table },
    },
    source: table.source,
    heads: [{ name: "class", kind: "classifier", isImported: true, taps: [table.output], task, classes: names }],
  };
}

/** Of the rows that the answer needs. */
function parametersOf({ parameters }: ReadNetwork, { table }: ImportedTable): NdArrays {
  const kept = new Set(table.operations.map(({ name }) => name));
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => kept.has(layerOfParameter(name))));
}

/** `[height, width, 3]` each: those given, else noise that is smooth at several scales. */
async function imagesOf(
  paths: readonly string[],
  { size, centerCrop }: { readonly size: Size; readonly centerCrop?: number },
): Promise<Uint8Array[]> {
  const crop = centerCrop === undefined ? undefined : centerCropFor(size, centerCrop);
  const images: Uint8Array[] = [];
  for (const path of paths.slice(0, MOST_IMAGES))
    images.push((await decodeImage(path, { size, centerCrop: crop })).pixels);
  return images.length > 0 ? images : [drawnImage(size, 1), drawnImage(size, 2)];
}

/** Grey and coloured patches of many sizes, so that every layer has something to see. */
function drawnImage(size: Size, seed: number): Uint8Array {
  const { height, width } = sidesOf(size);
  const source = random(seed, "import");
  const pixels = new Float32Array(height * width * 3).fill(128);
  for (let side = Math.max(height, width); side >= 4; side = Math.floor(side / 2)) {
    const [rows, columns] = [Math.ceil(height / side), Math.ceil(width / side)];
    const shifts = Float32Array.from({ length: rows * columns * 3 }, () => source.uniform(-40, 40));
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < 3; c++)
          pixels[3 * (y * width + x) + c] += shifts[3 * (Math.floor(y / side) * columns + Math.floor(x / side)) + c];
  }
  return Uint8Array.from(pixels, (value) => Math.max(0, Math.min(255, Math.round(value))));
}
