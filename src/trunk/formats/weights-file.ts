/** What every reader of weights gives: named arrays, and what the file says of itself. */

import type { NdArrays } from "../../core/nd-array.js";
import type { TrunkSpec } from "../trunk-spec.js";

/** A model file as it stands, under Keras' names for what belongs to a trunk. */
export interface WeightsFile {
  /** Path of the file that was read, for messages. */
  readonly path: string;
  /** By name, such as `conv_pw_1/kernel`, however deep it is nested. */
  readonly weights: NdArrays;
  /** Keras' description of the layers, where the file has one; of any shape. */
  readonly topology: unknown;
  /** Of the Keras that saved it, where the file says so. */
  readonly kerasVersion?: string;
  /** Where the file says so itself, apart from its topology. */
  readonly inputSize?: number;
  /** The trunk's last layer in the file, also where it has no weights. */
  readonly lastLayer?: string;
  /** Where they came from, and on what terms: of our own files. */
  readonly origin?: string;
  readonly licence?: string;
  /** Scaling and padding that the weights were trained with; Keras' where absent. */
  readonly convention?: TrunkSpec["convention"];
}

/** Whether a source has been read already. */
export function isRead(source: string | URL | WeightsFile): source is WeightsFile {
  return typeof source === "object" && !(source instanceof URL);
}
