/** What the file of a trunk says about it. Nothing else in the code tells one trunk from another by its name. */

import type { Architecture } from "./architecture.js";
import type { PublishedWeights } from "./published-weights.js";

export interface TrunkDefinition<Name extends string = string> {
  /** As configurations and bundles write it. */
  readonly name: Name;
  /** @param alpha width multiplier. */
  readonly architecture: (alpha: number) => Architecture;
  /** Width multiplier where neither a configuration nor weights say it. */
  readonly defaultAlpha: number;
  /** First layer that learns in the default fine-tuning; of a MobileNet the first of stride 8. Earlier ones are general. */
  readonly fineTuneFrom: string;
  /** Widths whose weights come with the package, the default first. */
  readonly builtinAlphas: readonly number[];
  /** Weights that can be downloaded. */
  readonly published: readonly PublishedWeights[];
  /** How its weights are recognised in files. */
  readonly weights: WeightNames;
}

export interface WeightNames {
  /** Keras' names of all layers that have a kernel. */
  readonly layers: RegExp;
  /** Layers that a file of this trunk has, also one that ends early, and a file of no other trunk. */
  readonly present: readonly string[];
  /** Layers that such a file lacks, where those present are another trunk's too. */
  readonly absent?: readonly string[];
  /** The layer that an older version of Keras names otherwise. */
  readonly layerOfOlderName?: (kerasName: string) => string | undefined;
  /** Scopes of nodes in TF-slim's graphs, and the layer that each means. */
  readonly slimScopes?: readonly (readonly [scope: RegExp, layer: (...groups: string[]) => string])[];
  /** How many convolutions the published classifier has after the trunk (default 0). */
  readonly classifierConvolutions?: number;
}
