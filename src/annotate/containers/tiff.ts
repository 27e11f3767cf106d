/**
 * XMP in a TIFF: tag 700 of the first page. Nothing that is there moves: a new packet, and a new directory where it
 * gets one more entry, stand at the end of the file.
 */

import {
  type Change,
  changed,
  type Refuse,
  SAVE_AGAIN,
  SEVERAL,
  SIGNED,
  viewOf,
  type XmpContainer,
} from "./container.js";
import { tiffReach, tiffValue } from "./tiff-reach.js";

const [XMP, C2PA] = [700, 0xcd41];
const BYTE = 1;
const ENTRY_BYTES = 12;

/** @throws what `refuse` makes, where it is damaged, a BigTIFF, signed, or has several packets. */
export function openTiff(bytes: Uint8Array, refuse: Refuse): XmpContainer {
  const damaged = (what: string) => refuse(`is damaged: ${what}.`, SAVE_AGAIN);
  if (bytes.length < 8) throw damaged("it ends after its first bytes");
  const view = viewOf(bytes);
  const isLittle = bytes[0] === 0x49;
  if (view.getUint16(2, isLittle) === 43) throw refuse("is a BigTIFF.", "Save it as TIFF of less than 4 GB.");
  const directory = view.getUint32(4, isLittle);
  const count = directory + 2 <= bytes.length ? view.getUint16(directory, isLittle) : 0;
  const entriesEnd = directory + 2 + count * ENTRY_BYTES;
  // The place of the next page follows the entries.
  if (directory < 8 || count === 0 || entriesEnd + 4 > bytes.length) throw damaged("its first page cannot be found");
  const entries = Array.from({ length: count }, (_, index) => directory + 2 + index * ENTRY_BYTES);
  const tagOf = (entry: number) => view.getUint16(entry, isLittle);
  if (entries.some((entry) => tagOf(entry) === C2PA)) throw refuse(SIGNED);
  const found = entries.filter((entry) => tagOf(entry) === XMP);
  if (found.length > 1) throw refuse(SEVERAL, SAVE_AGAIN);
  const [old] = found;
  const value = old === undefined ? undefined : tiffValue(view, old, isLittle);
  const reach = tiffReach(view, { isLittle, without: old });
  if (Math.max(reach, value?.end ?? 0) > bytes.length)
    throw damaged("it leads to places that are not its own, or behind its end");
  return {
    ...(value && { packet: bytes.subarray(value.start, value.end) }),
    withPacket: (packet) => {
      // A packet that ends the file, as ours do, is replaced there, so that the file does not grow from run to run.
      const isLast = value && value.end === bytes.length && value.start >= reach && value.start % 2 === 0;
      const kept = isLast ? bytes.subarray(0, value.start) : bytes;
      const evened = Buffer.alloc(kept.length % 2);
      const end = kept.length + evened.length;
      if (old !== undefined) {
        const entry = entryOf({ packet, start: end, isLittle });
        return Buffer.concat([changed(kept, [{ start: old, end: old + ENTRY_BYTES, bytes: entry }]), evened, packet]);
      }
      // Readers take another entry where one is put between such.
      if (entries.some((entry, index) => index > 0 && tagOf(entry) <= tagOf(entries[index - 1])))
        throw damaged("its tags are not in order");
      const place = entries.find((entry) => tagOf(entry) > XMP) ?? entriesEnd;
      const length = 2 + (count + 1) * ENTRY_BYTES + 4;
      const written = Buffer.concat([
        short(count + 1, isLittle),
        bytes.subarray(directory + 2, place),
        entryOf({ packet, start: end + length, isLittle }),
        bytes.subarray(place, entriesEnd + 4),
      ]);
      const first: Change = { start: 4, end: 8, bytes: long(end, isLittle) };
      return Buffer.concat([changed(kept, [first]), evened, written, packet]);
    },
  };
}

function entryOf({ packet, start, isLittle }: { packet: Uint8Array; start: number; isLittle: boolean }): Buffer {
  return Buffer.concat([
    short(XMP, isLittle),
    short(BYTE, isLittle),
    long(packet.length, isLittle),
    long(start, isLittle),
  ]);
}

function short(value: number, isLittle: boolean): Buffer {
  const bytes = Buffer.alloc(2);
  if (isLittle) bytes.writeUInt16LE(value);
  else bytes.writeUInt16BE(value);
  return bytes;
}

function long(value: number, isLittle: boolean): Buffer {
  const bytes = Buffer.alloc(4);
  if (isLittle) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
}
