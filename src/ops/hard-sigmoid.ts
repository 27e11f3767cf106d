/** A sigmoid of straight lines (Courbariaux et al. 2015, arXiv:1511.00363): one operator where a backend has it. */

import * as tf from "@tensorflow/tfjs";

/** A kernel of backends that compute it at once; others put it together. */
export const HARD_SIGMOID = "HardSigmoid";

export interface HardSigmoid {
  readonly slope: number;
  readonly offset: number;
}

/** A power of two, so that its products are exact. */
const STEEP = 2 ** 100;

/** `slope * x + offset`, between 0 and 1. @returns the shape of `x`; the caller disposes it. */
export function hardSigmoid<T extends tf.Tensor>(x: T, { slope, offset }: HardSigmoid): T {
  if (!tf.getKernel(HARD_SIGMOID, tf.getBackend()))
    return tf.tidy(() => tf.clipByValue(tf.add(tf.mul(x, slope), offset), 0, 1) as T);
  return tf.engine().runKernel(HARD_SIGMOID, { x }, { slope, offset });
}

tf.registerGradient({
  kernelName: HARD_SIGMOID,
  outputsToSave: [true],
  gradFunc: (dy, [y], attributes) => ({
    // 1 between the ends, 0 at them.
    x: () =>
      tf.tidy(() => {
        const inside = hardSigmoid(tf.mul(y, tf.sub(1, y)), { slope: STEEP, offset: 0 });
        return tf.mul(tf.mul(dy as tf.Tensor, inside), Number(attributes.slope));
      }),
  }),
});
