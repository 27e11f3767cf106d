/**
 * The mapping of a shared trunk: the masked layer is the one that the head reads, or leads to it through the same
 * trunk.
 */

import { ConfigError } from "../../../core/errors.js";
import type { MappingOf } from "./mapping.js";

/** @throws ConfigError where `to` cannot be computed from `from` alone: only a trained mapping leads there. */
export const identity: MappingOf =
  ({ trunk }, parameters) =>
  (features, from, to) => {
    if (from === to) return features;
    if (trunk.leadsTo(from, to)) return trunk.run(parameters, { [from]: features }, [to])[to];
    throw new ConfigError(`mapping: identity cannot lead from layer "${from}" to "${to}".`, {
      cure: "Train a mapping model between them.",
    });
  };
