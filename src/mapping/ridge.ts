/**
 * Linear regression with a penalty on the weights (ridge; Hoerl and Kennard 1970), from sums over all rows: what two
 * layers have in common is read from images once, whatever the penalty.
 */

import { ShapeError } from "../core/errors.js";

/** Sums over rows of predictors x and of what they shall predict, y. */
export interface Moments {
  readonly predictors: number;
  readonly targets: number;
  count: number;
  /** `[predictors]` and `[targets]`. */
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** `[predictors, predictors]` and `[predictors, targets]`, row-major. */
  readonly xx: Float64Array;
  readonly xy: Float64Array;
  /** `[targets]`, of the squares. */
  readonly yy: Float64Array;
}

/** A prediction `x kernel + bias`. */
export interface Regression {
  /** `[predictors, targets]`, row-major. */
  readonly kernel: Float32Array<ArrayBuffer>;
  /** `[targets]`. */
  readonly bias: Float32Array<ArrayBuffer>;
  /** On the rows that it was chosen on: the share of the variance of all targets together that is predicted. */
  readonly r2: number;
  /** Over the mean variance of the predictors. */
  readonly penalty: number;
}

/** What is left of a variance below this share of it is rounding of sums in float32. */
const DEPENDENT = 1e-6;
/** Of the mean variance of the predictors, from the largest. */
const PENALTIES = [1, 0.3, 0.1, 0.03, 0.01, 0.001];
/**
 * How much less of the variance a larger penalty may predict. The weights also carry evidence back, and small ones carry
 * less of what cancels in the sum: with them causes stand out more (bench/results/mappings.md).
 */
const LOSS = 0.02;

export function emptyMoments(predictors: number, targets: number): Moments {
  const zeros = (length: number) => new Float64Array(length);
  return {
    ...{ predictors, targets, count: 0, x: zeros(predictors), y: zeros(targets), yy: zeros(targets) },
    ...{ xx: zeros(predictors * predictors), xy: zeros(predictors * targets) },
  };
}

/** Adds sums to sums. @throws ShapeError where they are of other layers. */
export function addMoments(
  to: Moments,
  from: { readonly count: number } & Readonly<Record<"x" | "y" | "xx" | "xy" | "yy", ArrayLike<number>>>,
): void {
  for (const key of ["x", "y", "xx", "xy", "yy"] as const) {
    const [sums, more] = [to[key], from[key]];
    if (sums.length !== more.length)
      throw new ShapeError(`moments: expected ${sums.length} ${key}, got ${more.length}.`);
    for (let i = 0; i < sums.length; i++) sums[i] += more[i];
  }
  to.count += from.count;
}

/**
 * Fits on some rows, by the largest penalty that predicts others nearly as well as the best one does (as by the
 * one-standard-error rule of Breiman et al. 1984).
 *
 * @param fitted to these rows.
 * @param heldOut what the penalty is chosen on.
 * @param options.penalties from the largest, over the mean variance of the predictors.
 */
export function fitRidge(
  fitted: Moments,
  heldOut: Moments,
  { penalties = PENALTIES }: { penalties?: readonly number[] } = {},
): Regression {
  const { predictors, targets } = fitted;
  const { covariance, cross, meanX, meanY } = centred(fitted);
  let variance = 0;
  for (let i = 0; i < predictors; i++) variance += covariance[i * predictors + i] / predictors;
  const found = penalties.map((penalty): Regression => {
    const matrix = Float64Array.from(covariance);
    for (let i = 0; i < predictors; i++) matrix[i * predictors + i] += penalty * variance;
    const weights = solveSymmetric(matrix, cross, { size: predictors, columns: targets });
    const bias = Float64Array.from(meanY);
    for (let i = 0; i < predictors; i++)
      for (let j = 0; j < targets; j++) bias[j] -= meanX[i] * weights[i * targets + j];
    const r2 = explainedVariance(heldOut, { kernel: weights, bias });
    return { kernel: Float32Array.from(weights), bias: Float32Array.from(bias), r2, penalty };
  });
  const most = Math.max(...found.map(({ r2 }) => r2));
  const best = found.find(({ r2 }) => r2 >= most - LOSS);
  if (!best) throw new ShapeError("ridge: the features are no numbers.");
  return best;
}

/** 1 - squared error / variance of all targets together, on some rows; 0 where they do not vary. */
export function explainedVariance(
  { predictors, targets, count, x, y, xx, xy, yy }: Moments,
  { kernel, bias }: { readonly kernel: ArrayLike<number>; readonly bias: ArrayLike<number> },
): number {
  let [error, variance] = [0, 0];
  const product = new Float64Array(targets); // a row of xx kernel
  for (let i = 0; i < predictors; i++) {
    product.fill(0);
    for (let k = 0; k < predictors; k++) {
      const factor = xx[i * predictors + k];
      if (factor !== 0) for (let j = 0; j < targets; j++) product[j] += factor * kernel[k * targets + j];
    }
    for (let j = 0; j < targets; j++) {
      const weight = kernel[i * targets + j];
      error += weight * (product[j] - 2 * xy[i * targets + j] + 2 * bias[j] * x[i]);
    }
  }
  for (let j = 0; j < targets; j++) {
    error += yy[j] - 2 * bias[j] * y[j] + count * bias[j] ** 2;
    variance += yy[j] - y[j] ** 2 / Math.max(1, count);
  }
  return variance > 0 ? 1 - error / variance : 0;
}

/** Covariances and means. */
function centred({ predictors, targets, count, x, y, xx, xy }: Moments) {
  const meanX = x.map((sum) => sum / Math.max(1, count));
  const meanY = y.map((sum) => sum / Math.max(1, count));
  const covariance = new Float64Array(xx.length);
  const cross = new Float64Array(xy.length);
  for (let i = 0; i < predictors; i++) {
    for (let k = 0; k < predictors; k++)
      covariance[i * predictors + k] = xx[i * predictors + k] / Math.max(1, count) - meanX[i] * meanX[k];
    for (let j = 0; j < targets; j++)
      cross[i * targets + j] = xy[i * targets + j] / Math.max(1, count) - meanX[i] * meanY[j];
  }
  return { covariance, cross, meanX, meanY };
}

/**
 * Solves `matrix weights = right` by Cholesky's decomposition, in place. Of what follows from other rows, up to
 * rounding, the weight is 0.
 *
 * @param matrix `[size, size]`, symmetric and positive definite; it is overwritten.
 * @param right `[size, columns]`.
 */
export function solveSymmetric(
  matrix: Float64Array,
  right: Float64Array,
  { size, columns }: { size: number; columns: number },
): Float64Array {
  // The lower triangle L, row by row: matrix = L L^T.
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let j = 0; j <= i; j++) {
      const other = j * size;
      let sum = matrix[row + j];
      for (let k = 0; k < j; k++) sum -= matrix[row + k] * matrix[other + k];
      if (i > j) matrix[row + j] = sum / matrix[other + j];
      else matrix[row + i] = sum > DEPENDENT * matrix[row + i] ? Math.sqrt(sum) : Number.POSITIVE_INFINITY;
    }
  }
  const found = Float64Array.from(right);
  const subtract = (to: number, from: number, factor: number) => {
    for (let c = 0; c < columns; c++) found[to * columns + c] -= factor * found[from * columns + c];
  };
  const divide = (row: number) => {
    const by = matrix[row * size + row];
    for (let c = 0; c < columns; c++) found[row * columns + c] /= by;
  };
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) subtract(i, k, matrix[i * size + k]);
    divide(i);
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++) subtract(i, k, matrix[k * size + i]);
    divide(i);
  }
  return found;
}
