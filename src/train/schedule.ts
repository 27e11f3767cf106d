/**
 * What changes from step to step of a stage: learning rates, a linear warm-up and then a cosine to zero, and the
 * averaging.
 */

/** Share of a stage spent warming up, and at most so many steps. */
const WARM_UP_SHARE = 0.05;
const WARM_UP_LIMIT = 200;

/**
 * Factor of the learning rate at a step, 0..1 (Loshchilov & Hutter 2017, arXiv:1608.03983, without restarts; warm-up as
 * Goyal et al. 2017, arXiv:1706.02677).
 *
 * @param step 0-based within the stage.
 */
export function rateFactor(step: number, { stepCount }: { stepCount: number }): number {
  const warmUp = Math.min(WARM_UP_LIMIT, Math.ceil(stepCount * WARM_UP_SHARE));
  const rising = Math.min(1, (step + 1) / Math.max(1, warmUp));
  return rising * 0.5 * (1 + Math.cos((Math.PI * step) / stepCount));
}

/**
 * How much of the moving average a step keeps: at first little, so that the initial values are soon forgotten (as
 * TensorFlow's ExponentialMovingAverage with `num_updates`).
 *
 * @param step 0-based within the stage.
 * @param limit in [0, 1), reached after about 9 / (1 - limit) steps.
 */
export function averageDecay(step: number, { limit }: { limit: number }): number {
  return Math.min(limit, (1 + step) / (10 + step));
}
