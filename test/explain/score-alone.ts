/** The score of an aspect that is alone in its image. */

import type { NdArray } from "../../src/core/nd-array.js";
import { instanceScore, scoresOf } from "../../src/explain/reading/scores.js";

/**
 * @param taps its layers: the net and the sum of `|c|`, and sums of `d p` and `p^2`.
 * @param options.cells of an instance, layer by layer.
 */
export function scoreAlone(
  taps: readonly { evidence: NdArray; overlap: NdArray }[],
  { cells }: { cells?: readonly Uint8Array[] } = {},
): number {
  const aspect = taps.map(({ overlap }, index) => ({ tap: String(index), index: 0, overlap }));
  const sums = Object.fromEntries(taps.map(({ evidence }, index) => [String(index), { evidence }]));
  const [{ score }] = scoresOf([aspect], sums);
  if (!cells) return score;
  return instanceScore(aspect, sums, {
    cells: Object.fromEntries(cells.map((chosen, index) => [String(index), chosen])),
  });
}
