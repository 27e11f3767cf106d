/** Whether answers tell more than one that is the same for every image. */

/** How much better a score must be, where 1 is perfect. */
const LEAST_GAIN = 0.02;

/** @param constant the score of the best constant answer; one that is perfect leaves nothing to be better at. */
export function isConstantAsGood(score: number, constant: number): boolean {
  return constant <= 1 - LEAST_GAIN && score <= constant + LEAST_GAIN;
}
