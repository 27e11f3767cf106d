/** Names of the arrays that training keeps beside the parameters, each named after its parameter. */

export const firstMoment = (name: string) => `adam/first/${name}`;
export const secondMoment = (name: string) => `adam/second/${name}`;
/** Sum of the gradients of the batches so far in a group. */
export const gradientSum = (name: string) => `gradient/${name}`;
/** Exponential moving average of the parameter. */
export const movingAverage = (name: string) => `average/${name}`;

/** Whether an array is a running mean or variance of batch normalisation. */
export function isStatistic(name: string): boolean {
  return /\/moving_(mean|variance)$/.test(name);
}

/** Neither a parameter nor a moving statistic of batch normalisation. */
export function isAuxiliary(name: string): boolean {
  return /^(adam|gradient|average)\//.test(name);
}
