/** What training writes down of each epoch, and the page of a run shows. */

/** One line of `metrics.jsonl`. */
export interface EpochRecord {
  readonly stage: number;
  /** Counts from 1 within the stage. */
  readonly epoch: number;
  readonly seconds: number;
  readonly learningRate: number;
  /** Mean over the epoch's steps: `total` and one a head. */
  readonly losses: Readonly<Record<string, number>>;
  /** Metrics of the validation split by head, or `null` where there is none. */
  readonly validation: Readonly<Record<string, unknown>> | null;
  readonly score: number | null;
  /** Heads that were found to see nothing yet; from the next epoch on their losses count more. */
  readonly stuck?: readonly string[];
}
