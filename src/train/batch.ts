/** What a step consumes. */

import type { Sample } from "../core/annotation.js";
import type { NdArrays } from "../core/nd-array.js";

/** Model inputs of `batchSize` rows; in the last batch of an evaluation fewer samples, and rows of zeros behind them. */
export interface Batch {
  readonly inputs: NdArrays;
  readonly samples: readonly Sample[];
}
