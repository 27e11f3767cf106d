/** When two runs of one graph count as the same: every comparison of goldens, engines and machines goes by this. */

import { isEvidencePort, isUnmaskedAnswer } from "../core/graph-ports.js";
import type { NdArray } from "../core/nd-array.js";

/** How far an output is from what it must be; agreement means `error <= tolerance`. */
export interface Deviation {
  readonly output: string;
  /** `absolute`: the largest difference. `relative`: the L2 norm of the difference over that of the expected. */
  readonly measure: "absolute" | "relative";
  readonly error: number;
  readonly tolerance: number;
}

const ABSOLUTE = 1e-4;
const RELATIVE = 1e-3;
/**
 * Of evidence and its overlap, which come element by element through the gradients of rectifiers: on another processor
 * a unit that lies within rounding of its bend counts or does not. Seen: 3e-3 between two builds of one runtime.
 */
const RELATIVE_GATED = 1e-2;

/**
 * Logits, scores and what heads say on unmasked features and on the reference are compared element by element; weights,
 * maps and masked answers by their norm, since they come through a gradient; evidence and overlap likewise, less
 * strictly.
 *
 * @param output its name in the graph.
 */
export function deviation(output: string, actual: NdArray | undefined, expected: NdArray): Deviation {
  const relative = isEvidencePort(output) ? RELATIVE_GATED : RELATIVE;
  if (actual === undefined || actual.shape.join() !== expected.shape.join()) {
    return { output, measure: "absolute", error: Number.POSITIVE_INFINITY, tolerance: ABSOLUTE };
  }
  let largestDifference = 0;
  let largest = 1;
  let squaredDifference = 0;
  let squared = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const difference = Math.abs(actual.data[i] - expected.data[i]);
    // A comparison with NaN is false, so it is caught here.
    largestDifference = difference >= 0 ? Math.max(largestDifference, difference) : Number.POSITIVE_INFINITY;
    largest = Math.max(largest, Math.abs(expected.data[i]));
    squaredDifference += difference ** 2;
    squared += expected.data[i] ** 2;
    if (largestDifference === Number.POSITIVE_INFINITY) break;
  }
  if (isUnmaskedAnswer(output))
    return { output, measure: "absolute", error: largestDifference, tolerance: ABSOLUTE * largest };
  if (largestDifference === 0) return { output, measure: "relative", error: 0, tolerance: relative };
  // Where the expected is zero throughout, so must be the actual.
  const error = Number.isFinite(largestDifference) ? Math.sqrt(squaredDifference / squared) : Number.POSITIVE_INFINITY;
  return { output, measure: "relative", error, tolerance: relative };
}

/**
 * How many times over its tolerance; above 1 is disagreement. What cannot be compared, as with NaN, disagrees without
 * end.
 */
export function severity({ error, tolerance }: Deviation): number {
  const times = error / tolerance;
  return Number.isFinite(tolerance) && !Number.isNaN(times) ? times : Number.POSITIVE_INFINITY;
}
