/** Puts read weights (`read-weights.ts`) into a trunk's layers, or says exactly what does not fit. */

import { inFile, WeightsError } from "../../core/errors.js";
import { type NdArray, ndArray } from "../../core/nd-array.js";
import {
  BATCH_NORM,
  BATCH_NORM_EPSILON,
  type BatchNormPart,
  layerOfParameter,
  type ParameterPart,
  parameterName,
} from "../layer-parameters.js";
import { randomWeights } from "../random-weights.js";
import type { Trunk } from "../trunk.js";
import { type LayerWeights, trunkLayer, weightsByLayer } from "./layer-names.js";
import { readWeights } from "./read-weights.js";
import { topologyEpsilons } from "./topology.js";
import { isRead, type WeightsFile } from "./weights-file.js";
import { fittingAlpha } from "./width.js";

/** The parameters of a trunk, and which layers the file did not have. */
export interface LoadedWeights {
  /** Every parameter of the trunk; a layer has batch norm where the file kept it, else a bias. */
  readonly parameters: Record<string, NdArray>;
  /** Layers that the file lacks at its end: random weights, with batch norm; empty unless asked for. */
  readonly randomLayers: readonly string[];
}

/** What to do with a file that ends early, such as one cut at `conv_pw_12`. */
export type LoadWeightsOptions =
  | { readonly missing?: "error" }
  | {
      /** Random weights for the layers after the last one present. A gap before it stays an error. */
      readonly missing: "random";
      readonly seed: number;
    };

/**
 * Puts the weights of a file into the parameters of a trunk.
 *
 * @param source as `readWeights` takes it, or what it returned.
 * @throws WeightsError naming the layers that are missing, or the shapes that do not fit and the width that would.
 */
export async function loadWeights(
  trunk: Trunk,
  source: string | URL | WeightsFile,
  options: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const file = isRead(source) ? source : await readWeights(source);
  return inFile({ file: file.path }, () => fitWeights(trunk, file, options));
}

function fitWeights(trunk: Trunk, file: WeightsFile, options: LoadWeightsOptions): LoadedWeights {
  const layers = weightsByLayer(file.weights, file.path);
  const wanted = trunk.foldedParameters
    .filter((spec) => spec.name.endsWith("/kernel"))
    .map((spec) => layerOfParameter(spec.name));
  const missing = wanted.filter((layer) => !layers.get(layer)?.kernel);
  const isCutShort = missing.every((layer, index) => layer === wanted[wanted.length - missing.length + index]);
  if (missing.length > 0 && !(options.missing === "random" && isCutShort && missing.length < wanted.length))
    throw missingLayers(trunk, file, missing, isCutShort && missing.length < wanted.length);
  checkShapes(trunk, file, layers);
  const epsilons = epsilonsByLayer(file);
  const parameters: Record<string, NdArray> = {};
  for (const layer of wanted) {
    const weights = layers.get(layer);
    if (!weights?.kernel) continue;
    Object.assign(parameters, layerParametersOf(layer, weights, { file, epsilon: epsilons.get(layer) }));
  }
  for (const [name, { data }] of Object.entries(parameters))
    if (!data.every(Number.isFinite))
      throw new WeightsError(`${file.path}: ${name} is not finite.`, { cure: "Take the weights of another epoch." });
  if (options.missing === "random" && missing.length > 0) {
    const fresh = randomWeights(trunk, options);
    for (const [name, array] of Object.entries(fresh))
      if (missing.includes(layerOfParameter(name))) parameters[name] = array;
  }
  return { parameters, randomLayers: missing };
}

/** One layer under our names, in the form that the file has. */
function layerParametersOf(
  layer: string,
  { kernel, bias, ...norm }: LayerWeights,
  { file, epsilon = BATCH_NORM_EPSILON }: { file: WeightsFile; epsilon?: number },
): Record<string, NdArray> {
  const named = (arrays: Record<string, NdArray | undefined>) =>
    Object.fromEntries(
      Object.entries(arrays).flatMap(([k, v]) => (v ? [[parameterName(layer, k as ParameterPart), v]] : [])),
    );
  const { moving_mean: mean, moving_variance: variance } = norm;
  if (!mean || !variance) {
    if (bias) return named({ kernel, bias });
    throw new WeightsError(
      `${file.path}: ${layer} has a kernel, but neither a bias nor moving statistics of batch norm.`,
      { cure: "Save the whole model." },
    );
  }
  const vector = (part: BatchNormPart, shift: (index: number) => number) => {
    const { data } = norm[part] ?? ndArray(mean.shape, new Float32Array(mean.data.length).fill(BATCH_NORM[part]));
    return ndArray(
      mean.shape,
      Float32Array.from(data, (value, index) => value + shift(index)),
    );
  };
  return named({
    kernel,
    // Keras leaves gamma or beta out where `scale` or `center` is false.
    gamma: vector("gamma", () => 0),
    beta: vector("beta", () => 0),
    // A bias before batch norm moves the mean; another epsilon is a change of the variance. Both are exact.
    moving_mean: vector("moving_mean", (index) => -(bias?.data[index] ?? 0)),
    moving_variance: vector("moving_variance", () => epsilon - BATCH_NORM_EPSILON),
  });
}

function checkShapes(trunk: Trunk, file: WeightsFile, layers: ReadonlyMap<string, LayerWeights>): void {
  const { name, alpha } = trunk.spec;
  const specs = new Map([...trunk.foldedParameters, ...trunk.parameters].map((spec) => [spec.name, spec]));
  const wrong = [...specs.values()].flatMap((spec) => {
    const part = spec.name.slice(spec.name.lastIndexOf("/") + 1) as keyof LayerWeights;
    const got = layers.get(layerOfParameter(spec.name))?.[part]?.shape;
    return got && String(got) !== String(spec.shape)
      ? [`${layerOfParameter(spec.name)}/${part} is [${got.join(", ")}] and not [${spec.shape.join(", ")}]`]
      : [];
  });
  if (wrong.length === 0) return;
  const fit = fittingAlpha(name, layers);
  const cure =
    fit === undefined || fit === alpha
      ? "The file is of another network."
      : `The file fits alpha ${fit}: set trunk.alpha.`;
  throw new WeightsError(`${file.path}: does not fit ${name} with alpha ${alpha}: ${brief(wrong)}.`, { cure });
}

function missingLayers(trunk: Trunk, file: WeightsFile, missing: readonly string[], isCutShort: boolean): WeightsError {
  const cure = isCutShort
    ? 'The file ends early: take one that is complete, or let the rest start at random ("missing": "random").'
    : "Names must be those of keras-applications.";
  return new WeightsError(`${file.path}: lacks these layers of ${trunk.spec.name}: ${missing.join(", ")}.`, {
    cure,
  });
}

function epsilonsByLayer({ topology }: WeightsFile): ReadonlyMap<string, number> {
  const pairs = [...topologyEpsilons(topology)].map(([name, epsilon]) => [trunkLayer(name), epsilon] as const);
  return new Map(pairs.flatMap(([layer, epsilon]) => (layer ? [[layer, epsilon] as const] : [])));
}

function brief(lines: readonly string[]): string {
  const shown = lines.slice(0, 3).join("; ");
  return lines.length > 3 ? `${shown}; and ${lines.length - 3} more` : shown;
}
