/** What decides the shape of a trunk: plain data, without a type of TensorFlow.js. */

import type { Size } from "../core/size.js";
import type { NetworkTable } from "./networks/network-table.js";

/** Serializable choice of a trunk; stored in configurations and bundles. */
export interface TrunkSpec {
  /** One of `TRUNK_NAMES`; of an imported network a name of its own. */
  readonly name: string;
  /** Width multiplier (0.25, 0.35, 0.5, ...); published VGGs, and imported networks, have 1. */
  readonly alpha: number;
  /** Of the input in pixels: the side of a square; of an imported network also height and width. */
  readonly inputSize: Size;
  /** Whose habits of scaling and padding the weights were trained with; Keras' where absent. */
  readonly convention?: "torchvision";
  /** Of an imported network: what it computes, for images of this size. */
  readonly network?: NetworkTable;
}
