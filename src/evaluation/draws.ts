/** How often a bootstrap can draw in reasonable time. */

import { MOST_DRAWS } from "../metrics/bootstrap.js";

/** Work that the draws of one head may take, in numbers; beyond it fewer are drawn. */
const MOST_NUMBERS = 5e8;
const FEWEST_DRAWS = 100;

/** @param numbers that each draw goes through. */
export function drawsFor(numbers: number): number {
  return Math.max(FEWEST_DRAWS, Math.min(MOST_DRAWS, Math.floor(MOST_NUMBERS / numbers)));
}
