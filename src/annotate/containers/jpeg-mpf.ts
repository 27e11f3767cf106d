/** The index of further images in a JPEG (CIPA DC-007, MPF): their places count from the index itself. */

import { type Change, type Refuse, SAVE_AGAIN, viewOf } from "./container.js";

const ENTRIES = 0xb002;
/** Of each: attributes, size, place, two bytes for each of two images that it depends on. */
const ENTRY_BYTES = 16;
const START_OF_IMAGE = 0xffd8;
const UNREADABLE = "its index of further images (MPF) cannot be read.";

/**
 * Corrects the index in a file that was made from another one by changes: the size of the first image, and the places
 * of the others where they moved in relation to the index.
 *
 * @param file changed in place.
 * @param options.index where the index begins in the former file, with its order of bytes, and
 * @param options.end where its segment ends.
 * @throws what `refuse` makes, where the index cannot be read.
 */
export function moveFurtherImages(
  file: Uint8Array,
  {
    from,
    index,
    end,
    changes,
    refuse,
  }: { from: Uint8Array; index: number; end: number; changes: readonly Change[]; refuse: Refuse },
): void {
  /** Where a byte of the former file is now. */
  const moved = (place: number) =>
    changes.reduce((sum, { start, end, bytes }) => (end <= place ? sum + bytes.length - (end - start) : sum), place);
  const [old, view] = [viewOf(from), viewOf(file)];
  try {
    const order = old.getUint16(index);
    if (order !== 0x4949 && order !== 0x4d4d) throw new RangeError("no order of bytes");
    const isLittle = order === 0x4949;
    const fields = index + old.getUint32(index + 4, isLittle);
    const count = old.getUint16(fields, isLittle);
    for (let field = fields + 2; field < fields + 2 + 12 * count; field += 12) {
      if (old.getUint16(field, isLittle) !== ENTRIES) continue;
      const bytes = old.getUint32(field + 4, isLittle);
      const first = index + old.getUint32(field + 8, isLittle);
      if (first + bytes > end) throw new RangeError("it leads out of its segment");
      const entries = Array.from({ length: Math.floor(bytes / ENTRY_BYTES) }, (_, at) => first + at * ENTRY_BYTES);
      const read = entries.map((entry) => ({
        ...{ entry, size: old.getUint32(entry + 4, isLittle), place: old.getUint32(entry + 8, isLittle) },
      }));
      // Another program has changed the file and not the index, which is wrong already.
      if (read.some(({ place }) => place !== 0 && !leadsToImage(old, index + place))) return;
      for (const { entry, size, place } of read) {
        // The first image begins with the file, and holds the index.
        if (place === 0 && entry === first) view.setUint32(moved(entry + 4), moved(size), isLittle);
        else if (place !== 0) view.setUint32(moved(entry + 8), moved(index + place) - moved(index), isLittle);
      }
      return;
    }
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
  }
  throw refuse(UNREADABLE, SAVE_AGAIN);
}

function leadsToImage(view: DataView, place: number): boolean {
  return place + 2 <= view.byteLength && view.getUint16(place) === START_OF_IMAGE;
}
