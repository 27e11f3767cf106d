/** A network that aspect heads have to themselves: its trunk, and the mapping that leads to it. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import { imagePort } from "../core/graph-ports.js";
import type { ParameterSpec } from "../core/parameters.js";
import { prefixed, unprefixed } from "../core/prefixed-names.js";
import { createTrunk } from "../trunk/create-trunk.js";
import type { Parameters, Tap, Trunk } from "../trunk/trunk.js";
import { type MappingModel, mappingModel } from "./mapping-model.js";
import type { NetworkSpec } from "./model-spec.js";

/** A network of its own, as functions of a model's named parameters. */
export interface Network {
  readonly spec: NetworkSpec;
  readonly trunk: Trunk;
  /** Of trunk (folded) and mapping, under the names that they have in the model. */
  readonly parameters: readonly ParameterSpec[];
  /** Those of its trunk among a model's, under the names that the trunk has for them. */
  ownParameters(parameters: Parameters): Parameters;
  /**
   * Its layers from an image of its own.
   *
   * @param inputs of a graph, with `image/<name>`.
   * @returns one `[batch, height, width, channels]` a layer; the caller disposes them.
   */
  ownFeatures(
    parameters: Parameters,
    inputs: Readonly<Record<string, tf.Tensor>>,
    layers: readonly string[],
  ): tf.Tensor4D[];
  /** The same layers from features of the classifier's network, at the layer where the mapping starts. */
  mappedFeatures(parameters: Parameters, features: tf.Tensor4D, layers: readonly string[]): tf.Tensor4D[];
}

const prefixOf = (name: string) => `network/${name}/`;

/** The parameters of a network's trunk, as a model has them. */
export function networkParameters<Value>(
  name: string,
  parameters: Readonly<Record<string, Value>>,
): Record<string, Value> {
  return prefixed(prefixOf(name), parameters);
}

/**
 * @param source the classifier's network, where the mapping starts.
 * @throws ConfigError where a layer of the mapping is unknown.
 */
export function createNetwork(spec: NetworkSpec, source: Trunk): Network {
  const { name, mapping } = spec;
  const trunk = createTrunk(spec.trunk);
  const model: MappingModel = mappingModel(spec, {
    from: tapNamed(source, mapping.from, name),
    to: tapNamed(trunk, mapping.to, name),
  });
  const own = (parameters: Parameters) => unprefixed(prefixOf(name), parameters);
  return {
    ...{ spec, trunk },
    parameters: [
      ...trunk.foldedParameters.map((one) => ({ ...one, name: prefixOf(name) + one.name })),
      ...model.parameters,
    ],
    ownParameters: own,
    ownFeatures: (parameters, inputs, layers) => {
      const found = trunk.run(own(parameters), { input: inputs[imagePort(name)] as tf.Tensor4D }, layers);
      return layers.map((layer) => found[layer]);
    },
    mappedFeatures: (parameters, features, layers) =>
      tf.tidy(() => {
        const mapped = model.apply(parameters, features);
        const found = trunk.run(own(parameters), { [mapping.to]: mapped }, layers);
        return layers.map((layer) => found[layer]);
      }),
  };
}

function tapNamed(trunk: Trunk, layer: string, network: string): Tap {
  const tap = trunk.taps.find(({ name }) => name === layer);
  if (tap) return tap;
  throw new ConfigError(`network "${network}": its mapping names no layer "${layer}" of ${trunk.spec.name}.`, {
    cure: `Its layers: ${trunk.taps.map(({ name }) => name).join(", ")}.`,
  });
}
