/** Every trunk there is. A new one is a file of its own, such as `vgg.ts`, and an entry of this list. */

import { mobilenetV1 } from "./mobilenet-v1.js";
import { mobilenetV2 } from "./mobilenet-v2.js";
import type { TrunkDefinition } from "./trunk-definition.js";
import { vgg16, vgg19 } from "./vgg.js";

const LIST = [mobilenetV1, mobilenetV2, vgg16, vgg19] as const;

/** The name of a trunk. */
export type TrunkName = (typeof LIST)[number]["name"];

export const TRUNKS: readonly TrunkDefinition<TrunkName>[] = LIST;

/** The trunks that `createTrunk` makes. */
export const TRUNK_NAMES: readonly TrunkName[] = TRUNKS.map(({ name }) => name);

/** Trunks whose weights come with the package, as `builtin:<name>-<alpha>`; the first of a name is its default. */
export const BUILTIN: readonly { readonly name: TrunkName; readonly alpha: number }[] = TRUNKS.flatMap(
  ({ name, builtinAlphas }) => builtinAlphas.map((alpha) => ({ name, alpha })),
);

export function trunkDefinition(name: string): TrunkDefinition<TrunkName> {
  const found = TRUNKS.find((trunk) => trunk.name === name);
  if (found) return found;
  throw new Error(`no trunk ${name}`); // names are checked where they come in
}
