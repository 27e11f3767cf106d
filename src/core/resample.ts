/**
 * Resizing along one axis as a matrix: Catmull-Rom, over the footprint of each output pixel where it is made smaller.
 */

/** Pixels from the centre beyond which the kernel is zero, at its own scale. */
const SUPPORT = 2;

/** Catmull-Rom (Keys 1981, a = -1/2). */
function kernel(distance: number): number {
  const x = Math.abs(distance);
  if (x >= SUPPORT) return 0;
  return x < 1 ? (1.5 * x - 2.5) * x * x + 1 : ((-0.5 * x + 2.5) * x - 4) * x + 2;
}

const within = (index: number, count: number) => Math.min(count - 1, Math.max(0, index));

/**
 * Writes the shares of the source pixels in each output pixel: `out[i * stride + j * step]` for output i and source j.
 * The shares of an output pixel sum to 1; what lies beyond the part that is seen, or beyond the image, repeats its edge.
 *
 * @param out zeros, changed in place.
 * @param part.start first source pixel that is seen, of `part.length`; they fill `size` output pixels.
 * @param part.whole source pixels that there are.
 * @param part.isMirrored the last source pixel comes first.
 * @param place.offset where the matrix begins in `out`.
 */
export function writeResampling(
  out: Float32Array,
  {
    start,
    length,
    whole,
    size,
    isMirrored = false,
  }: { start: number; length: number; whole: number; size: number; isMirrored?: boolean },
  { offset, stride, step }: { offset: number; stride: number; step: number },
): void {
  const scale = Math.max(1, length / size);
  for (let i = 0; i < size; i++) {
    const centre = ((i + 0.5) * length) / size - 0.5;
    const first = Math.ceil(centre - SUPPORT * scale);
    const last = Math.floor(centre + SUPPORT * scale);
    let sum = 0;
    for (let j = first; j <= last; j++) sum += kernel((j - centre) / scale);
    const row = offset + (isMirrored ? size - 1 - i : i) * stride;
    for (let j = first; j <= last; j++) {
      const source = within(start + within(j, length), whole);
      out[row + source * step] += kernel((j - centre) / scale) / sum;
    }
  }
}
