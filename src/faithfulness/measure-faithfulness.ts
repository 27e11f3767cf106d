/** Measures the faithfulness of explanations that were made elsewhere, without a model. */

import type { GroundTruthComparison } from "../explain/calibration/ground-truth.js";
import type { Faithfulness } from "./faithfulness.js";
import { createTally } from "./tally.js";

/**
 * Counts, over explained images whose causes are known, how often the explanations name them.
 *
 * @param images of the test split, each explained by one method with the default target. Counted are those labelled
 *   with a cause and another aspect, answered right, in which the relevance of a cause and of another aspect could be
 *   read.
 */
export async function measureFaithfulness(
  images: AsyncIterable<GroundTruthComparison> | Iterable<GroundTruthComparison>,
  { isDefault = true }: { isDefault?: boolean } = {},
): Promise<Faithfulness> {
  const tally = createTally();
  for await (const comparison of images) tally.add(comparison);
  return tally.result({ isDefault });
}
