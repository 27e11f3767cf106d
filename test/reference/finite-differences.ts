/** Gradients by central differences in float64. */

/** d f / d at, element by element; the error is of the order of `step` squared. */
export function finiteDifferences(f: (at: number[]) => number, at: ArrayLike<number>, step = 1e-5): number[] {
  const values = Array.from(at);
  return values.map((value, index) => {
    const moved = (by: number) => f(values.with(index, value + by));
    return (moved(step) - moved(-step)) / (2 * step);
  });
}
