/** Gradient accumulation: `accumulate` batches make one optimizer step; the last step of an epoch may have fewer. */

interface Epoch {
  readonly batchCount: number;
  readonly accumulate: number;
}

/** Optimizer steps in an epoch. */
export function stepsOfEpoch({ batchCount, accumulate }: Epoch): number {
  return Math.ceil(batchCount / accumulate);
}

/**
 * The optimizer step of a batch. The batches left at the end of an epoch make a step of their own, whose gradients are
 * divided by its own number of batches: no image is lost, none is seen more often, and every epoch ends with a whole
 * step.
 *
 * @param batch 0-based within the epoch.
 * @returns the 0-based optimizer step within the epoch, its number of batches, and whether this batch ends it.
 */
export function stepOfBatch(
  batch: number,
  { batchCount, accumulate }: Epoch,
): { step: number; size: number; isLast: boolean } {
  const step = Math.floor(batch / accumulate);
  const end = Math.min((step + 1) * accumulate, batchCount);
  return { step, size: end - step * accumulate, isLast: batch === end - 1 };
}
