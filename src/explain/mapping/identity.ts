/** The mapping of a shared trunk: an aspect head reads the very layer that was masked. */

import type { Tensor4D } from "@tensorflow/tfjs";
import { ConfigError } from "../../core/errors.js";

/** From the masked representation of layer `from` to the features that a head expects at layer `to`. */
export type Mapping = (features: Tensor4D, from: string, to: string) => Tensor4D;

/** @throws ConfigError where the layers differ: only a trained mapping leads from one to another. */
export const identity: Mapping = (features, from, to) => {
  if (from === to) return features;
  throw new ConfigError(
    `mapping: identity leads from a layer to itself, got "${from}" to "${to}". Train a mapping model between them.`,
  );
};
