/** The table of layers of a trunk by its name, width and input size, and which of these cannot be built. */

import { ConfigError } from "../core/errors.js";
import type { Architecture } from "./architecture.js";
import type { TrunkSpec } from "./trunk-spec.js";
import { TRUNK_NAMES, TRUNKS } from "./trunks.js";

/** @throws ConfigError where the name, the width or the size cannot be built. */
export function architectureOf({ name, alpha, inputSize, convention }: TrunkSpec): Architecture {
  const definition = TRUNKS.find((trunk) => trunk.name === name);
  if (!definition)
    throw new ConfigError(`trunk.name: no trunk "${name}".`, { cure: `There are: ${TRUNK_NAMES.join(", ")}.` });
  if (typeof inputSize !== "number" || !Number.isInteger(inputSize) || inputSize < 32)
    throw new ConfigError(`trunk.inputSize: got ${inputSize}, needs a whole number of at least 32 pixels.`);
  if (!Number.isFinite(alpha) || alpha <= 0)
    throw new ConfigError(`trunk.alpha: got ${alpha}, needs a positive number such as 0.25, 0.5 or 1.`);
  const architecture = definition.architecture(alpha);
  const empty = architecture.layers.find((layer) => layer.channels < 1);
  if (empty)
    throw new ConfigError(`trunk.alpha: with ${alpha}, layer ${empty.name} has no channels.`, {
      cure: "Take a larger one.",
    });
  return convention === "torchvision" ? { ...architecture, scaling: "imagenet", padding: "symmetric" } : architecture;
}
