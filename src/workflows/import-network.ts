/** A finished classifier from another tool as a run: `evaluate` and `export` take it, and heads can be added to it. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import type * as tf from "@tensorflow/tfjs";
import type { Sample, Task } from "../core/annotation.js";
import { ConfigError, WeightsError } from "../core/errors.js";
import { exists, makeFolder, writeJson } from "../core/files.js";
import { imageOutputs, type NdArray, type NdArrays, ndArray, withAxes } from "../core/nd-array.js";
import { random } from "../core/random.js";
import { decodeImage } from "../dataset/open-image.js";
import type { Engine } from "../engine/engine.js";
import { computeReferences } from "../explain/calibration/references.js";
import { createModel, type Model } from "../model/model.js";
import type { ModelSpec } from "../model/model-spec.js";
import { type TrainedModel, writeTrainedModel } from "../model/trained-model.js";
import { inRunFolder, isRunFolder, markRunFolder } from "../train/run-folder.js";
import { readNpz } from "../trunk/formats/npz-file.js";
import { layerOfParameter } from "../trunk/layer-parameters.js";
import { type ImportedTable, importedTable, type OutputScale } from "../trunk/networks/import-table.js";
import { answersByPlace, type PixelScaling } from "../trunk/networks/network-table.js";
import { type NetworkForm, readNetwork } from "../trunk/networks/read-network.js";
import type { ReadNetwork } from "../trunk/networks/read-nodes.js";
import type { NotCompared } from "../weights/original-network.js";
import { runOnnx } from "../weights/original-network-onnx.js";
import { runKerasModel, runLayersModel } from "../weights/original-network-tfjs.js";

/** How `importNetwork` reads a network, and where it writes. */
export interface ImportNetworkOptions {
  /** The run folder to write; none of another run is overwritten. */
  readonly out: string;
  readonly engine: Engine;
  readonly scaling: PixelScaling;
  /** It sees the middle square of images, whose side is this share of the shorter one; absent, all of them, stretched. */
  readonly centerCrop?: number;
  /** Names in the order of the outputs; `class 0` and so on where absent. */
  readonly classes?: readonly string[];
  /** Where the file leaves the image's size open. */
  readonly inputSize?: number;
  readonly source?: string;
  /** What its outputs are, where it does not end in a softmax or sigmoid that tells; logits by default. */
  readonly outputs?: OutputScale;
  readonly signal?: AbortSignal;
  /** Images that are typical of what it will see: their mean features are the reference. */
  readonly images?: readonly string[];
  /**
   * An `.npz` to compare with: `images` `[N, S, S, 3]`, RGB 0..255, and the `outputs` `[N, classes]` that the original has
   * for them.
   */
  readonly check?: string;
}

/** What `importNetwork` made, and how far it is from the original. */
export interface ImportedNetwork {
  readonly trained: TrainedModel;
  /** What stood behind the logits, and is left out. */
  readonly ending: "softmax" | "log-softmax" | "sigmoid" | "none";
  /** Largest difference of an output from the original's, over the largest output; `null` where none was compared. */
  readonly error: number | null;
  /** What it was compared with: the file's own runtime, or the path of `check`. */
  readonly original: string;
  /** On so many images. */
  readonly comparedImages: number;
  /** Why there is no comparison. */
  readonly notCompared?: string;
}

/** float32 sums in different orders, through some hundred layers. */
const TOLERANCE = 1e-4;
/** Elsewhere they may have been computed on a GPU, with fewer digits. */
const CHECK_TOLERANCE = 1e-3;
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
  const compared = await compare(network, {
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
      ...{ alpha: 1, inputSize: network.size[0], network: table },
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

/** `[S, S, 3]` each: those given, else noise that is smooth at several scales. */
async function imagesOf(
  paths: readonly string[],
  { size, centerCrop }: { readonly size: number; readonly centerCrop?: number },
): Promise<Uint8Array[]> {
  const images: Uint8Array[] = [];
  for (const path of paths.slice(0, MOST_IMAGES)) images.push((await decodeImage(path, { size, centerCrop })).pixels);
  return images.length > 0 ? images : [drawnImage(size, 1), drawnImage(size, 2)];
}

/** Grey and coloured patches of many sizes, so that every layer has something to see. */
function drawnImage(size: number, seed: number): Uint8Array {
  const source = random(seed, "import");
  const pixels = new Float32Array(size * size * 3).fill(128);
  for (let side = size; side >= 4; side = Math.floor(side / 2)) {
    const cells = Math.ceil(size / side);
    const shifts = Float32Array.from({ length: cells * cells * 3 }, () => source.uniform(-40, 40));
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        for (let c = 0; c < 3; c++)
          pixels[3 * (y * size + x) + c] += shifts[3 * (Math.floor(y / side) * cells + Math.floor(x / side)) + c];
  }
  return Uint8Array.from(pixels, (value) => Math.max(0, Math.min(255, Math.round(value))));
}

/** Images that are compared with the file's own runtime: more say no more. */
const COMPARED = 4;

/** @throws WeightsError where an output differs from the original's. */
async function compare(
  { path, form }: { readonly path: string; readonly form: NetworkForm },
  given: {
    readonly model: Model;
    readonly parameters: NdArrays;
    readonly engine: Engine;
    readonly images: readonly Uint8Array[];
    readonly imported: ImportedTable;
    readonly scaling: PixelScaling;
    readonly check?: string;
    readonly outputs?: OutputScale;
  },
): Promise<Pick<ImportedNetwork, "error" | "original" | "comparedImages" | "notCompared">> {
  const { model, parameters, engine, images, imported, scaling, check, outputs } = given;
  const { inputSize } = model.spec.trunk;
  const shape = [1, inputSize, inputSize, 3];
  const original =
    check === undefined
      ? await ownOutputs({ path, form }, { images, imported, scaling, shape })
      : {
          ...(await checkedOutputs(check, { size: inputSize, classCount: imported.classCount })),
          name: check,
          tolerance: CHECK_TOLERANCE,
          ending: imported.ending,
        };
  if ("notCompared" in original)
    return { error: null, original: original.name, comparedImages: 0, notCompared: original.notCompared };
  const { answer } = imported.table;
  // The answer as the network has it, a map too.
  const compiled = await engine.compile(
    ({ inputs, constants }) => ({
      outputs: model.trunk.run(constants, { input: inputs.image as tf.Tensor4D }, [answer]),
    }),
    { name: "import", inputs: { image: shape }, constants: parameters },
  );
  let error = 0;
  try {
    for (const [index, image] of original.images.entries()) {
      const { [answer]: logits } = await compiled.run({ image });
      error = Math.max(error, difference(ended(logits, original.ending), original.outputs[index]));
    }
  } finally {
    await compiled.dispose();
  }
  const { name, tolerance } = original;
  if (error <= tolerance) return { error, original: name, comparedImages: original.images.length };
  const what =
    check === undefined ? `computes something else here than in ${name}` : `computes something else than ${name} says`;
  throw new WeightsError(`${path}: ${what}: its outputs differ by ${error.toExponential(1)} of the largest.`, {
    cure:
      check !== undefined
        ? "Is --scaling what it was trained with?"
        : outputs === "probabilities"
          ? "Do its outputs sum to 1, as probabilities of one answer do?"
          : "Please report it, with the file.",
    file: path,
  });
}

/** Outputs of the original for images, and how near they must come. */
interface Original {
  readonly name: string;
  /** `[1, S, S, 3]` each. */
  readonly images: readonly NdArray[];
  readonly outputs: readonly NdArray[];
  /** What of ours they are: the logits, or what the file makes of them. */
  readonly ending: ImportedTable["ending"];
  readonly tolerance: number;
}

/** By the file's own runtime. */
async function ownOutputs(
  { path, form }: { readonly path: string; readonly form: NetworkForm },
  {
    images,
    imported,
    scaling,
    shape,
  }: {
    readonly images: readonly Uint8Array[];
    readonly imported: ImportedTable;
    readonly scaling: PixelScaling;
    readonly shape: readonly number[];
  },
): Promise<Original | (NotCompared & Pick<Original, "name">)> {
  const name = form === "onnx" ? "ONNX Runtime" : "TensorFlow.js";
  const compared = images.slice(0, COMPARED).map((image) => ndArray(shape, Float32Array.from(image)));
  // The logits where they can be told: behind a softmax that is sure, wrong ones look right.
  const wantsLogits = imported.ending !== "none";
  const found = await { onnx: ofOnnx, tfjs: runLayersModel, keras: runKerasModel }[form](path, compared, {
    ...{ scaling, wantsLogits, imported },
  });
  if ("notCompared" in found) return { name, ...found };
  const { outputs, isLogits } = found;
  return { name, images: compared, outputs, ending: isLogits ? "none" : imported.ending, tolerance: TOLERANCE };
}

async function ofOnnx(
  path: string,
  images: readonly NdArray[],
  {
    scaling,
    wantsLogits,
    imported: { table, logits, order },
  }: { readonly scaling: PixelScaling; readonly wantsLogits: boolean; readonly imported: ImportedTable },
) {
  const tensor = wantsLogits ? logits : undefined;
  const outputs = await runOnnx(path, images, { scaling, ...(tensor !== undefined && { tensor }) });
  // A map lies in memory as the table says.
  const turned = answersByPlace(table) ? outputs.map((one) => withAxes(one, order)) : outputs;
  return { outputs: turned, isLogits: tensor !== undefined };
}

/** What somebody computed elsewhere. @throws WeightsError where the arrays do not fit the network. */
async function checkedOutputs(
  path: string,
  { size, classCount }: { readonly size: number; readonly classCount: number },
): Promise<Pick<Original, "images" | "outputs">> {
  const { images, outputs } = await readNpz(path, ["images", "outputs"]);
  const [count] = images.shape;
  if (images.shape.length !== 4 || !count || images.shape.slice(1).join() !== [size, size, 3].join())
    throw new WeightsError(`${path}: its "images" are ${images.shape.join(" x ")} numbers.`, {
      cure: `Give images of the network's size, as N x ${size} x ${size} x 3.`,
      file: path,
    });
  const classes = outputs.shape.slice(1).reduce((product, side) => product * side, 1);
  if (classes !== classCount)
    throw new WeightsError(`${path}: the network has ${classCount} outputs, its "outputs" has ${classes}.`, {
      cure: "Give all outputs of each image.",
      file: path,
    });
  if (outputs.shape[0] !== count)
    throw new WeightsError(`${path}: has ${count} images and ${outputs.shape[0] ?? 0} outputs.`, {
      cure: "Give the outputs of each image.",
      file: path,
    });
  const each = (arrays: NdArray) => Array.from({ length: count }, (_, index) => imageOutputs({ arrays }, index).arrays);
  return { images: each(images), outputs: each(outputs) };
}

/** As the file ends: a softmax goes along the last axis. */
function ended({ shape, data }: NdArray, ending: ImportedTable["ending"]): Float64Array {
  const all = Float64Array.from(data);
  if (ending === "none") return all;
  if (ending === "sigmoid") return all.map((value) => 1 / (1 + Math.exp(-value)));
  const classes = shape.at(-1) ?? 1;
  for (let start = 0; start < all.length; start += classes) {
    const row = all.subarray(start, start + classes);
    const most = Math.max(...row);
    row.set(row.map((value) => Math.exp(value - most)));
    const sum = row.reduce((total, value) => total + value, 0);
    row.set(row.map((value) => (ending === "softmax" ? value / sum : Math.log(value / sum))));
  }
  return all;
}

/** Over the largest number wanted. */
function difference(got: Float64Array, { data: wanted }: Pick<NdArray, "data">): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let most = Number.MIN_VALUE;
  for (const value of wanted) most = Math.max(most, Math.abs(value));
  const worst = got.reduce((largest, value, index) => Math.max(largest, Math.abs(value - wanted[index])), 0);
  return Number.isFinite(worst) ? worst / most : Number.POSITIVE_INFINITY;
}
