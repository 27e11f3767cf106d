/** The boxes head: any number of instances, each a peak of a heat map with a size and an offset. */

import * as tf from "@tensorflow/tfjs";
import { shapeOf } from "../core/size.js";
import { boxShapes, encodeBoxes } from "./boxes-encoding.js";
import type { Head, HeadContext } from "./head.js";
import type { BoxesSpec } from "./head-spec.js";
import { sumOfEach } from "./losses.js";
import { subPixelNetwork } from "./sub-pixel-network.js";

/** Untrained, a centre has probability 0.1 (CenterNet), a box spans a fifth of the image, and lies in mid-cell. */
const PRIOR = [-2.19, -1.6, -1.6, 0.5, 0.5];

/** Cells span 4 pixels, as CenterNet's do, or a quarter of the tap's stride where that is more. */
const toCells = (stride: number) => Math.min(4, Math.max(1, stride / 4));

/**
 * An anchor-free detector (CenterNet, Zhou et al. 2019, arXiv:1904.07850) on a grid finer than the finest tap.
 * Channels of a cell: heat before the sigmoid; log of height and width as shares of the image; the centre's
 * place y, x from the cell's corner, in cells.
 *
 * The loss of a batch is the penalty-reduced focal loss over its instances (at least 1), plus the mean absolute errors
 * of log size and offset. Two departures: sizes are logs, so that an error means the same share of a small box and a
 * large one; and they are learned in the 3x3 cells around each centre, so that a peak one cell off still gives the right box.
 */
export function boxes(spec: BoxesSpec, context: HeadContext): Head<BoxesSpec> {
  const network = subPixelNetwork(spec.name, context, { prior: PRIOR, factor: toCells });
  const { size } = network;
  return {
    spec,
    parameters: network.parameters,
    outputShape: [...shapeOf(size), 5],
    forward: network.forward,
    labelShapes: boxShapes(size),
    encode: (labels) => encodeBoxes(labels, { size }),
    loss: (logits, { centre, away, near, geometry, labelled }) =>
      tf.tidy(() => {
        const total = (each: tf.Tensor) => tf.sum(tf.mul(sumOfEach(each), labelled));
        const heat = tf.div(total(focal(heatOf(logits), centre, away)), tf.maximum(total(centre), 1));
        const error = tf.mul(tf.abs(tf.sub(tf.slice(logits, [0, 0, 0, 1], [-1, -1, -1, 4]), geometry)), near);
        return tf.add(heat, tf.div(total(error), tf.maximum(total(near), 1))).asScalar();
      }),
  };
}

/** The heat channel, before the sigmoid: `[batch, h, w, 5]` to `[batch, h, w, 1]`. */
export function heatOf(logits: tf.Tensor): tf.Tensor4D {
  return tf.slice(logits, [0, 0, 0, 0], [-1, -1, -1, 1]) as tf.Tensor4D;
}

/** -(1 - p)^2 log p at centres, -(1 - heat)^4 p^2 log(1 - p) elsewhere; arXiv:1904.07850, equation 1. */
function focal(heat: tf.Tensor, centre: tf.Tensor, away: tf.Tensor): tf.Tensor {
  const chance = tf.sigmoid(heat);
  const missed = tf.mul(tf.mul(centre, tf.square(tf.sub(1, chance))), tf.softplus(tf.neg(heat)));
  const imagined = tf.mul(tf.mul(away, tf.square(chance)), tf.softplus(heat));
  return tf.add(missed, imagined);
}
