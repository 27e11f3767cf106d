/** What a mapping is: how masked features reach the layer that an aspect head reads. */

import type { Tensor4D } from "@tensorflow/tfjs";
import type { Model } from "../../../model/model.js";
import type { Parameters } from "../../../trunk/trunk.js";

/** From the features of layer `from` to those that a head expects at layer `to`; it can be differentiated. */
export type Mapping = (features: Tensor4D, from: string, to: string) => Tensor4D;

/** A mapping before it knows the model that it serves. */
export type MappingOf = (model: Model, parameters: Parameters) => Mapping;
