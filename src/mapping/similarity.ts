/** How alike two layers are, whatever their channels mean one by one. */

/**
 * Linear centred kernel alignment: `|X^T Y|^2 / (|X^T X| |Y^T Y|)` of centred features, Frobenius norms (Kornblith et al.
 * 2019, arXiv:1905.00414). It is computed from what the rows have in common, `X X^T`, so that wide layers cost no more.
 *
 * @param first `[rows, channels]`. @param second the same rows of another layer.
 * @returns 0..1; 0 where one of them is constant.
 */
export function linearSimilarity(
  first: readonly (readonly number[])[],
  second: readonly (readonly number[])[],
): number {
  const [a, b] = [kernelOf(first), kernelOf(second)];
  const product = (x: Float64Array, y: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
    return sum;
  };
  const norm = Math.sqrt(product(a, a) * product(b, b));
  return norm > 0 ? product(a, b) / norm : 0;
}

/** `[rows, rows]`, of centred features. */
function kernelOf(rows: readonly (readonly number[])[]): Float64Array {
  const channels = rows[0]?.length ?? 0;
  const means = Float64Array.from({ length: channels }, (_, channel) => {
    let sum = 0;
    for (const row of rows) sum += row[channel];
    return sum / rows.length;
  });
  const centred = rows.map((row) => Float64Array.from(row, (value, channel) => value - means[channel]));
  const kernel = new Float64Array(rows.length ** 2);
  for (const [i, a] of centred.entries())
    for (let j = 0; j <= i; j++) {
      const b = centred[j];
      let sum = 0;
      for (let channel = 0; channel < channels; channel++) sum += a[channel] * b[channel];
      kernel[i * rows.length + j] = sum;
      kernel[j * rows.length + i] = sum;
    }
  return kernel;
}
