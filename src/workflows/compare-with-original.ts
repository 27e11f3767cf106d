/** Does a network that was imported compute here what its file computes elsewhere? */

import type * as tf from "@tensorflow/tfjs";
import { WeightsError } from "../core/errors.js";
import { imageOutputs, type NdArray, type NdArrays, ndArray, sizeOf, withAxes } from "../core/nd-array.js";
import { type Size, shapeOf } from "../core/size.js";
import type { Engine } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import { readNpz } from "../trunk/formats/npz-file.js";
import type { ImportedTable, OutputScale } from "../trunk/networks/import-table.js";
import { answersByPlace, type PixelScaling } from "../trunk/networks/network-table.js";
import type { NetworkForm } from "../trunk/networks/read-network.js";
import type { NotCompared } from "../weights/original-network.js";
import { runOnnx } from "../weights/original-network-onnx.js";
import { runKerasModel, runLayersModel } from "../weights/original-network-tfjs.js";

/** How far the outputs are from the original's. */
export interface Comparison {
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
/** Images that are compared with the file's own runtime: more say no more. */
const COMPARED = 4;

/** What is compared, and how. */
export interface ComparisonOptions {
  readonly model: Model;
  readonly parameters: NdArrays;
  readonly engine: Engine;
  /** `[height, width, 3]` each, for the file's own runtime. */
  readonly images: readonly Uint8Array[];
  readonly imported: ImportedTable;
  readonly scaling: PixelScaling;
  /** An `.npz` with images and outputs, in place of that runtime. */
  readonly check?: string;
  /** What the outputs were said to be. */
  readonly outputs?: OutputScale;
}

/** @throws WeightsError where an output differs from the original's. */
export async function compareWithOriginal(
  { path, form }: { readonly path: string; readonly form: NetworkForm },
  { model, parameters, engine, images, imported, scaling, check, outputs }: ComparisonOptions,
): Promise<Comparison> {
  const { inputSize } = model.spec.trunk;
  const shape = [1, ...shapeOf(inputSize), 3];
  const original =
    check === undefined
      ? await ownOutputs({ path, form }, { images, imported, scaling, shape })
      : {
          ...(await checkedOutputs(check, { size: inputSize, imported, form })),
          ...{ name: check, tolerance: CHECK_TOLERANCE, ending: imported.ending },
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
  /** `[1, height, width, 3]` each. */
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
    imported,
  }: { readonly scaling: PixelScaling; readonly wantsLogits: boolean; readonly imported: ImportedTable },
) {
  const tensor = wantsLogits ? imported.logits : undefined;
  const outputs = await runOnnx(path, images, { scaling, ...(tensor !== undefined && { tensor }) });
  return { outputs: outputs.map((one) => asInMemory(one, imported)), isLogits: tensor !== undefined };
}

/** A map of an `.onnx` lies in memory as the table says. */
function asInMemory(output: NdArray, { table, order }: ImportedTable): NdArray {
  return answersByPlace(table) ? withAxes(output, order) : output;
}

/** What somebody computed elsewhere. @throws WeightsError where the arrays do not fit the network. */
async function checkedOutputs(
  path: string,
  { size, imported, form }: { readonly size: Size; readonly imported: ImportedTable; readonly form: NetworkForm },
): Promise<Pick<Original, "images" | "outputs">> {
  const { images, outputs } = await readNpz(path, ["images", "outputs"]);
  const [count] = images.shape;
  if (images.shape.length !== 4 || !count || images.shape.slice(1).join() !== [...shapeOf(size), 3].join())
    throw new WeightsError(`${path}: its "images" are ${images.shape.join(" x ")} numbers.`, {
      cure: `Give images of the network's size, as N x ${shapeOf(size).join(" x ")} x 3.`,
      file: path,
    });
  const { operations, answer } = imported.table;
  const [wanted, got] = [operations.find(({ name }) => name === answer)?.shape ?? [], outputs.shape.slice(1)].map(
    sizeOf,
  );
  if (got !== wanted)
    throw new WeightsError(`${path}: the network has ${wanted} outputs, its "outputs" has ${got}.`, {
      cure: "Give all outputs of each image.",
      file: path,
    });
  if (outputs.shape[0] !== count)
    throw new WeightsError(`${path}: has ${count} images and ${outputs.shape[0] ?? 0} outputs.`, {
      cure: "Give the outputs of each image.",
      file: path,
    });
  const each = (arrays: NdArray) => Array.from({ length: count }, (_, index) => imageOutputs({ arrays }, index).arrays);
  const isTurned = form === "onnx";
  return {
    images: each(images),
    outputs: each(outputs).map((one) => (isTurned ? asInMemory(one, imported) : one)),
  };
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
