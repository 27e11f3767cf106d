/** A quantile of plain numbers; `rowQuantiles` is its twin in a graph. */

/**
 * Linear interpolation between order statistics, as numpy's default: position `share * (n - 1)` in ascending order.
 *
 * @param values at least one.
 * @param share 0..1.
 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low] + (place - low) * (sorted[high] - sorted[low]);
}
