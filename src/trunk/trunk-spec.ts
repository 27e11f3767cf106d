/** What decides the shape of a trunk: plain data, without a type of TensorFlow.js. */

import type { TrunkName } from "./trunks.js";

/** Serializable choice of a trunk; stored in configurations and bundles. */
export interface TrunkSpec {
  readonly name: TrunkName;
  /** Width multiplier (0.25, 0.35, 0.5, ...); published VGGs have 1. */
  readonly alpha: number;
  /** Height and width of the square input in pixels. */
  readonly inputSize: number;
  /** Whose habits of scaling and padding the weights were trained with; Keras' where absent. */
  readonly convention?: "torchvision";
}
