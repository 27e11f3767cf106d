/** Which batches of an epoch make one optimizer step together: `accumulate` of them; the last group of an epoch may be shorter. */

interface Epoch {
  readonly batchCount: number;
  readonly accumulate: number;
}

/** Optimizer steps in an epoch. */
export function stepsOfEpoch({ batchCount, accumulate }: Epoch): number {
  return Math.ceil(batchCount / accumulate);
}

/**
 * The group of a batch. What is left at the end of an epoch is a group of its own, whose gradients are divided by its own
 * number of batches: no image is lost, none is seen more often, and every epoch ends with a whole step.
 *
 * @param batch 0-based within the epoch.
 * @returns the 0-based optimizer step within the epoch, its number of batches, and whether this batch ends it.
 */
export function groupOf(
  batch: number,
  { batchCount, accumulate }: Epoch,
): { step: number; size: number; isLast: boolean } {
  const step = Math.floor(batch / accumulate);
  const end = Math.min((step + 1) * accumulate, batchCount);
  return { step, size: end - step * accumulate, isLast: batch === end - 1 };
}
