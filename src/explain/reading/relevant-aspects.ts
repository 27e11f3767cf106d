/** Which aspects of an image are relevant: what they must reach. */

/** What one aspect of an image must reach, and what others beside it. */
export interface Thresholds {
  readonly value: number;
  readonly beside: number;
}

/** What is compared with them, 0..1 each: `relevance` and `relevanceApart` of an aspect. */
export interface Reached {
  readonly relevance: number;
  readonly apart: number;
}

/** The aspects of one image that are relevant. */
export function relevantOnes<T extends Reached>(aspects: readonly T[], { value, beside }: Thresholds): T[] {
  const isExplained = aspects.some(({ relevance }) => relevance >= value);
  return isExplained ? aspects.filter(({ relevance, apart }) => relevance >= value || apart >= beside) : [];
}
