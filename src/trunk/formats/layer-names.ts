/** How the weights of keras-applications are called in files, and which layer of a trunk each belongs to. */

import { WeightsError } from "../../core/errors.js";
import type { NdArray, NdArrays } from "../../core/nd-array.js";
import { ownValue } from "../../core/own-value.js";
import type { ParameterPart } from "../layer-parameters.js";
import { TRUNKS } from "../trunks.js";

/** The weights of one layer; its batch norm, a layer of its own in Keras, is joined to it. */
export type LayerWeights = Readonly<Partial<Record<ParameterPart, NdArray>>>;

const PARTS: Readonly<Record<string, ParameterPart>> = {
  kernel: "kernel",
  depthwise_kernel: "kernel",
  bias: "bias",
  gamma: "gamma",
  beta: "beta",
  moving_mean: "moving_mean",
  moving_variance: "moving_variance",
};

/** The trunk layer that a Keras layer belongs to: itself, or the one that a batch norm follows; else `undefined`. */
export function trunkLayer(kerasName: string): string | undefined {
  for (const { weights } of TRUNKS) {
    const layer = weights.layerOfOlderName?.(kerasName);
    if (layer) return layer;
  }
  const plain = kerasName.replace(/^bn_/, "").replace(/_(bn|BN)$/, "");
  return TRUNKS.some(({ weights }) => weights.layers.test(plain)) ? plain : undefined;
}

/**
 * Sorts weights by trunk layer, whatever model they are nested in; what belongs to no trunk layer is left out.
 *
 * @param place named in errors.
 * @throws WeightsError where a file holds a weight twice.
 */
export function weightsByLayer(weights: NdArrays, place: string): ReadonlyMap<string, LayerWeights> {
  const layers = new Map<string, Partial<Record<ParameterPart, NdArray>>>();
  for (const [name, array] of Object.entries(weights)) {
    const path = name.replace(/:\d+$/, "").split("/");
    const part = ownValue(PARTS, path.pop() ?? "");
    const layer = path.map(trunkLayer).findLast((candidate) => candidate !== undefined);
    if (!part || !layer) continue;
    const found = layers.get(layer) ?? {};
    if (found[part])
      throw new WeightsError(`${place}: holds ${layer}/${part} twice.`, { cure: "Save the trunk alone." });
    found[part] = array;
    layers.set(layer, found);
  }
  return layers;
}
