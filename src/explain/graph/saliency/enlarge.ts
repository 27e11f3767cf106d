/** Brings a map of one layer to the grid of another. */

import * as tf from "@tensorflow/tfjs";
import { resizeBilinear } from "../../../ops/resize-bilinear.js";
import type { SaliencyPlace } from "./saliency.js";

/**
 * Bilinear; where strided convolutions pad on one side alone, cells lie to the right of and below equal shares of the image, and the
 * map is moved by that.
 *
 * @param map `[batch, height, width, channels]` on the grid of `of`.
 * @returns on the grid of `at`.
 */
export function enlarge(map: tf.Tensor4D, { at, of }: SaliencyPlace): tf.Tensor4D {
  if (at === of) return map;
  const [, height, width] = at.features.shape;
  const resized = resizeBilinear(map, [height, width]);
  const shift = Math.round((of.offset - at.offset) * width);
  if (shift === 0) return resized;
  // The outer half of a cell is one colour, so that a reflection repeats it. Cells that lie left of and above equal shares come from paddings that go too far.
  const sides: [number, number] = [Math.max(0, shift), Math.max(0, -shift)];
  const padded = tf.mirrorPad(resized, [[0, 0], sides, sides, [0, 0]], "reflect");
  const start = Math.max(0, -shift);
  return tf.slice(padded, [0, start, start, 0], resized.shape) as tf.Tensor4D;
}
