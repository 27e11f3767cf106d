/**
 * Memory that is used again. A picture's arrays are large and short-lived: new ones for each would have to be cleared and
 * collected.
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Larger arrays, as of masks of very large images, are not kept. */
const MOST_KEPT = 1 << 24;

/**
 * @returns a function that gives an array of a length, with whatever was in it; the next call may give the same memory,
 *   so that what it holds must be read before.
 */
export function reused<Values extends Uint8Array | Float32Array>(
  make: (length: number) => Values,
): (length: number) => Values {
  let kept = make(0);
  return (length) => {
    if (length > MOST_KEPT) return make(length);
    if (kept.length < length) kept = make(length);
    return kept.subarray(0, length) as Values;
  };
}

/** Arrays that are taken and given back, by their length; those that are not given back are lost to it, no more. */
const free = new Map<number, Bytes[]>();
/** Of one length: as many as are drawn at a time. */
const MOST = 4;
/** Lengths that are kept: pictures of one folder mostly have one size. */
const MOST_LENGTHS = 8;

/** An array of this length, with whatever was in it. */
export function takeBytes(length: number): Bytes {
  return free.get(length)?.pop() ?? new Uint8Array(length);
}

/** Whoever gives an array back reads it no more. */
export function giveBack(bytes: Uint8Array): void {
  const { length } = bytes;
  if (!free.has(length) && free.size === MOST_LENGTHS) free.delete([...free.keys()][0]);
  const own = free.get(length) ?? [];
  free.set(length, own);
  if (own.length < MOST && length <= MOST_KEPT) own.push(bytes as Bytes);
}
