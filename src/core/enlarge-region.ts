/** A region at the size of the model, in the size of its image. */

/**
 * Bilinear between the centres of cells, as in the overlay; one half or more is inside.
 *
 * @param region `[size * size]` of 0 and 1, row-major.
 * @returns `[height * width]` of 0 and 1.
 */
export function enlargeRegion(
  region: Uint8Array,
  { size, shape }: { size: number; shape: { readonly width: number; readonly height: number } },
): Uint8Array {
  const { width, height } = shape;
  const cellsAt = (place: number, side: number) => {
    const centre = Math.min(size - 1, Math.max(0, ((place + 0.5) * size) / side - 0.5));
    const low = Math.floor(centre);
    return { low, high: Math.min(size - 1, low + 1), share: centre - low };
  };
  const columns = Array.from({ length: width }, (_, x) => cellsAt(x, width));
  const inside = new Uint8Array(width * height);
  const row = new Float32Array(size);
  for (let y = 0; y < height; y++) {
    const { low, high, share } = cellsAt(y, height);
    for (let cell = 0; cell < size; cell++)
      row[cell] = region[low * size + cell] * (1 - share) + region[high * size + cell] * share;
    for (let x = 0; x < width; x++) {
      const { low, high, share } = columns[x];
      if (row[low] * (1 - share) + row[high] * share >= 0.5) inside[y * width + x] = 1;
    }
  }
  return inside;
}
