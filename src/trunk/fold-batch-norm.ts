/** Folds batch normalisation into kernels and biases, on plain arrays: what freezing a trunk means. */

import { WeightsError } from "../core/errors.js";
import { type NdArray, type NdArrays, ndArray } from "../core/nd-array.js";
import { BATCH_NORM, BATCH_NORM_EPSILON, type BatchNormPart, parameterName } from "./layer-parameters.js";
import type { Trunk } from "./trunk.js";

/**
 * Folds batch normalisation into the kernels and biases of the convolutions.
 *
 * `kernel * s` and `bias = beta - mean * s` with `s = gamma / sqrt(variance + 1e-3)`, in float64 and rounded once.
 * Layers that have a bias already, and parameters of heads, pass through as they are.
 *
 * @param layers which layers to fold (default: all).
 * @returns every parameter under the folded form; arrays that did not change are shared, not copied.
 * @throws WeightsError where a layer has only some of its batch-norm parameters.
 */
export function foldBatchNorm(
  trunk: Pick<Trunk, "layersFrom">,
  parameters: NdArrays,
  { layers = trunk.layersFrom("input") }: { layers?: readonly string[] } = {},
): Record<string, NdArray> {
  const folded: Record<string, NdArray> = { ...parameters };
  for (const layer of layers) {
    const kernel = parameters[parameterName(layer, "kernel")];
    if (!kernel || parameters[parameterName(layer, "bias")]) continue;
    Object.assign(folded, foldLayer(layer, kernel, parameters));
    for (const part of Object.keys(BATCH_NORM) as BatchNormPart[]) delete folded[parameterName(layer, part)];
  }
  return folded;
}

function foldLayer(layer: string, { shape, data }: NdArray, parameters: NdArrays): Record<string, NdArray> {
  const part = (what: BatchNormPart) => {
    const found = parameters[parameterName(layer, what)];
    if (found) return found.data;
    throw new WeightsError(
      `${parameterName(layer, what)} is absent: layer ${layer} has neither a bias nor all of batch normalisation.`,
      { cure: "Load the weights again." },
    );
  };
  const [gamma, beta, mean, variance] = [part("gamma"), part("beta"), part("moving_mean"), part("moving_variance")];
  const channels = gamma.length;
  // Channels run fastest in [h, w, in, channels] and in [h, w, channels, 1] alike.
  const kernel = new Float32Array(data.length);
  const scale = Float64Array.from(gamma, (g, c) => g / Math.sqrt(variance[c] + BATCH_NORM_EPSILON));
  for (let i = 0; i < data.length; i++) kernel[i] = data[i] * scale[i % channels];
  const bias = Float32Array.from(beta, (b, c) => b - mean[c] * scale[c]);
  return {
    [parameterName(layer, "kernel")]: { shape, data: kernel },
    [parameterName(layer, "bias")]: ndArray([channels], bias),
  };
}
