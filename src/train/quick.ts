/** How many epochs over how many images fill a time: the arithmetic of `train --quick`. */

import type { ImageLimits } from "../dataset/open-part.js";
import type { StageConfig } from "./config-stages.js";

/** What was measured on this machine, and how large the data are. */
export interface QuickFacts {
  readonly batchSize: number;
  readonly trainCount: number;
  readonly validationCount: number;
  /** How often an image is drawn in an epoch, on average. */
  readonly drawsEach: number;
  /** Of one step of each stage. */
  readonly stepSeconds: readonly number[];
  /** Of the frozen trunk's features of one image; 0 where none are computed. */
  readonly featureSeconds: number;
}

/** Seconds for steps and features: the rest of a minute goes to validation, thresholds and references. */
const BUDGET = 35;
/** Fewer passes teach less than the same time on fewer images. */
const FEWEST_EPOCHS = 4;
/** Validation images to training images. */
const VALIDATION_SHARE = 0.25;

/**
 * Stages keep their shares of the time. Where four epochs of each take too long, fewer images are taken.
 *
 * @returns stages with no more epochs than given, and limits where not all images are taken.
 */
export function quickStages(
  stages: readonly StageConfig[],
  { batchSize, trainCount, validationCount, drawsEach, stepSeconds, featureSeconds }: QuickFacts,
): { stages: StageConfig[]; images?: ImageLimits } {
  const least = stages.map(({ epochs }) => Math.min(epochs, FEWEST_EPOCHS));
  const secondsOf = (epochs: readonly number[]) =>
    // Plain and flipped.
    2 * featureSeconds +
    (drawsEach / batchSize) * epochs.reduce((sum, count, index) => sum + count * stepSeconds[index], 0);
  const most = Math.max(batchSize, Math.floor(BUDGET / secondsOf(least)));
  if (most < trainCount) {
    const validation = Math.max(batchSize, Math.floor(VALIDATION_SHARE * most));
    return {
      stages: stages.map((stage, index) => ({ ...stage, epochs: least[index] })),
      images: { train: most, ...(validation < validationCount && { validation }) },
    };
  }
  const full = secondsOf(stages.map(({ epochs }) => epochs)) * trainCount;
  const share = Math.min(1, BUDGET / full);
  const epochsOf = ({ epochs }: StageConfig, index: number) => Math.max(least[index], Math.floor(share * epochs));
  return { stages: stages.map((stage, index) => ({ ...stage, epochs: epochsOf(stage, index) })) };
}
