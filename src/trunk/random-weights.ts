/** Fresh weights for a trunk that learns from nothing. */

import type { NdArray } from "../core/nd-array.js";
import { initialize } from "../core/parameters.js";
import type { Trunk } from "./trunk.js";

/**
 * Parameters for a trunk that is trained from scratch.
 *
 * He-normal kernels, batch normalisation that changes nothing yet. The same seed gives the same numbers, layer by
 * layer.
 *
 * @param isFolded a bias of zeros in place of batch normalisation.
 */
export function randomWeights(
  trunk: Pick<Trunk, "parameters" | "foldedParameters">,
  { seed, isFolded = false }: { seed: number; isFolded?: boolean },
): Record<string, NdArray> {
  return initialize(isFolded ? trunk.foldedParameters : trunk.parameters, { seed });
}
