/** How far the pages of a TIFF reach in its file, so that nothing that is added is taken for a part of one. */

const ENTRY_BYTES = 12;
/** Bytes of one value, by type. */
const SIZES: Readonly<Record<number, number>> = {
  ...{ 1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4 },
};
/** Where pixels lie, and how many bytes they take there. */
const PIXELS: readonly (readonly [places: number, lengths: number])[] = [
  [273, 279],
  [324, 325],
];
/** Tags that lead to further directories: smaller images, Exif, GPS, interoperability. */
const DIRECTORIES = [330, 34_665, 34_853, 40_965];
const MOST_DIRECTORIES = 100_000;

export interface TiffValue {
  readonly start: number;
  readonly end: number;
}

/** Where the value of an entry stands: up to four bytes in the entry itself. */
export function tiffValue(view: DataView, entry: number, isLittle: boolean): TiffValue {
  const length = sizeOf(view, entry, isLittle) * view.getUint32(entry + 4, isLittle);
  const start = length <= 4 ? entry + 8 : view.getUint32(entry + 8, isLittle);
  return { start, end: start + length };
}

/**
 * The end of the last thing that any page refers to; beyond the file's own end where it is cut off, or where pixels are
 * said to lie in what will change: the file's head, and that entry.
 *
 * @param options.without an entry that is left out.
 */
export function tiffReach(view: DataView, { isLittle, without }: { isLittle: boolean; without?: number }): number {
  const seen = new Set<number>();
  const waiting = [view.getUint32(4, isLittle)];
  let reach = 8;
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (place === 0 || seen.has(place)) continue;
    seen.add(place);
    const count = place + 2 <= view.byteLength ? view.getUint16(place, isLittle) : 0;
    const end = place + 2 + count * ENTRY_BYTES;
    reach = Math.max(reach, end + 4);
    if (end + 4 > view.byteLength || seen.size > MOST_DIRECTORIES) return Number.POSITIVE_INFINITY;
    const lists = new Map<number, number[]>();
    for (let entry = place + 2; entry < end; entry += ENTRY_BYTES) {
      if (entry === without) continue;
      const value = tiffValue(view, entry, isLittle);
      reach = Math.max(reach, value.end);
      if (value.end > view.byteLength) return value.end;
      const tag = view.getUint16(entry, isLittle);
      if (DIRECTORIES.includes(tag)) for (const one of numbersAt(view, { entry, value, isLittle })) waiting.push(one);
      else if (PIXELS.some((pair) => pair.includes(tag))) lists.set(tag, numbersAt(view, { entry, value, isLittle }));
    }
    for (const [places, lengths] of PIXELS) {
      const starts = lists.get(places);
      if (starts?.length === 0) return Number.POSITIVE_INFINITY;
      for (const [index, start] of (starts ?? []).entries()) {
        const length = lists.get(lengths)?.[index] ?? 0;
        const isChanged = start < 8 || (without !== undefined && start < without + 12 && start + length > without);
        if (isChanged && start + length > 0) return Number.POSITIVE_INFINITY;
        reach = Math.max(reach, start + length);
      }
    }
    waiting.push(view.getUint32(end, isLittle));
  }
  return reach;
}

function sizeOf(view: DataView, entry: number, isLittle: boolean): number {
  return SIZES[view.getUint16(entry + 2, isLittle)] ?? 1;
}

function numbersAt(
  view: DataView,
  { entry, value, isLittle }: { entry: number; value: TiffValue; isLittle: boolean },
): number[] {
  const size = sizeOf(view, entry, isLittle);
  const numbers: number[] = [];
  for (let at = value.start; at + size <= value.end; at += size) {
    if (size === 2) numbers.push(view.getUint16(at, isLittle));
    else if (size === 4) numbers.push(view.getUint32(at, isLittle));
  }
  return numbers;
}
