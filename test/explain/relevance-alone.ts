/** The relevance of an aspect that is alone in its image. */

import type { NdArray } from "../../src/core/nd-array.js";
import { relevancesOf } from "../../src/explain/reading/relevance.js";

/** @param taps its layers: sums of `c^2`, and of `c p` and `p^2`. */
export function relevanceAlone(
  taps: readonly { evidence: NdArray; overlap: NdArray }[],
  { cells }: { cells?: readonly Uint8Array[] } = {},
): number {
  const named = taps.map((tap, index) => [String(index), tap] as const);
  const [relevance] = relevancesOf(
    [named.map(([tap, { overlap }]) => ({ tap, index: 0, overlap }))],
    Object.fromEntries(named.map(([tap, { evidence }]) => [tap, { evidence }])),
    { cells: cells && Object.fromEntries(cells.map((chosen, index) => [String(index), chosen])) },
  );
  return relevance;
}
