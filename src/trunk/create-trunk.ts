/** Makes a trunk of a table of layers. */

import { ConfigError } from "../core/errors.js";
import type { Architecture } from "./architecture.js";
import { architectureOf } from "./architecture-of.js";
import { layerParameters } from "./layer-parameters.js";
import { networkTrunk } from "./networks/network-trunk.js";
import { leadsTo, runLayers } from "./run-layers.js";
import { tapsOf } from "./taps.js";
import type { Trunk } from "./trunk.js";
import type { TrunkSpec } from "./trunk-spec.js";

/**
 * A trunk of `trunks.ts`, up to its last convolution or pooling, or a network that was imported. Scaling of pixels is
 * inside.
 *
 * @throws ConfigError where the name, the width or the size cannot be built.
 */
export function createTrunk(spec: TrunkSpec): Trunk {
  return spec.network ? networkTrunk(spec, spec.network) : assembleTrunk(spec, architectureOf(spec));
}

/** A trunk of any table of layers. */
export function assembleTrunk(spec: TrunkSpec, architecture: Architecture): Trunk {
  const { layers, source } = architecture;
  const taps = tapsOf(architecture, spec.inputSize);
  const names = layers.map((layer) => layer.name);
  return {
    spec,
    taps,
    output: names[names.length - 1],
    source,
    parameters: layerParameters(architecture, { isFolded: false }),
    foldedParameters: layerParameters(architecture, { isFolded: true }),
    layersFrom: (first) => {
      const index = first === "input" ? 0 : names.indexOf(first);
      if (index < 0)
        throw new ConfigError(`${spec.name} has no layer "${first}".`, { cure: `Its layers: ${names.join(", ")}.` });
      return names.slice(index);
    },
    leadsTo: (from, to) => leadsTo(architecture, from, to),
    run: (parameters, values, want, options) => runLayers(architecture, { taps, parameters, values, want, ...options }),
  };
}
