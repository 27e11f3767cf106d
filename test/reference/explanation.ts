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

/** `<d, p> / (|d| |p|)`, d the signed root of c, over all elements of one tap, times c's share at the places that hold 1 % of the most of p. */
export function relevance(c: readonly number[], p: readonly number[], channels: number): number {
  const squares = (v: readonly number[]) =>
    placeSums(
      v.map((value) => value ** 2),
      channels,
    );
  const sum = (v: readonly number[]) => v.reduce((all, value) => all + value, 0);
  const [atC, atP] = [squares(c), squares(p)];
  const d = c.map((value) => Math.sign(value) * Math.sqrt(Math.abs(value)));
  const cosine = sum(d.map((value, index) => value * p[index])) / Math.sqrt(sum(squares(d)) * sum(atP));
  const within = sum(atC.filter((_, place) => atP[place] >= Math.max(...atP) / 100));
  return (Math.max(0, cosine) * within) / sum(atC);
}

/** Matching pursuit of c over the p, each taken once, on the vectors themselves. */
export function jointRelevances(c: readonly number[], ps: readonly (readonly number[])[]): number[] {
  const unit = (v: readonly number[]) => {
    const norm = Math.hypot(...v);
    return v.map((value) => (norm > 0 ? value / norm : 0));
  };
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, index) => sum + value * b[index], 0);
  let residual = unit(c);
  const found = ps.map(() => Number.NaN);
  while (found.some(Number.isNaN)) {
    const overlaps = ps.map((p, index) =>
      Number.isNaN(found[index]) ? dot(residual, unit(p)) : Number.NEGATIVE_INFINITY,
    );
    const best = overlaps.indexOf(Math.max(...overlaps));
    found[best] = Math.max(0, overlaps[best]);
    residual = residual.map((value, index) => value - found[best] * unit(ps[best])[index]);
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
