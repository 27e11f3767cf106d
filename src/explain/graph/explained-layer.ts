/**
 * One layer as saliency methods see it: its features, the reference, and the target as a function of it. Which layers
 * are explained is decided in `explained-taps.ts`.
 */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../../core/errors.js";
import { referenceName, referenceTap } from "../../core/graph-ports.js";
import type { Model } from "../../model/model.js";
import type { Rectifier } from "../../trunk/rectifier.js";
import { tapOffset } from "../../trunk/tap-offset.js";
import type { Parameters } from "../../trunk/trunk.js";
import type { ExplainedTarget } from "./explained-target.js";
import type { ExplainedLayer } from "./saliency/saliency.js";

/** @param layerValues features by layer, of this one and of `input`. */
export function explainedLayer(
  { trunk }: Model,
  layer: string,
  {
    constants,
    layerValues,
    target,
  }: { constants: Parameters; layerValues: Readonly<Record<string, tf.Tensor4D>>; target: ExplainedTarget },
): ExplainedLayer {
  const features = layerValues[layer];
  const reference = target.reference(referenceTable(layer, constants));
  const image = layerValues.input;
  const valueAt: ExplainedLayer["valueAt"] = (at, { rectifier } = {}) =>
    target.value(layersFrom({ trunk }, layer, at, { constants, image, to: target.layers, rectifier }));
  return {
    isImage: layer === "input",
    features,
    reference,
    difference: tf.sub(features, reference),
    offset: tapOffset(trunk.spec, layer),
    valueAt,
    dense: () => target.dense?.(layer),
  };
}

/**
 * Later layers, computed from one layer's features `[n * batch, height, width, channels]`; rows i, batch + i, ... are
 * variants of image i.
 */
export function layersFrom(
  { trunk }: Pick<Model, "trunk">,
  layer: string,
  at: tf.Tensor4D,
  {
    constants,
    image,
    to,
    rectifier,
  }: { constants: Parameters; image: tf.Tensor4D; to: readonly string[]; rectifier?: Rectifier },
): Record<string, tf.Tensor4D> {
  const isAlone = to.every((name) => trunk.leadsTo(layer, name));
  // Paths around the layer start at the image: it is repeated for each variant.
  const around: Record<string, tf.Tensor4D> = isAlone
    ? {}
    : { input: tf.tile(image, [at.shape[0] / image.shape[0], 1, 1, 1]) };
  return trunk.run(constants, { ...around, [layer]: at }, to, { rectifier });
}

function referenceTable(layer: string, constants: Parameters): tf.Tensor2D {
  const table = constants[referenceName(layer)];
  if (table) return table as tf.Tensor2D;
  const stored = Object.keys(constants).flatMap((name) => referenceTap(name) ?? []);
  throw new ConfigError(`tap "${layer}": the model holds no reference for it, but for ${stored.join(", ")}.`, {
    cure: "Take one of these, or train again.",
  });
}
