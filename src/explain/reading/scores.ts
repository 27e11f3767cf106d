/** The score of each aspect: how much of the answer's evidence its own evidence accounts for, beside the others'. */

import { nonNegativeLeastSquares } from "./non-negative-least-squares.js";
import { type AspectOverlap, measureOverlap, sharedBy, type TapSums } from "./overlap.js";

/** Of one aspect of one image, 0..1 each. */
export interface Scores {
  /** Of the answer's evidence, the part that this aspect's evidence accounts for. */
  readonly score: number;
  /** The same of the evidence with its sign turned: what the aspect says against the answer. */
  readonly against: number;
}

/**
 * The answer's evidence `d` is fitted as a sum of the aspects' `p`, each taken zero or more times:
 * `min |d - sum_a b_a p_a|^2`, `b >= 0`, over all elements of all layers. The score is `b_a <p_a, d> / |d|^2`. Of one
 * aspect alone that is the square of the cosine; of several, what each adds, which together are at most 1 where they
 * read the same layers (an aspect that only corrects another, with a negative product, has none). What two aspects share
 * counts once, for the one that fits better.
 *
 * @param aspects those that are present, each with its layers.
 */
export function scoresOf(
  aspects: readonly (readonly AspectOverlap[])[],
  taps: Readonly<Record<string, TapSums>>,
): Scores[] {
  const measured = aspects.map((aspect) => measureOverlap(aspect, taps));
  const gram = aspects.map((a, row) =>
    aspects.map((b, column) => (row === column ? measured[row].aspectSquare : sharedBy(a, b, taps))),
  );
  const explained = (sign: 1 | -1) => {
    const products = measured.map(({ product }) => sign * product);
    const coefficients = nonNegativeLeastSquares(gram, products);
    return measured.map(({ answerSquare }, index) => share(coefficients[index] * products[index], answerSquare));
  };
  const [scores, against] = [explained(1), explained(-1)];
  return scores.map((score, index) => ({ score, against: against[index] }));
}

/**
 * The score of one instance alone: nothing is left to other aspects or instances. Where the answer needs one of two
 * pets because that one is striped, leaving the stripes' part to the stripes would take from the very pet that matters.
 *
 * @param cells of the instance, by layer: `[height * width]`, non-zero where the place counts.
 */
export function instanceScore(
  aspect: readonly AspectOverlap[],
  taps: Readonly<Record<string, TapSums>>,
  { cells }: { cells: Readonly<Record<string, Uint8Array>> },
): number {
  const { product, aspectSquare, answerSquare } = measureOverlap(aspect, taps, cells);
  return product <= 0 || aspectSquare === 0 ? 0 : share(product ** 2 / aspectSquare, answerSquare);
}

function share(part: number, whole: number): number {
  return whole > 0 ? Math.min(1, Math.max(0, part / whole)) : 0;
}
