/** How a head reads its taps: each brought to one width by a 1x1 convolution and to the finest grid, then summed. */

import * as tf from "@tensorflow/tfjs";
import { ShapeError } from "../core/errors.js";
import type { ParameterSpec } from "../core/parameters.js";
import { isSameSize, pixelCount, type Size, shapeOf } from "../core/size.js";
import { resizeBilinear } from "../ops/resize-bilinear.js";
import type { HeadContext } from "./head.js";

type Parameters = Readonly<Record<string, tf.Tensor>>;

/** A part of a head: what it learns, and what it computes. */
export interface FusedTaps {
  readonly parameters: readonly ParameterSpec[];
  /** Height and width of the finest tap, and its stride. */
  readonly size: Size;
  readonly stride: number;
  /**
   * @param features `[batch, height, width, channels]` a tap.
   * @returns `[batch, rows, columns, width]`, not negative.
   * @throws ShapeError where features do not fit the taps.
   */
  forward(parameters: Parameters, features: readonly tf.Tensor4D[]): tf.Tensor4D;
}

/**
 * A 1x1 convolution a tap, summed, one bias, relu. Nothing but `features` enters, so all taps can be masked at once.
 */
export function fusedTaps(name: string, context: HeadContext, { width }: { width: number }): FusedTaps {
  const { taps } = context;
  const finest = taps.reduce((best, tap) => (pixelCount(tap.size) > pixelCount(best.size) ? tap : best));
  const fanIn = taps.reduce((sum, tap) => sum + tap.channels, 0);
  const kernelOf = (tap: { name: string }) => `head/${name}/reduce/${tap.name}/kernel`;
  const bias = `head/${name}/reduce/bias`;
  return {
    parameters: [
      ...taps.map((tap) => ({
        name: kernelOf(tap),
        shape: [1, 1, tap.channels, width],
        initializer: "he" as const,
        fanIn,
        isTrainable: true,
      })),
      { name: bias, shape: [width], initializer: 0, isTrainable: true },
    ],
    size: finest.size,
    stride: finest.stride,
    forward: (parameters, features) =>
      tf.tidy(() => {
        checkFeatures(name, context, features);
        const parts = taps.map((tap, i) => {
          const reduced = tf.conv2d(features[i], parameters[kernelOf(tap)] as tf.Tensor4D, 1, "same");
          return isSameSize(tap.size, finest.size) ? reduced : resizeBilinear(reduced, shapeOf(finest.size));
        });
        const sum = parts.reduce((a, b) => tf.add(a, b)); // [batch, rows, columns, width]
        return tf.relu(tf.add(sum, parameters[bias]));
      }),
  };
}

/** @throws ShapeError where the features are not one a tap, each of the tap's size and channels. */
export function checkFeatures(name: string, { taps }: HeadContext, features: readonly tf.Tensor4D[]): void {
  if (features.length !== taps.length) {
    const names = taps.map((tap) => tap.name).join(", ");
    throw new ShapeError(`head "${name}": expected the features of ${names}, got ${features.length} tensors.`);
  }
  taps.forEach((tap, i) => {
    const wanted = [...shapeOf(tap.size), tap.channels].join(", ");
    if (features[i].shape.slice(1).join(", ") === wanted) return;
    throw new ShapeError(
      `head "${name}": expected features [batch, ${wanted}] of ${tap.name}, ` +
        `got [${features[i].shape.join(", ")}]. Give it the layer it was made for.`,
    );
  });
}
