/** Measures the faithfulness of explanations that were made elsewhere, without a model. */

import type { Judged } from "../explain/calibration/ground-truth.js";
import type { Faithfulness } from "./faithfulness.js";
import { createTally } from "./tally.js";

/**
 * @param images of the test split, each explained by one method with the default target. Counted are those labelled with a
 *   cause and another aspect, answered right, in which the relevance of a cause and of another aspect could be read.
 */
export async function measureFaithfulness(
  images: AsyncIterable<Judged> | Iterable<Judged>,
  { isDefault = true }: { isDefault?: boolean } = {},
): Promise<Faithfulness> {
  const tally = createTally();
  for await (const judged of images) tally.add(judged);
  return tally.result({ isDefault });
}
