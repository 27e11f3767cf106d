/** Which two layers a mapping connects, where nobody says it. */

import * as tf from "@tensorflow/tfjs";
import { ConfigError } from "../core/errors.js";
import { shapeOf } from "../core/size.js";
import type { TensorFunction } from "../engine/engine.js";
import type { Model } from "../model/model.js";
import { resizeBilinear } from "../ops/resize-bilinear.js";
import type { Tap, Trunk } from "../trunk/trunk.js";
import type { LayerPair } from "./fit-linear.js";
import { bothFeatures, overImages, type PairedRun } from "./mapping-data.js";
import { linearSimilarity } from "./similarity.js";

/** A pair of layers, and how alike what they hold is. */
export interface CandidatePair extends LayerPair {
  /** Linear CKA, 0..1. */
  readonly similarity: number;
}

/** Layers of each stride that are looked at, the last ones. */
const LAYERS_PER_STRIDE = 3;
/** Target layers that are fitted for a source layer that was named, and source layers for each other target. */
const SHORTLIST = 3;
const MOST_SOURCES = 8;
/** Images that similarity is measured on, and places of each: rows of the matrices that are compared. */
const IMAGES = 48;
const GRID = 4;

/** Layers where a mapping may start, in order: all of the answer passes through them, and they have places. */
export function sourceLayers({ trunk, classifier }: Pick<Model, "trunk" | "classifier">): readonly Tap[] {
  return suited(trunk, classifier.spec.taps).slice(-MOST_SOURCES);
}

/** Layers where a mapping may end, in order: all that a network's heads read can be computed from each alone. */
export function targetLayers({
  trunk,
  heads,
}: {
  trunk: Trunk;
  heads: readonly (readonly string[])[];
}): readonly Tap[] {
  return suited(trunk, heads.flat());
}

function suited(trunk: Trunk, wanted: readonly string[]): readonly Tap[] {
  const able = trunk.taps.filter(
    ({ name, size, stride, isLinear }) =>
      !isLinear &&
      Math.min(...shapeOf(size)) >= GRID &&
      stride >= 4 &&
      wanted.every((layer) => trunk.leadsTo(name, layer)),
  );
  return able.filter(({ stride }, index) => {
    const later = able.slice(index + 1).filter((tap) => tap.stride === stride);
    return later.length < LAYERS_PER_STRIDE;
  });
}

/**
 * Of each source layer the target layer that is most like it, by linear centred kernel alignment (Kornblith et al. 2019,
 * arXiv:1905.00414) of their features on a grid of 4 x 4 places; of a single source layer the three that are.
 *
 * @returns the latest source layer first.
 * @param setting.model has the network, with whatever mapping.
 * @throws ConfigError where a network has no layer that a mapping can use.
 */
export async function similarPairs(
  setting: Omit<PairedRun, "fn" | "name"> & {
    readonly network: string;
    readonly from: readonly string[];
    readonly to: readonly string[];
  },
): Promise<CandidatePair[]> {
  const { from, to, model, network } = setting;
  if (from.length === 0 || to.length === 0)
    throw new ConfigError(`${from.length === 0 ? model.spec.trunk.name : network}: has no layer to map.`, {
      cure: "Name layers with --from and --to.",
    });
  const rows: Record<string, number[][]> = {};
  let count = 0;
  for await (const { outputs, samples } of overImages({ ...setting, fn: onGrid(setting), name: "similarity" })) {
    for (const [name, { shape, data }] of Object.entries(outputs)) {
      const channels = shape[3];
      rows[name] ??= [];
      for (let row = 0; row < samples.length * GRID * GRID; row++)
        rows[name].push(Array.from(data.subarray(row * channels, (row + 1) * channels)));
    }
    count += samples.length;
    if (count >= IMAGES) break;
  }
  const perSource = from.length === 1 ? SHORTLIST : 1;
  return from.toReversed().flatMap((a) =>
    to
      .map((b) => ({ from: a, to: b, similarity: linearSimilarity(rows[`from/${a}`], rows[`to/${b}`]) }))
      .sort((x, y) => y.similarity - x.similarity)
      .slice(0, perSource),
  );
}

function onGrid({
  model,
  network,
  from,
  to,
}: {
  model: Model;
  network: string;
  from: readonly string[];
  to: readonly string[];
}): TensorFunction {
  return ({ inputs, constants }) =>
    tf.tidy(() => {
      const { source, target } = bothFeatures(model, { inputs, constants }, { network, from, to });
      const named = (prefix: string, features: Readonly<Record<string, tf.Tensor4D>>) =>
        Object.entries(features).map(([name, value]) => [`${prefix}/${name}`, resizeBilinear(value, [GRID, GRID])]);
      return { outputs: Object.fromEntries([...named("from", source), ...named("to", target)]) };
    });
}
