/** Which trunks there are, and from which choices one can be built. */

import { ConfigError } from "../core/errors.js";
import type { Architecture } from "./layer.js";
import { mobilenetV1 } from "./mobilenet-v1.js";
import { mobilenetV2 } from "./mobilenet-v2.js";
import type { TrunkSpec } from "./trunk.js";
import { vgg16, vgg19 } from "./vgg.js";

const ARCHITECTURES: Readonly<Record<TrunkSpec["name"], (alpha: number) => Architecture>> = {
  "mobilenet-v1": mobilenetV1,
  "mobilenet-v2": mobilenetV2,
  vgg16,
  vgg19,
};

/** Names of all trunks. */
export const TRUNK_NAMES = Object.keys(ARCHITECTURES) as readonly TrunkSpec["name"][];

/** @throws ConfigError where the name, the width or the size cannot be built. */
export function architectureOf({ name, alpha, inputSize, convention }: TrunkSpec): Architecture {
  if (!Object.hasOwn(ARCHITECTURES, name))
    throw new ConfigError(`trunk.name: no trunk "${name}". There are: ${TRUNK_NAMES.join(", ")}.`);
  if (!Number.isInteger(inputSize) || inputSize < 32)
    throw new ConfigError(`trunk.inputSize: got ${inputSize}, needs a whole number of at least 32 pixels.`);
  if (!Number.isFinite(alpha) || alpha <= 0)
    throw new ConfigError(`trunk.alpha: got ${alpha}, needs a positive number such as 0.25, 0.5 or 1.`);
  const architecture = ARCHITECTURES[name](alpha);
  const empty = architecture.layers.find((layer) => layer.channels < 1);
  if (empty)
    throw new ConfigError(`trunk.alpha: with ${alpha}, layer ${empty.name} has no channels. Take a larger one.`);
  return convention === "torchvision" ? { ...architecture, scaling: "imagenet", padding: "symmetric" } : architecture;
}
