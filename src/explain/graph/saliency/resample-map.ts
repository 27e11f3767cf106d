/** Brings a map of one layer to the grid of another. */

import * as tf from "@tensorflow/tfjs";
import { resizeBilinear } from "../../../ops/resize-bilinear.js";
import type { SaliencyLayers } from "./saliency.js";

/**
 * Bilinear. Strided convolutions that pad on one side alone shift a layer's cells against those of an equal grid
 * (`offset`); the map is moved by the difference of the two layers' offsets.
 *
 * @param map `[batch, height, width, channels]` on the grid of `weighed`.
 * @returns on the grid of `masked`.
 */
export function resampleMap(map: tf.Tensor4D, { masked, weighed }: SaliencyLayers): tf.Tensor4D {
  if (masked === weighed) return map;
  const [, height, width] = masked.features.shape;
  const resized = resizeBilinear(map, [height, width]);
  // Cells are as wide as high, so that it is the same along both axes.
  const shift = Math.round((weighed.offset - masked.offset) * height);
  if (shift === 0) return resized;
  // What moves in at the border repeats it: after bilinear resizing the outer half of a cell is constant, so a
  // reflection does.
  // A negative shift comes from networks that pad more than they need at the top and left.
  const sides: [number, number] = [Math.max(0, shift), Math.max(0, -shift)];
  const padded = tf.mirrorPad(resized, [[0, 0], sides, sides, [0, 0]], "reflect");
  const start = Math.max(0, -shift);
  return tf.slice(padded, [0, start, start, 0], resized.shape) as tf.Tensor4D;
}
