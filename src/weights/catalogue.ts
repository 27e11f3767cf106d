/** The pre-trained weights that can be pulled from public addresses, and their licences. */

import { WeightsError } from "../core/errors.js";
import { decimal } from "../trunk/published-weights.js";
import type { TrunkDefinition } from "../trunk/trunk-definition.js";
import type { TrunkSpec } from "../trunk/trunk-spec.js";
import { TRUNKS, type TrunkName } from "../trunk/trunks.js";

/** One set of weights that can be pulled. */
export interface CatalogueEntry {
  /** The name that users give. */
  readonly name: string;
  readonly trunk: TrunkSpec;
  /** A Keras `.h5`, or the `model.json` of a tfjs model whose shards lie beside it. */
  readonly address: string;
  readonly form: "h5" | "tfjs";
  readonly licence: string;
}

/** Base address of each source; the catalogue is in this order. */
const SOURCES = {
  keras: "https://storage.googleapis.com/tensorflow/keras-applications",
  tfjs: "https://storage.googleapis.com/tfjs-models/tfjs",
  tfhub: "https://tfhub.dev/google/imagenet",
} as const;

/** All entries, from the trunks' lists of published weights. */
export const CATALOGUE: readonly CatalogueEntry[] = (Object.keys(SOURCES) as (keyof typeof SOURCES)[]).flatMap(
  (source) => TRUNKS.flatMap((trunk) => entriesOf(trunk, source)),
);

/**
 * The entry of the catalogue with a name.
 *
 * @throws WeightsError that suggests similar names, if the catalogue has no such name.
 */
export function catalogued(name: string): CatalogueEntry {
  const entry = CATALOGUE.find((candidate) => candidate.name === name);
  if (entry) return entry;
  const near = CATALOGUE.filter((candidate) => candidate.name.includes(name)).map((candidate) => candidate.name);
  const hint = near.length > 0 ? `Did you mean ${near.slice(0, 4).join(", ")}? ` : "";
  throw new WeightsError(`weights "${name}" cannot be pulled by that name.`, {
    cure: `${hint}All names: aspectlens weights list.`,
  });
}

function entriesOf(
  { name, published }: TrunkDefinition<TrunkName>,
  source: keyof typeof SOURCES,
): readonly CatalogueEntry[] {
  const own = published.filter((weights) => weights.source === source);
  return own.map(({ alpha, inputSize, path, licence }) => ({
    // If a trunk has only one set of weights, its name has no width and size.
    name: `${source}-${name}${own.length > 1 ? `-${decimal(alpha)}-${inputSize}` : ""}`,
    trunk: { name, alpha, inputSize },
    form: source === "keras" ? "h5" : "tfjs",
    licence,
    address: `${SOURCES[source]}/${path}`,
  }));
}
