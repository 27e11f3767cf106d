/** The relevance of an aspect that is alone in its image. */

import type { NdArray } from "../../src/core/nd-array.js";
import { instanceRelevance, relevancesOf } from "../../src/explain/reading/relevance.js";

/**
 * @param taps its layers: sums of `c^2`, and of `c p` and `p^2`.
 * @param options.cells of an instance, layer by layer.
 */
export function relevanceAlone(
  taps: readonly { evidence: NdArray; overlap: NdArray }[],
  { cells }: { cells?: readonly Uint8Array[] } = {},
): number {
  const aspect = taps.map(({ overlap }, index) => ({ tap: String(index), index: 0, overlap }));
  const sums = Object.fromEntries(taps.map(({ evidence }, index) => [String(index), { evidence }]));
  const [{ relevance }] = relevancesOf([aspect], sums);
  if (!cells) return relevance;
  return instanceRelevance(aspect, sums, {
    cells: Object.fromEntries(cells.map((chosen, index) => [String(index), chosen])),
  });
}
