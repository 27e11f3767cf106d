/** Linear mappings between two networks, in closed form: from sums over all places of all images. */

import * as tf from "@tensorflow/tfjs";
import { type NdArrays, ndArray } from "../core/nd-array.js";
import { pixelCount } from "../core/size.js";
import type { TensorFunction } from "../engine/engine.js";
import { mappingParameter } from "../model/mapping-model.js";
import type { Model } from "../model/model.js";
import { resizeBilinear } from "../ops/resize-bilinear.js";
import { bothFeatures, chosenImages, isHeldOut, overImages, type PairedRun } from "./mapping-data.js";
import { addMoments, emptyMoments, fitRidge, type Moments } from "./ridge.js";

/** Two layers: of the classifier's network, and of the other one. */
export interface LayerPair {
  readonly from: string;
  readonly to: string;
}

/** A fitted mapping between two layers. */
export interface LinearMapping extends LayerPair {
  /** `linear/kernel` and `linear/bias` of the mapping, under the names that a model gives them. */
  readonly parameters: NdArrays;
  /** On the images that the penalty was chosen on. */
  readonly r2: number;
  readonly penalty: number;
}

type Setting = Omit<PairedRun, "fn" | "name"> & {
  /** Of the other network. */
  readonly network: string;
};

/**
 * Prepares a 1x1 convolution between each two layers, all in one reading of the images. Source features are resized to
 * the target's grid.
 *
 * @param setting.model has the network, with whatever mapping.
 * @returns of each pair a function that fits it.
 */
export async function linearFits(pairs: readonly LayerPair[], setting: Setting): Promise<(() => LinearMapping)[]> {
  const { model, network } = setting;
  const own = model.networks.find(({ spec }) => spec.name === network);
  const channels = (trunk: Model["trunk"] | undefined, layer: string) =>
    trunk?.taps.find(({ name }) => name === layer)?.channels ?? 0;
  const places = (layer: string) => pixelCount(own?.trunk.taps.find(({ name }) => name === layer)?.size ?? 0);
  const empty = () => pairs.map(({ from, to }) => emptyMoments(channels(model.trunk, from), channels(own?.trunk, to)));
  const [fitted, held] = [empty(), empty()];
  for (const [moments, isWanted] of [
    [fitted, (index: number) => !isHeldOut(index)],
    [held, isHeldOut],
  ] as const) {
    const images = chosenImages(setting.images, isWanted);
    const run = overImages({ ...setting, images, fn: momentsOf(pairs, setting), name: "mapping" });
    for await (const { outputs, samples } of run)
      for (const [index, pair] of pairs.entries()) {
        const of = (what: string) => outputs[`${index}/${what}`].data;
        const sums = { x: of("x"), y: of("y"), xx: of("xx"), xy: of("xy"), yy: of("yy") };
        addMoments(moments[index], { count: samples.length * places(pair.to), ...sums });
      }
  }
  return pairs.map((pair, index) => () => ({ ...pair, ...fitPair(network, fitted[index], held[index]) }));
}

function fitPair(network: string, fitted: Moments, held: Moments): Omit<LinearMapping, keyof LayerPair> {
  const { kernel, bias, r2, penalty } = fitRidge(fitted, held);
  const { predictors, targets } = fitted;
  return {
    ...{ r2, penalty },
    parameters: {
      [mappingParameter(network, "linear/kernel")]: ndArray([1, 1, predictors, targets], kernel),
      [mappingParameter(network, "linear/bias")]: ndArray([targets], bias),
    },
  };
}

/** Outputs `<pair>/x`, `y`, `xx`, `xy`, `yy`: sums over all places of a batch's images. */
function momentsOf(
  pairs: readonly LayerPair[],
  { model, network }: Pick<Setting, "model" | "network">,
): TensorFunction {
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const wanted = { network, from: unique(pairs, "from"), to: unique(pairs, "to") };
      const { source, target } = bothFeatures(model, { inputs, constants }, wanted);
      const outputs: Record<string, tf.Tensor> = {};
      for (const [index, { from, to }] of pairs.entries()) {
        const [, height, width] = target[to].shape;
        const rows = (features: tf.Tensor4D) =>
          tf.reshape(tf.mul(features, inputs.weight), [-1, features.shape[3]]) as tf.Tensor2D;
        const x = rows(resizeBilinear(source[from], [height, width]));
        const y = rows(target[to]);
        const sums = { x: tf.sum(x, 0), y: tf.sum(y, 0), yy: tf.sum(tf.square(y), 0) };
        const products = { xx: tf.matMul(x, x, true), xy: tf.matMul(x, y, true) };
        for (const [what, tensor] of Object.entries({ ...sums, ...products })) outputs[`${index}/${what}`] = tensor;
      }
      return { outputs };
    });
}

function unique(pairs: readonly LayerPair[], end: keyof LayerPair): string[] {
  return [...new Set(pairs.map((pair) => pair[end]))];
}
