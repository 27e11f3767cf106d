/** The constants of `explainFunction`, under the names that it reads. */

import { referenceName } from "../../core/graph-ports.js";
import type { NdArrays } from "../../core/nd-array.js";

/**
 * The two parts of a trained model as one: the parameters by name, and `reference/<tap>` of each explained layer.
 *
 * @param trained a trained model.
 */
export function explainConstants({ parameters, references }: { parameters: NdArrays; references: NdArrays }): NdArrays {
  const named = Object.entries(references).map(([tap, table]) => [referenceName(tap), table]);
  return { ...parameters, ...Object.fromEntries(named) };
}
