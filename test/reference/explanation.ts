/** Section 4 of the design as plain float64 loops over flat arrays of one image. */

/** Quantile with linear interpolation, by sorting. */
export function quantile(values: ArrayLike<number>, q: number): number {
  const sorted = Array.from(values).sort((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low] + (sorted[high] - sorted[low]) * (position - low);
}

export interface Representation {
  /** `[places * channels]`, channels innermost. */
  readonly features: ArrayLike<number>;
  /** `[channels]`. */
  readonly reference: ArrayLike<number>;
  readonly channels: number;
}

/** Differences from the reference, `[places * channels]`. */
export function difference({ features, reference, channels }: Representation): number[] {
  return Array.from(features, (value, index) => value - reference[index % channels]);
}

/** Mean over places of each channel. */
export function filterWeights(gradient: ArrayLike<number>, channels: number): number[] {
  const weights = new Array<number>(channels).fill(0);
  for (let index = 0; index < gradient.length; index++) {
    weights[index % channels] += gradient[index] / (gradient.length / channels);
  }
  return weights;
}

/** `r + clip(w / p95(|w|), 0, 1) (f - r)`. */
export function maskedByFilterWeights(of: Representation, weights: readonly number[]): number[] {
  const scale = quantile(weights.map(Math.abs), 0.95);
  return difference(of).map((value, index) => {
    const channel = index % of.channels;
    return of.reference[channel] + Math.min(1, Math.max(0, weights[channel] / scale)) * value;
  });
}

/** @param map of every element, zero or more. */
export function maskedByMap(of: Representation, map: readonly number[]): number[] {
  const scale = Math.max(...map);
  return difference(of).map((value, index) => of.reference[index % of.channels] + (map[index] / scale) * value);
}

/** The sum over channels at each place. */
export function placeSums(elements: readonly number[], channels: number): number[] {
  return Array.from({ length: elements.length / channels }, (_, place) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += elements[place * channels + channel];
    return sum;
  });
}

/** c. */
export function answerEvidence(of: Representation, gradient: ArrayLike<number>): number[] {
  const product = difference(of).map((value, index) => value * gradient[index]);
  return product.map((value, index) => {
    const start = index - (index % of.channels);
    let net = 0;
    let gross = 0;
    for (let channel = 0; channel < of.channels; channel++) {
      net += product[start + channel];
      gross += Math.max(0, product[start + channel]);
    }
    return gross > 0 ? (value * Math.max(0, net)) / gross : 0;
  });
}

/** p. */
export function aspectEvidence(of: Representation, gradient: ArrayLike<number>): number[] {
  return difference(of).map((value, index) => value * gradient[index]);
}

/** d, the signed root of c. */
export function rootEvidence(c: readonly number[]): number[] {
  return c.map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
}

/**
 * Non-negative least squares of d on the p, on the vectors themselves: of every subset of the aspects the plain least
 * squares, by Gram-Schmidt; the best of those without a negative coefficient. Each score is `b <p, d> / |d|^2`.
 */
export function scores(d: readonly number[], ps: readonly (readonly number[])[]): number[] {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * b[index], 0);
  let best = ps.map(() => 0);
  let most = 0;
  for (let subset = 1; subset < 2 ** ps.length; subset++) {
    const chosen = ps.map((_, index) => index).filter((index) => (subset >> index) % 2 === 1);
    const own = leastSquares(
      d,
      chosen.map((index) => ps[index]),
    );
    if (own.some((coefficient) => !(coefficient >= 0))) continue;
    const explained = chosen.reduce((sum, index, at) => sum + own[at] * dot(ps[index], d), 0);
    if (explained <= most) continue;
    most = explained;
    best = ps.map((p, index) => (chosen.includes(index) ? (own[chosen.indexOf(index)] * dot(p, d)) / dot(d, d) : 0));
  }
  return best;
}

/** Coefficients, by orthogonal directions and back substitution. */
function leastSquares(d: readonly number[], ps: readonly (readonly number[])[]): number[] {
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * b[index], 0);
  const directions: number[][] = [];
  const steps: number[][] = [];
  for (const p of ps) {
    const own = directions.map((direction) => dot(p, direction) / dot(direction, direction));
    steps.push(own);
    directions.push(p.map((value, at) => own.reduce((rest, step, k) => rest - step * directions[k][at], value)));
  }
  const along = directions.map((direction) => dot(d, direction) / dot(direction, direction));
  const found = [...along];
  for (let index = ps.length - 1; index >= 0; index--) {
    for (let later = index + 1; later < ps.length; later++) found[index] -= steps[later][index] * found[later];
  }
  return found;
}

/** Sum over the region of v - e over that of u - e. */
export function survival(
  { u, v, e }: Record<"u" | "v" | "e", ArrayLike<number>>,
  { threshold }: { threshold: number },
): number | null {
  let [left, whole, count] = [0, 0, 0];
  for (let index = 0; index < u.length; index++) {
    if (1 / (1 + Math.exp(-u[index])) < threshold) continue;
    left += v[index] - e[index];
    whole += u[index] - e[index];
    count++;
  }
  return count === 0 || whole / count < 1 ? null : left / whole;
}
