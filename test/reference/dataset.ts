/** Plain-loop twins of what the dataset does to pixels. */

/**
 * Catmull-Rom over a footprint that grows with the reduction, one axis after the other; edges repeat.
 *
 * @param image `[height, width, 3]`. @returns `[size, size, 3]`, not rounded.
 */
export function resizeCubic(
  image: Uint8Array,
  { width, height, size }: { width: number; height: number; size: number },
): Float64Array {
  const kernel = (t: number) => {
    const x = Math.abs(t);
    if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
    return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
  };
  const weights = (from: number) => {
    const scale = from / size;
    const reach = Math.max(1, scale);
    return Array.from({ length: size }, (_, o) => {
      const middle = (o + 0.5) * scale - 0.5;
      const taps = new Map<number, number>();
      let sum = 0;
      for (let i = Math.ceil(middle - 2 * reach); i <= Math.floor(middle + 2 * reach); i++) {
        const weight = kernel((i - middle) / reach);
        const place = Math.min(from - 1, Math.max(0, i));
        taps.set(place, (taps.get(place) ?? 0) + weight);
        sum += weight;
      }
      return [...taps].map(([i, weight]) => [i, weight / sum] as const);
    });
  };
  const across = weights(width);
  const down = weights(height);
  const out = new Float64Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      for (let k = 0; k < 3; k++) {
        let sum = 0;
        for (const [i, wy] of down[y]) for (const [j, wx] of across[x]) sum += wy * wx * image[(i * width + j) * 3 + k];
        out[(y * size + x) * 3 + k] = sum;
      }
    }
  }
  return out;
}

/** The smallest box around the ones of a `[size * size]` mask, in 0..1, or `null`. */
export function boxAround(mask: ArrayLike<number>, size: number): [number, number, number, number] | null {
  let box: [number, number, number, number] | null = null;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      if (mask[y * size + x] === 0) continue;
      const [top, left, bottom, right]: readonly number[] = box ?? [y, x, y + 1, x + 1];
      box = [Math.min(top, y), Math.min(left, x), Math.max(bottom, y + 1), Math.max(right, x + 1)];
    }
  }
  return box && [box[0] / size, box[1] / size, box[2] / size, box[3] / size];
}
